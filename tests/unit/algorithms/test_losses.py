"""The losses against the same formulas in numpy, element by element."""

import numpy as np
import pytest
import torch

from must.algorithms.losses import mean_loss, policy_losses, q_losses, q_target, temperature_loss


@pytest.mark.parametrize("n_tasks", [1, 3])
def test_losses_by_element(n_tasks):
    rng = np.random.default_rng(0)
    rows = 5
    log_alpha, log_probs = rng.normal(size=n_tasks), rng.normal(size=(n_tasks, rows))
    q, rewards, target = rng.normal(size=(2, n_tasks, rows)), rng.normal(size=(n_tasks, rows)), 0.0
    alpha = np.exp(log_alpha)
    temperature = np.mean([-log_alpha[k] * (np.mean(log_probs[k]) - 4) for k in range(n_tasks)])
    policy = np.mean(
        [alpha[k] * log_probs[k, b] - min(q[0, k, b], q[1, k, b]) for k in range(n_tasks) for b in range(rows)]
    )
    target = np.array(
        [
            [rewards[k, b] + 0.9 * (min(q[0, k, b], q[1, k, b]) - alpha[k] * log_probs[k, b]) for b in range(rows)]
            for k in range(n_tasks)
        ]
    )
    errors = [np.mean((q[e] - target) ** 2) for e in range(2)]
    t = torch.from_numpy
    assert float(temperature_loss(t(log_alpha), t(log_probs), -4.0)) == pytest.approx(temperature)
    assert float(mean_loss(policy_losses(t(alpha), t(log_probs), t(q)))) == pytest.approx(policy)
    assert np.allclose(q_target(t(rewards), t(q), t(log_probs), t(alpha), 0.9).numpy(), target)
    assert np.allclose(mean_loss(q_losses(t(q), t(target))).numpy(), errors)


def test_a_task_with_too_little_entropy_gets_a_higher_temperature():
    log_alpha = torch.zeros(2, requires_grad=True)
    log_probs = torch.tensor([[6.0, 6.0], [1.0, 1.0]], requires_grad=True)  # entropies -6 and -1, target -4
    temperature_loss(log_alpha, log_probs, -4.0).backward()
    assert log_alpha.grad[0] < 0 < log_alpha.grad[1]
    assert log_probs.grad is None
