import numpy as np
import torch

from must.buffers import ReplayBuffer
from must.types import Collected


def steps(n_tasks: int, start: int, count: int) -> list[Collected]:
    """Transitions whose features tell their task and their running number."""
    made = []
    for task in range(n_tasks):
        number = np.arange(start, start + count, dtype=np.float32)[:, None]
        ones = np.ones((1, 39), np.float32)
        made.append(
            Collected(number * ones, number * ones[:, :4] + task, 10 * number[:, 0] + task, (number + 1) * ones, ())
        )
    return made


def test_the_newest_rows_of_each_task_stay():
    replay = ReplayBuffer(2, 20, torch.device("cpu"))
    for start in range(0, 28, 4):
        replay.add(steps(2, start, 4))
    assert len(replay) == 10
    assert replay.added == 28
    batch = replay.sample(2000, torch.Generator().manual_seed(0))
    for task in range(2):
        assert set(batch.observations[task, :, 0].tolist()) == set(range(18, 28))
        assert set((batch.actions[task, :, 3] - task).tolist()) == set(range(18, 28))


def test_a_batch_keeps_rows_together_and_has_the_same_number_of_each_task():
    replay = ReplayBuffer(3, 300, torch.device("cpu"))
    replay.add(steps(3, 0, 50))
    batch = replay.sample(17, torch.Generator().manual_seed(0))
    assert batch.observations.shape == batch.next_observations.shape == (3, 17, 39)
    assert batch.actions.shape == (3, 17, 4)
    tasks = torch.arange(3.0)[:, None]
    number = batch.observations[..., 0]
    assert torch.equal(batch.next_observations[..., 38], number + 1)
    assert torch.equal(batch.actions[..., 0], number + tasks)
    assert torch.equal(batch.rewards, 10 * number + tasks)


def test_rows_are_given_by_running_number_over_the_seam_of_the_ring():
    replay = ReplayBuffer(2, 20, torch.device("cpu"))
    for start in range(0, 28, 4):
        replay.add(steps(2, start, 4))
    assert replay.rows(18, 28)[0, :, 0].tolist() == list(range(18, 28))
    again = ReplayBuffer(2, 20, torch.device("cpu"))
    again.added = 18
    again.append_rows(replay.rows(18, 24))
    again.append_rows(replay.rows(24, 28))
    assert torch.equal(again.rows(18, 28), replay.rows(18, 28))
    assert torch.equal(again._rows, replay._rows)
