"""Pages of the report: tables as they are written, with every character as it was meant."""

import re
from pathlib import Path

import pytest

from must.analysis.markup import Cell, Table, to_markdown
from must.workflow import pages


def test_a_table_is_shown_as_it_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = "a|b *c* _d_ `e` ~f~ \\g <h> & 1.5"
    table = Table(odd, ("Name", "Rate"), 1, ((Cell(odd), Cell("0.90", "± 0.10", bold=True)),))
    (tmp_path / "table.md").write_text(to_markdown([table], [f"Note {odd}"]), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["pages", "--directory", str(tmp_path), str(tmp_path / "table.md")])
    assert pages.main() == 0
    html = (tmp_path / "table.html").read_text(encoding="utf-8")
    shown = "a|b *c* _d_ `e` ~f~ \\g &lt;h&gt; &amp; 1.5"
    assert f"<strong>{shown}</strong>" in html
    assert f"<td>{shown}</td>" in html
    assert f"<p>Note {shown}</p>" in html
    assert re.search(r'<td style="text-align:right"><strong>0\.90 ± 0\.10</strong></td>', html)


def test_html_in_a_name_stays_text(tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text("<script>alert(1)</script>\n", encoding="utf-8")
    assert "<script>" not in pages.from_markdown(tmp_path / "table.md")
