import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from must.buffers import Batch, ReplayBuffer, Returns
from must.buffers.replay import ROW_DIM
from must.types import Collected

CPU = torch.device("cpu")


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
    replay = ReplayBuffer(2, 20, CPU)
    for start in range(0, 28, 4):
        replay.add(steps(2, start, 4))
    assert len(replay) == 10
    assert replay.added == 28
    batch = replay.sample(2000, torch.Generator().manual_seed(0))
    for task in range(2):
        assert set(batch.observations[task, :, 0].tolist()) == set(range(18, 28))
        assert set((batch.actions[task, :, 3] - task).tolist()) == set(range(18, 28))


def test_a_batch_keeps_rows_together_and_has_the_same_number_of_each_task():
    replay = ReplayBuffer(3, 300, CPU)
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
    replay = ReplayBuffer(2, 20, CPU)
    for start in range(0, 28, 4):
        replay.add(steps(2, start, 4))
    assert replay.rows(18, 28)[0, :, 0].tolist() == list(range(18, 28))
    again = ReplayBuffer(2, 20, CPU)
    again.added = 18
    again.append_rows(replay.rows(18, 24))
    again.append_rows(replay.rows(24, 28))
    assert torch.equal(again.rows(18, 28), replay.rows(18, 28))
    assert torch.equal(again._rows, replay._rows)


def numbered(replay: ReplayBuffer, horizon: int) -> Iterator[tuple[Batch, range]]:
    """Fill a ring by four rows at a time, whose features are their running numbers.

    Yields:
        Each time a batch, and the numbers that the ring holds.
    """
    generator = torch.Generator().manual_seed(0)
    for stop in range(4, 4 * horizon * 5, 4):
        rows = (
            torch.arange(stop - 4, stop, dtype=torch.float32)[None, :, None] + torch.tensor([0.0, 0.5])[:, None, None]
        )
        replay.append_rows(rows.expand(2, 4, ROW_DIM).contiguous())
        yield replay.sample(50, generator), range(max(0, stop - replay.capacity), stop)


@pytest.mark.parametrize("capacity", [30, 32, 7])
def test_the_last_steps_of_episodes_are_terminal_where_time_limits_are(capacity):
    """Rows carry their running number: those that end an episode of 5 steps are known, whatever the ring has lost."""
    replay = ReplayBuffer(2, 2 * capacity, CPU, Returns(gamma=0.9, horizon=5, terminal=True))
    for batch, _ in numbered(replay, 5):
        last = (batch.observations[..., 0].long() + 1) % 5 == 0
        torch.testing.assert_close(batch.discount, torch.where(last, 0.0, 0.9))
        assert torch.equal(batch.rewards, batch.observations[..., 0])
        assert torch.equal(batch.next_observations[..., 0], batch.observations[..., 0])
    assert last.any()
    assert not last.all()


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("n_steps", [2, 3, 9])
@pytest.mark.parametrize("capacity", [30, 32, 7])
def test_rewards_of_the_next_steps_are_added_up_to_the_end_of_the_episode(capacity, n_steps, terminal):
    gamma, horizon = 0.9, 5
    replay = ReplayBuffer(2, 2 * capacity, CPU, Returns(gamma, horizon, n_steps, terminal))
    taken = set()
    for batch, held in numbered(replay, horizon):
        for task, row in itertools.product(range(2), range(50)):
            number = int(batch.observations[task, row, 0])
            assert number in held
            ahead = [number]
            while len(ahead) < n_steps and (ahead[-1] + 1) % horizon and ahead[-1] + 1 in held:
                ahead.append(ahead[-1] + 1)
            rewards = sum(gamma**step * (reward + task / 2) for step, reward in enumerate(ahead))
            ends = terminal and (ahead[-1] + 1) % horizon == 0
            assert float(batch.rewards[task, row]) == pytest.approx(rewards, rel=1e-5)
            assert float(batch.next_observations[task, row, 38]) == ahead[-1] + task / 2
            assert float(batch.discount[task, row]) == pytest.approx(0 if ends else gamma ** len(ahead))
            taken.add(len(ahead))
    assert taken == set(range(1, min(n_steps, horizon) + 1))


def test_a_row_is_all_that_a_target_of_one_step_needs():
    for returns in (None, Returns(gamma=0.9, horizon=5)):
        replay = ReplayBuffer(2, 20, CPU, returns)
        replay.append_rows(torch.zeros(2, 4, ROW_DIM))
        assert replay.sample(3, torch.Generator().manual_seed(0)).discount is None
