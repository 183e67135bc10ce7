"""Whether an archive is what it says; and archives that were made to deceive or to do harm."""

import re
import stat
import zipfile

import pytest

from must import cli
from must.errors import ResultsError
from must.export import archive as module
from must.export.verify import verify

RUN = "results/fake/runs/pruning_ratio~0.5/update_interval~10/seed~0"
TABLE = "results/fake/tables/success_rate.csv"


def test_its_tables_are_what_its_logs_give(made, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # far from any checkout
    assert cli.main(["verify", str(made.archive)]) == 0
    assert "all 19 tables are what its logs give" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def replaced(name, old, new):
    def change(files):
        assert old in files[name], files[name]
        files[name] = files[name].replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda files: replaced(TABLE, b",must,", b",ours,")(files), "tables/success_rate.csv: line "),
        (lambda files: files.update({TABLE: files[TABLE] + b"one more\n"}), "is one too many"),
        (lambda files: files.update({TABLE: files[TABLE][: files[TABLE].rstrip().rfind(b"\n") + 1]}), "is missing"),
        (lambda files: files.pop(TABLE), "tables/success_rate.csv: is missing"),
        (lambda files: files.update({"results/fake/tables/best.md": b"1"}), "tables/best.md: does not come from these"),
        (lambda files: files.update({"results/fake/data/runs.csv": b""}), "data/runs.csv: line 1: is missing"),
        (lambda files: files.update({TABLE: files[TABLE].replace(b"\n", b"\r\n")}), "tables/success_rate.csv: line 1"),
        (lambda files: files.update({"results/fake/tables/more/a.csv": b""}), "tables/more/a.csv: does not come from"),
    ],
)
def test_a_table_that_its_logs_do_not_give_is_named(changed, capsys, change, told):
    assert cli.main(["verify", str(changed(change))]) == 1
    out = capsys.readouterr().out
    assert told in out
    assert "1 of 19 tables differ" in out


def test_another_version_is_named_beside_a_difference(changed, capsys):
    def other(files):
        name = "ro-crate-metadata.json"
        files[name] = re.sub(rb'"softwareVersion": "[^"]*"', b'"softwareVersion": "9.9"', files[name])
        del files[TABLE]

    assert cli.main(["verify", str(changed(other))]) == 1
    assert "written by must 9.9" in capsys.readouterr().out


def test_numbers_that_differ_by_rounding_are_the_same_and_that_is_said(changed, capsys):
    def last_digit(files):
        number = re.compile(rb"0\.\d{5}[1-8](?=,)")
        name = next(
            name for name in files if name.endswith(".csv") and "/tables/" in name and number.search(files[name])
        )
        found = number.search(files[name])[0]
        files[name] = files[name].replace(found, found[:-1] + b"%d" % (int(found[-1:]) + 1), 1)

    assert cli.main(["verify", str(changed(last_digit))]) == 0
    assert "1 of them but for the last digits" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "sums", "told"),
    [
        (replaced(TABLE, b"0", b"1"), False, "success_rate.csv: was changed"),
        (replaced(f"{RUN}/eval.csv", b"0", b"1"), False, "eval.csv: was changed"),
        (lambda files: files.pop(TABLE), False, "is missing, though SHA256SUMS"),
        (lambda files: files.update(more=b""), False, "more: SHA256SUMS does not name it"),
        (lambda files: files.pop("SHA256SUMS"), False, "holds no SHA256SUMS"),
        (lambda files: files.update(SHA256SUMS=b"nonsense\n"), False, "SHA256SUMS: line 1"),
        (replaced(f"{RUN}/eval.csv", b"0", b"1"), True, "eval.csv"),  # the run itself vouches for its logs
        (lambda files: files.pop("experiment.yaml"), True, "experiment.yaml: cannot be read"),
        (lambda files: files.pop("ro-crate-metadata.json"), True, "ro-crate-metadata.json: is missing"),
        (lambda files: files.update({"experiment.yaml": b"name: ../../up\nenv: {tasks: [reach-v3]}"}), True, "name"),
        (lambda files: files.update({"experiment.yaml": b"a: &a [1]\nb: [*a, *a"}), True, "experiment.yaml"),
        (lambda files: files.update({f"{RUN}/result.json": b"[" * 100_000}), True, "result.json"),
        (lambda files: files.update({f"{RUN}/manifest.json": b'{"starts": 3, "container": []}'}), True, ""),
        (replaced(f"{RUN}/result.json", b'"sizes": {', b'"sizes": {"policy_parameters": [], "x": {'), True, ""),
    ],
)
def test_an_archive_that_is_broken_is_refused(changed, capsys, change, sums, told):
    path = changed(change, sums)
    status = cli.main(["verify", str(path)])
    printed = capsys.readouterr()
    if told:
        assert status == 2
        assert told in printed.err
        assert str(path) in printed.err
    assert status in (1, 2)
    assert "Traceback" not in printed.err


def bomb(levels=9):
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


MANY = b"env: {tasks: [reach-v3]}\nsweep: {seeds: [%s], grid: {sac.lr: [%s], sac.tau: [%s]}}" % (
    (b", ".join(b"%d" % n for n in range(400)),)
    + 2 * (b", ".join(b"0.00%d1" % n for n in range(400)),)
)  # fmt: skip


@pytest.mark.parametrize("content", [bomb(), MANY, b"x: " + b"[" * 10_000, b"x: " + b"1" * 200_000])
def test_an_experiment_that_grows_without_end_is_refused(changed, content):
    with pytest.raises(ResultsError, match=r"experiment\.yaml"):
        verify(changed(lambda files: files.update({"experiment.yaml": content})))


@pytest.mark.parametrize(
    "name",
    [
        "../out",
        "/out/of/it",
        "a/../../out",
        "a//b",
        "./a",
        "a\\..\\b",
        "C:\\out",
        "a\nb",
        "x" * 300,
        "a/" * 1100 + "b",
        "",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_written(tmp_path, name):
    path, place = tmp_path / "a.zip", tmp_path / "in" / "here"
    place.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("SHA256SUMS", "")
        archive.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(ResultsError, match=r"a file of the name|not a sound zip"):
        module.unpack(path, place)
    assert [each.name for each in tmp_path.rglob("*")] in (["a.zip", "in", "here"], ["in", "a.zip", "here"])


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, mode):
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, (mode | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ResultsError, match="is a link, a device"):
        verify(tmp_path / "a.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("names", "told"), [(["a", "a"], "twice"), (["a", "a/b"], "a file and a folder")])
def test_names_that_are_in_each_others_way_are_refused(tmp_path, names, told):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    with pytest.raises(ResultsError, match=told):
        verify(tmp_path / "a.zip")


def test_what_would_fill_the_disk_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(12):
            archive.writestr(f"{number}", bytes(10_000_000))
    with pytest.raises(ResultsError, match="would grow to 120000000 bytes"):
        verify(tmp_path / "a.zip")


def test_what_lies_about_its_size_is_no_bigger_than_it_says(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(5_000_000))
    path.write_bytes(path.read_bytes().replace((5_000_000).to_bytes(4, "little"), (5).to_bytes(4, "little")))
    with pytest.raises(ResultsError, match="not a sound zip"):
        verify(path)


@pytest.mark.parametrize("kind", ["none", "folder", "text", "torn", "flipped", "empty"])
def test_what_is_no_archive_is_told(made, tmp_path, kind, capsys):
    path, whole = tmp_path / "a.zip", made.archive.read_bytes()
    if kind == "folder":
        path.mkdir()
    elif kind != "none":
        at = whole.index(b"results/fake/data") + 200
        made_of = {
            "text": b"no",
            "torn": whole[:-50],
            "empty": b"",
            "flipped": whole[:at] + b"\0\0\0" + whole[at + 3 :],
        }
        path.write_bytes(made_of[kind])
    assert cli.main(["verify", str(path)]) == 2
    assert str(path) in capsys.readouterr().err
