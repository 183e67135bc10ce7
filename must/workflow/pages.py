"""Turn tables, settings and clips into pages: ``python -m must.workflow.pages --directory DIRECTORY SOURCE ...``.

Snakemake's report shows pages inline, and pictures of some kinds; Markdown, YAML and GIF it only offers as a download.
Each SOURCE becomes DIRECTORY/<its name>.html, which holds everything it shows.
"""

from __future__ import annotations

import argparse
import base64
import html
import sys
from collections.abc import Callable
from pathlib import Path

from markdown_it import MarkdownIt

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1e293b; margin: 1.5rem; }}
table {{ border-collapse: collapse; margin: 0 0 1.5rem; }}
th, td {{ padding: .3rem .8rem; text-align: left; white-space: nowrap; font-variant-numeric: tabular-nums; }}
th {{ border-top: 2px solid; border-bottom: 1px solid; }}
tr:last-child td {{ border-bottom: 2px solid; }}
tbody tr:nth-child(even) {{ background: #f1f5f9; }}
p {{ max-width: 60rem; }}
pre {{ font: 13px/1.5 ui-monospace, monospace; }}
img {{ width: min(100%, 30rem); border-radius: 6px; }}
</style>
{body}
</html>
"""


def main() -> int:
    """Write the pages; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where the pages go")
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help=", ".join(MAKERS))
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    for source in options.sources:
        body = MAKERS[source.suffix](source)
        page = PAGE.format(title=html.escape(source.stem), body=body)
        (options.directory / f"{source.stem}.html").write_text(page, encoding="utf-8")
    return 0


def from_markdown(source: Path) -> str:
    """Write a Markdown file, which may have tables but no HTML, as HTML."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return str(markdown.render(source.read_text(encoding="utf-8")))


def from_yaml(source: Path) -> str:
    """Show a YAML file as it is."""
    return f"<pre>{html.escape(source.read_text(encoding='utf-8'))}</pre>"


def from_gif(source: Path) -> str:
    """Show a clip, which the page itself holds."""
    data = base64.b64encode(source.read_bytes()).decode()
    return f'<img alt="{html.escape(source.stem)}" src="data:image/gif;base64,{data}">'


MAKERS: dict[str, Callable[[Path], str]] = {".md": from_markdown, ".yaml": from_yaml, ".gif": from_gif}


if __name__ == "__main__":
    sys.exit(main())
