"""Tables as Markdown and LaTeX, to the letter."""

from must.analysis.markup import Cell, Table, escape_latex, escape_markdown, to_latex, to_markdown

TABLE = Table(
    title="A_B",
    columns=("Task", "50 %"),
    keys=1,
    rows=(
        (Cell("door-open_v3"), Cell("0.50", "± 0.10", bold=True)),
        (Cell("second"), Cell("0.40", "[0.30, 0.50]", underline=True)),
        (Cell("a|b"), Cell("\N{EN DASH}")),
    ),
)


def test_markdown():
    assert to_markdown([TABLE], ["A note."]) == (
        "**A\\_B**\n"
        "\n"
        "| Task | 50 % |\n"
        "| --- | ---: |\n"
        "| door-open\\_v3 | **0.50 ± 0.10** |\n"
        "| second | 0.40 [0.30, 0.50] |\n"
        "| a\\|b | \N{EN DASH} |\n"
        "\n"
        "A note.\n"
    )


def test_latex():
    assert to_latex([TABLE], ["A note."]) == (
        "% Needs \\usepackage{booktabs,graphicx}.\n"
        "\\begingroup\\footnotesize\\setlength{\\tabcolsep}{4pt}\n"
        "\\noindent\\textbf{A\\_B}\\par\\nobreak\\smallskip\n"
        "\\noindent\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n"
        "\\begin{tabular}{lr}\n"
        "\\toprule\n"
        "Task & 50 \\% \\\\\n"
        "\\midrule\n"
        "door-open\\_v3 & \\textbf{0.50} {\\scriptsize $\\pm$ 0.10} \\\\\n"
        "second & \\underline{0.40} {\\scriptsize [0.30, 0.50]} \\\\\n"
        "a\\textbar{}b & -- \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}}\\par\\medskip\n"
        "\\noindent A note.\\par\n"
        "\\endgroup\n"
    )


def test_a_table_without_title_has_no_line_for_it():
    bare = Table("", TABLE.columns, TABLE.keys, TABLE.rows)
    assert to_markdown([bare], []).startswith("| Task")
    assert "textbf{}" not in to_latex([bare], [])


def test_every_special_character_of_latex_is_escaped():
    assert escape_latex("\\&%$#_{}~^<>|") == (
        r"\textbackslash{}\&\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\textbar{}"
    )
    assert escape_latex("\N{GREEK SMALL LETTER ALPHA}5") == "?5"


def test_every_special_character_of_markdown_is_escaped():
    assert escape_markdown("a|b*c_d~e`f<g\\") == "a\\|b\\*c\\_d\\~e\\`f&lt;g\\\\"


def test_a_heading_takes_as_many_lines_as_its_column_is_narrow():
    table = Table("", ("Task", "Success of the task"), 1, ((Cell("reach"), Cell("0.50")),))
    stacked = r"Task & \begin{tabular}[b]{@{}r@{}}Success\\of the\\task\end{tabular} \\"
    assert stacked in to_latex([table], []).splitlines()
