"""YAML as experiments are written in it: YAML 1.2, and nothing that would be dropped or misread without a word.

PyYAML reads YAML 1.1, in which ``010`` is 8, ``1:30`` is 90, ``off`` is false and ``1e-3`` is text, and of a key that
is there twice it keeps the last. Here numbers are those of YAML 1.2 (and ``1_000_000``), words are words, and a key
that is there twice is an error with its line. Merge keys (``<<: *base``) and anchors work.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from must.errors import ConfigError

if TYPE_CHECKING:
    _FastLoader = yaml.SafeLoader
else:
    _FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is there

_TAG = "tag:yaml.org,2002:"
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_INT = re.compile(rf"[-+]?{_DIGITS}\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(
    rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?\Z"
    r"|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
)
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_RESOLVERS = (
    ("bool", _BOOL, "tTfF"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ("~", "n", "N", "")),
    ("merge", re.compile(r"<<\Z"), "<"),
)
_DEEPEST = 100
"""Levels of nesting; an experiment has five."""


class _Refused(yaml.MarkedYAMLError):
    """YAML that could be read, but not as what somebody meant."""


class _Loader(_FastLoader):
    """A safe loader of YAML 1.2 that refuses keys that are there twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - add_implicit_resolver replaces it
    yaml_constructors = {
        f"{_TAG}{name}": _FastLoader.yaml_constructors[f"{_TAG}{name}"] for name in ("null", "str", "seq", "map")
    } | {None: _FastLoader.yaml_constructors[None]}

    def read(self) -> Any:
        """Return the document's content."""
        node = self.get_single_node()
        if node is None:
            return None
        self._check(node, "", (), set())
        return self.construct_document(node)

    def _check(self, node: yaml.Node, path: str, above: tuple[int, ...], seen: set[int]) -> None:
        """Find keys that are there twice, before merge keys are resolved."""
        if id(node) in above:
            raise _problem(f"'{path}' contains itself", node)
        if id(node) in seen:  # an alias
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                self._check(item, f"{path}[{number}]", (*above, id(node)), seen)
        if not isinstance(node, yaml.MappingNode):
            return
        first: dict[Any, yaml.Node] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _problem("a list or a section cannot be a key", key_node)
            name = f"{path}.{key_node.value}".lstrip(".")
            key = "<<" if key_node.tag == f"{_TAG}merge" else self.construct_object(key_node)
            if key in first:
                line = first[key].start_mark.line + 1
                raise _problem(f"'{name}' is there twice, first in line {line}; keep one of them", key_node)
            first[key] = key_node
            self._check(value, name, (*above, id(node)), seen)


def _construct_int(_loader: _Loader, node: yaml.ScalarNode) -> int:
    text = node.value
    if not _INT.match(text):
        raise _problem(f"'{text:.40}' is not a whole number", node)
    try:
        return int(text, 0 if text.lower().startswith(("0o", "0x")) else 10)
    except ValueError:  # Python reads no more than some thousand digits
        raise _problem(f"'{text:.40}...' has too many digits", node) from None


def _construct_float(_loader: _Loader, node: yaml.ScalarNode) -> float:
    text = node.value
    if not _FLOAT.match(text):
        raise _problem(f"'{text:.40}' is not a number", node)
    named = text.lower().endswith(("inf", "nan"))
    if named or not math.isfinite(value := float(text)):
        raise _problem(f"'{text:.40}' is not a finite number", node)
    return value + 0.0  # there is one zero: -0.0 would be another path


def _construct_bool(_loader: _Loader, node: yaml.ScalarNode) -> bool:
    if not _BOOL.match(node.value):
        raise _problem(f"'{node.value:.40}' is neither true nor false", node)
    return str(node.value).lower() == "true"


def _problem(text: str, place: Any) -> yaml.MarkedYAMLError:
    return _Refused(None, None, text, place.start_mark)


class _Dumper(yaml.SafeDumper):
    """Writes what YAML 1.1 and YAML 1.2 read alike: text that is a number in either stands in quotes."""


for _name, _pattern, _starts in _RESOLVERS:
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, list(_starts))
    _Dumper.add_implicit_resolver(_TAG + _name, _pattern, list(_starts))
for _name, _construct in (("int", _construct_int), ("float", _construct_float), ("bool", _construct_bool)):
    _Loader.add_constructor(_TAG + _name, _construct)


@dataclass(frozen=True)
class Source:
    """What YAML comes from, for messages."""

    name: str
    """Of the file, or what it is else."""
    text: str = ""
    """The YAML itself; empty where it is not at hand."""

    def __str__(self) -> str:
        return self.name

    def at(self, location: Sequence[int | str]) -> str:
        """Return the name, with the line of a key or an item where the text has it.

        Args:
            location: The keys and items (from 0) that lead to it; several keys may stand as one, with dots.
        """
        parts = [part for each in location for part in ([each] if isinstance(each, int) else each.split("."))]
        node = _compose(self.text)
        line = None if node is None else _line_of(node, parts)
        return self.name if line is None else f"{self.name}: line {line}"


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def _line_of(node: yaml.Node, parts: Sequence[int | str], line: int | None = None) -> int | None:
    """Return the line of what the parts of a key lead to from a node, whose own line is given; None if nothing."""
    if not parts:
        return line
    if isinstance(node, yaml.SequenceNode) and isinstance(parts[0], int) and parts[0] < len(node.value):
        item = node.value[parts[0]]
        return _line_of(item, parts[1:], item.start_mark.line + 1)
    if not isinstance(node, yaml.MappingNode):
        return None
    for count in range(len(parts), 0, -1):  # a key of a variant has dots itself
        name = ".".join(map(str, parts[:count]))
        for key, value in node.value:
            if key.value == name and (found := _line_of(value, parts[count:], key.start_mark.line + 1)):
                return found
    merged = [value for key, value in node.value if key.tag == f"{_TAG}merge"]
    bases = [base for value in merged for base in (value.value if isinstance(value, yaml.SequenceNode) else [value])]
    return next((found for base in bases if (found := _line_of(base, parts))), None)


def read_yaml(path: Path) -> Any:
    """Read a YAML file; see `read_text` and `parse_yaml` for what it raises."""
    return parse_yaml(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Read a file of UTF-8.

    Raises:
        ConfigError: It cannot be read; the message names the line.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}: line {line}: cannot be read: byte 0x{content[error.start]:02x} is not UTF-8; save it as UTF-8"
        ) from None


def parse_yaml(text: str, source: str) -> Any:
    """Read YAML text.

    Args:
        text: The text.
        source: What it is, for messages.

    Raises:
        ConfigError: It is not YAML, or says something twice; the message names the line.
    """
    try:
        _check_depth(text)
        loader = _Loader(text)
        try:
            return loader.read()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: {_explain(error, text)}") from None
    except UnicodeEncodeError:  # an argument of the command line that the system could not decode
        raise ConfigError(f"{source}: is not UTF-8") from None


def write_yaml(data: Any, **style: Any) -> str:
    """Write data as YAML, with the options of ``yaml.dump``."""
    text: str = yaml.dump(data, Dumper=_Dumper, **style)
    return text


def _check_depth(text: str) -> None:
    """Refuse nesting that would exhaust the stack of whatever reads it."""
    depth = 0
    for event in yaml.parse(text, Loader=_FastLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _problem(f"is nested more than {_DEEPEST} levels deep", event)


def _explain(error: yaml.YAMLError, text: str) -> str:
    """Describe in one line where text is not YAML, and why."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"line {line}: is not valid YAML: it holds the character #x{error.character:04x}"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if not isinstance(error, yaml.MarkedYAMLError) or mark is None:
        return f"is not valid YAML: {' '.join(str(error).split())}"
    problem, line = " ".join(part for part in (error.context, error.problem) if part), mark.line
    if isinstance(error, _Refused):
        return f"line {line + 1}: {problem}"
    tabs = any("\t" in text_line for text_line in text.split("\n")[line : line + 1])
    return f"line {line + 1}: is not valid YAML: {problem}{'; indent with blanks, not with tabs' if tabs else ''}"
