"""What MkDocs does not do by itself: pages from outside of ``docs/``, links into the repository, the reference.

Documents are written to be read in the repository, where a link such as ``../config/README.md`` leads somewhere. On
the site, a link to a document becomes one to its page, and one to another file of the repository to a copy of it. One
that leads nowhere is a warning, and with ``--strict`` the end of the build.
"""

from __future__ import annotations

import logging
import posixpath
import re
import subprocess
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
OTHERS = {"README.md": "index.md"} | {
    name: name for name in ("config/README.md", "results/README.md", "containers/README.md", "CHANGELOG.md")
}
"""Documents outside of ``docs/`` -> their pages."""
COPIES, REFERENCE = "files", "reference"
"""Where copies of other files, and the pages of the reference lie."""
LINK = re.compile(r"(\]\()([^)#\s]*)(#[^)\s]*)?(\))")
CELL = re.compile(r"<td.*?</td>", re.DOTALL)
FENCE = re.compile(r"^(```|    )")

log = logging.getLogger("mkdocs.hooks")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Append to the navigation the pages that it does not name, and the reference."""
    named = set(re.findall(r"[\w./-]+\.md", str(config.nav)))
    pages = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))
    assert config.nav is not None
    if more := [page for page in pages if page not in named]:
        config.nav.append({"More": more})
    config.nav.append({"Reference": [{name: f"{REFERENCE}/{name}.md"} for name in reference()]})
    return config


def reference() -> dict[str, list[str]]:
    """Return the pages of the reference: package, or `must` for the modules that are in none -> its modules."""
    pages: dict[str, list[str]] = {}
    for path in sorted((ROOT / "must").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not path.stem.startswith("_") or path.stem == "__init__":
            package = ".".join(name.split(".")[:2]) if path.parent != ROOT / "must" else "must"
            pages.setdefault(package, []).append(name)
    return {name: sorted(modules, key=lambda module: (module.count("."), module)) for name, modules in pages.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in ``docs/``, and the files that documents link to."""
    for source, page in OTHERS.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for name, modules in reference().items():
        # The modules themselves show their members; what a package exports is one of those.
        alone = "\n    options: {members: false}"
        parts = [f"::: {module}{alone if is_package(module) else ''}" for module in modules]
        text = "\n\n".join([f"# {name}", *parts]) + "\n"
        files.append(File.generated(config, f"{REFERENCE}/{name}.md", content=text))
    documents = [*(ROOT / "docs").rglob("*.md"), *(ROOT / source for source in OTHERS)]
    for target in sorted({path for document in documents for path in linked(document) if is_copied(path)}):
        files.append(File.generated(config, copy_of(target), abs_src_path=str(target)))
    for name in ("style.css", "iframe-worker.js"):
        files.append(File.generated(config, name, abs_src_path=str(ROOT / "website" / name)))
    return files


def is_package(module: str) -> bool:
    """Return whether a module is a package."""
    return (ROOT / module.replace(".", "/")).is_dir()


def linked(document: Path) -> set[Path]:
    """Return the files of the repository that a document links to."""
    targets = (match[2] for match in LINK.finditer(document.read_text(encoding="utf-8")))
    return {(document.parent / target).resolve() for target in targets if target and "://" not in target}


def is_copied(path: Path) -> bool:
    """Return whether a file that is linked to comes to the site as a copy: what git keeps and is not on it anyway."""
    if not path.is_file() or not path.is_relative_to(ROOT) or path.is_relative_to(ROOT / "docs"):
        return False
    kept = ["git", "-C", str(ROOT), "ls-files", "--error-unmatch", "--", str(path)]
    tracked = subprocess.run(kept, capture_output=True, check=False).returncode == 0
    return tracked and path.relative_to(ROOT).as_posix() not in OTHERS


def copy_of(path: Path) -> str:
    """Return where the copy of a file lies on the site; a text is one for a browser too."""
    name = f"{COPIES}/{path.relative_to(ROOT).as_posix()}"
    return name if path.suffix in (".png", ".svg", ".pdf", ".json") else f"{name}.txt"


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let the links of a document lead to pages and copies."""
    source = next((key for key, value in OTHERS.items() if value == page.file.src_uri), f"docs/{page.file.src_uri}")
    if page.file.src_uri.startswith(f"{REFERENCE}/"):
        return markdown
    here = posixpath.dirname(page.file.src_uri)

    def lead(match: re.Match[str]) -> str:
        target, anchor = match[2], match[3] or ""
        if not target or "://" in target:
            return match[0]
        path = (ROOT / source).parent.joinpath(target).resolve()
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
        if name in OTHERS:
            goal = OTHERS[name]
        elif name.startswith("docs/") and path.is_file():
            goal = name.removeprefix("docs/")
        elif is_copied(path):
            goal = copy_of(path)
        else:
            log.warning("%s: the link to %s leads to no file of the repository", source, target)
            return match[0]
        return f"{match[1]}{posixpath.relpath(goal, here or '.')}{anchor}{match[4]}"

    return "\n".join(line if FENCE.match(line) else LINK.sub(lead, line) for line in markdown.split("\n"))


def on_page_content(html: str, **_: Any) -> str:
    """Show a bar in the code of a table's cell, where Markdown wants it escaped, as a bar."""
    return CELL.sub(lambda cell: cell[0].replace("\\|", "|"), html)
