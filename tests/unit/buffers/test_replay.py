import numpy as np
import pytest
import torch

from must.buffers import ReplayBuffer
from must.buffers.replay import ROW_DIM
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


@pytest.mark.parametrize("capacity", [30, 32, 7])
def test_the_last_steps_of_episodes_are_terminal_where_time_limits_are(capacity):
    """Rows carry their running number: those that end an episode of 5 steps are known, whatever the ring has lost."""
    replay = ReplayBuffer(2, 2 * capacity, torch.device("cpu"), terminal_after=5)
    generator = torch.Generator().manual_seed(0)
    for start in range(0, 100, 4):
        numbers = torch.arange(start, start + 4, dtype=torch.float32)
        replay.append_rows(numbers[None, :, None].expand(2, 4, ROW_DIM).contiguous())
        batch = replay.sample(50, generator)
        assert torch.equal(batch.terminal, (batch.rewards.long() + 1) % 5 == 0)
    assert batch.terminal.any()
    assert not batch.terminal.all()


def test_no_step_is_terminal_by_default():
    replay = ReplayBuffer(2, 20, torch.device("cpu"))
    replay.append_rows(torch.zeros(2, 4, ROW_DIM))
    assert replay.sample(3, torch.Generator().manual_seed(0)).terminal is None
