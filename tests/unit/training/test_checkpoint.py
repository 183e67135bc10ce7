"""Checkpoints as files: what is written, what survives damage, and what is refused."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from must.buffers import ReplayBuffer
from must.buffers.replay import ROW_DIM
from must.errors import CheckpointError, RunDirectoryError
from must.run_log import CsvLog
from must.training.checkpoint import KEEP, Checkpoints

N_TASKS, CAPACITY = 2, 30


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty_buffer() -> ReplayBuffer:
    return ReplayBuffer(N_TASKS, N_TASKS * CAPACITY, torch.device("cpu"))


def content(replay: ReplayBuffer) -> torch.Tensor:
    return replay.rows(max(0, replay.added - replay.capacity), replay.added)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "run" / "checkpoints"


def save(folder: Path, epochs: int) -> list[torch.Tensor]:
    """Save a checkpoint after each epoch of seven transitions; return what the buffer held at each."""
    folder.parent.mkdir()
    checkpoints, replay, held = Checkpoints(folder, "settings"), empty_buffer(), []
    rng = torch.Generator().manual_seed(0)
    for epoch in range(1, epochs + 1):
        replay.append_rows(torch.randn(N_TASKS, 7, ROW_DIM, generator=rng))
        checkpoints.save(epoch, {"epoch": epoch}, replay)
        held.append(content(replay))
    return held


@pytest.mark.parametrize("epochs", [1, 4, 9])  # the ring of 30 is not full, nearly, and has been overwritten twice
def test_what_is_saved_is_loaded(folder, epochs):
    held = save(folder, epochs)
    replay = empty_buffer()
    state = Checkpoints(folder, "settings").load(replay)
    assert state == {"epoch": epochs}
    assert replay.added == 7 * epochs
    assert torch.equal(content(replay), held[-1])


def test_two_are_kept_and_transitions_are_written_once(folder):
    save(folder, 9)
    assert sorted(path.name for path in folder.glob("*.json")) == ["00000008.json", "00000009.json"]
    assert len(list(folder.glob("*.pt"))) == KEEP
    spans = sorted(path.stem.removeprefix("replay-").split("-") for path in folder.glob("replay-*.npy"))
    assert all(int(stop) == int(start) for (_, stop), (start, _) in pairwise(spans))
    assert all(int(stop) > 8 * 7 - CAPACITY for _, stop in spans)  # older ones went with the rows they held


@pytest.mark.parametrize("damage", [flip_a_bit, cut_in_half, Path.unlink])
@pytest.mark.parametrize("part", ["*.pt", "*.json", "replay-*.npy"])
def test_a_damaged_one_is_passed_over(folder, caplog, part, damage):
    held = save(folder, 3)
    damage(sorted(folder.glob(part))[-1])
    replay = empty_buffer()
    assert Checkpoints(folder, "settings").load(replay) == {"epoch": 2}
    assert torch.equal(content(replay), held[1])
    # Without its index a checkpoint does not exist; all other damage is said.
    assert ("is damaged" in caplog.text) == ((part, damage) != ("*.json", Path.unlink))


def test_when_all_are_damaged_nothing_is_overwritten(folder):
    save(folder, 3)
    for path in folder.glob("*.pt"):
        flip_a_bit(path)
    before = {path.name: path.read_bytes() for path in folder.glob("*.pt")}
    for _ in range(2):
        with pytest.raises(CheckpointError, match=f"delete {folder.parent}"):
            Checkpoints(folder, "settings").load(empty_buffer())
    assert {path.name: path.read_bytes() for path in folder.glob("*.pt")} == before


def test_those_of_other_settings_are_refused(folder):
    save(folder, 2)
    with pytest.raises(CheckpointError, match="other settings"):
        Checkpoints(folder, "others").load(empty_buffer())


def test_code_in_a_checkpoint_is_not_run(folder, tmp_path):
    import json

    from must.files import sha256

    class Attack:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    save(folder, 1)
    (data,) = folder.glob("*.pt")
    (index,) = folder.glob("*.json")
    torch.save({"epoch": Attack()}, data)
    index.write_text(json.dumps({**json.loads(index.read_text()), "sha256": sha256(data)}))
    with pytest.raises(CheckpointError, match="every checkpoint is damaged"):
        Checkpoints(folder, "settings").load(empty_buffer())
    assert not (tmp_path / "ran").exists()


def test_an_addition_can_be_undone_even_half_way():
    replay, rng = empty_buffer(), torch.Generator().manual_seed(0)
    for _ in range(5):  # the ring has begun anew
        replay.append_rows(torch.randn(N_TASKS, 7, ROW_DIM, generator=rng))
    held, added = content(replay), replay.added
    replay.append_rows(torch.randn(N_TASKS, 7, ROW_DIM, generator=rng))
    replay.go_back(added)
    assert replay.added == added
    assert torch.equal(content(replay), held)
    replay.append_rows(torch.randn(N_TASKS, 7, ROW_DIM, generator=rng))
    replay.added = added  # as after an interruption between the rows and their number
    replay.go_back(added)
    assert torch.equal(content(replay), held)
    replay.go_back(added - 7)  # nothing was added since: the addition before stays
    assert replay.added == added


@pytest.mark.parametrize("text", ["", "null", "[1]", "3", "{}", "[" * 100_000, '{"identity": "settings"}', "\x00"])
def test_whatever_is_wrong_with_an_index_the_checkpoint_before_is_used(folder, text, caplog):
    save(folder, 3)
    newest = folder / "00000003.json"
    newest.write_text(text)
    assert Checkpoints(folder, "settings").load(empty_buffer()) == {"epoch": 2}
    (message,) = caplog.messages
    assert str(newest.with_suffix(".pt")) in message
    assert len(message.splitlines()) == 1


def test_a_log_that_was_cut_is_refused_and_not_filled_up(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("epoch\n1\n")
    with pytest.raises(RunDirectoryError, match=r"train\.csv: is damaged"):
        CsvLog(path, ["epoch"], position=100)
    assert path.read_text() == "epoch\n1\n"


def test_a_log_of_an_earlier_version_keeps_its_columns(tmp_path):
    path = tmp_path / "timing.csv"
    path.write_text("epoch,learn_s\n1,0.5\n2,0.5\n")
    log = CsvLog(path, ["epoch", "learn_s", "cpu_s"], position=len("epoch,learn_s\n1,0.5\n"))
    log.append({"epoch": 2, "learn_s": 0.25, "cpu_s": 1.0})
    log.close()
    assert path.read_text() == "epoch,learn_s\n1,0.5\n2,0.25\n"
