"""Which keys a configuration knows, and which of them somebody means by one that it does not know."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic.fields import FieldInfo

from must.sections import Section, has_words, nearest, nearly, section_of, suggest

_FEW = 3
"""As many keys of one name are suggested; of more, none."""


def field_at(model: type[Section], location: Sequence[int | str]) -> FieldInfo | None:
    """Return the field at a place, or the one that it is a part of; None where there is none."""
    section: type[Section] | None = model
    field = None
    for part in location:
        if section is None:
            break
        field = section.model_fields.get(str(part))
        section = section_of(field) if field else None
    return field


def fields_at(model: type[Section], location: Sequence[int | str]) -> list[str]:
    """Return the keys that the section at a place knows; none where there is no section."""
    field = field_at(model, location)
    section = (section_of(field) if field else None) if location else model
    return list(section.model_fields) if section else []


def suggest_key(model: type[Section], location: Sequence[int | str], whole: bool = False) -> str:
    """Return ``; did you mean 'sac.gamma'?`` for an unknown key, or nothing when no key is like it.

    Args:
        model: Of the configuration.
        location: The parts of the key.
        whole: Write the key with its section also where it is that of the unknown one.
    """
    *above, name = map(str, location)
    if above and not fields_at(model, above):
        section = nearest(above[0], model.model_fields)
        if section == above[0]:  # it has no such keys below it
            return ""
        if section and name in fields_at(model, [section]):
            return _question([f"{section}.{name}"])
        if section and not _elsewhere(model, name):
            return suggest(above[0], model.model_fields)
        above = []
    shown = "".join(f"{part}." for part in above) if whole else ""
    known = fields_at(model, above)
    near = nearest(name, known, alike=False)
    elsewhere = _elsewhere(model, name, anything=not above)
    if near and (above or not any(key.endswith(f".{name}") for key in elsewhere)):
        return _question([f"{shown}{near}"])
    like = nearest(name, known)
    return _question(elsewhere or ([f"{shown}{like}"] if like else []))


def _elsewhere(model: type[Section], name: str, anything: bool = False) -> list[str]:
    """Return the few keys of any section that have a name, or one very near to it.

    Args:
        model: Of the configuration.
        name: The unknown name.
        anything: Whether to have its words is enough.
    """
    keys = {f"{section}.{key}": key for section in model.model_fields for key in fields_at(model, [section])}
    meant = name if name in keys.values() else nearly(name, keys.values())
    found = [key for key, own in keys.items() if own == meant]
    if not found and anything:
        found = [key for key, own in keys.items() if has_words(own, name)]
    return found if len(found) <= _FEW else []


def _question(keys: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(repr(key) for key in keys)}?" if keys else ""
