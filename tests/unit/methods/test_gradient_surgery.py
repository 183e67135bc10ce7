"""PCGrad and CAGrad, against plain implementations on whole gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from must.algorithms import make_agent
from must.methods.cagrad.gradients import worst_mixture
from tests.support.agents import CPU
from tests.support.helpers import random_batch, small_config
from tests.support.methods import settings


def make(method: str, n_tasks: int = 3, **sections):
    return make_agent(small_config(**settings(method, n_tasks, **sections)), CPU)


def combined(agent, gradients: torch.Tensor) -> torch.Tensor:
    """The step's gradient (P,) of tasks' gradients (K, P)."""
    weights = agent.gradient_rule.weigh((gradients @ gradients.T).double()[None])[0]
    return weights.float() @ gradients


def test_pcgrad_leaves_gradients_without_conflict_alone():
    gradients = torch.rand(4, 50, generator=torch.Generator().manual_seed(0))  # all components positive
    torch.testing.assert_close(combined(make("pcgrad", 4), gradients), gradients.mean(0))


def test_pcgrad_makes_two_conflicting_gradients_orthogonal_to_each_other():
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])
    expected = torch.tensor([0.5, 0.5]) + torch.tensor([0.0, 1.0])  # each without its part along the other
    found = combined(make("pcgrad", 2), torch.stack((first, second)))
    torch.testing.assert_close(found, expected / 2)
    agent = make("pcgrad", 2)
    gradients = torch.stack((first, second))
    chosen = []
    mean = torch.Tensor.mean
    products = (gradients @ gradients.T).double()[None]
    with pytest.MonkeyPatch.context() as patch:  # look at the projected gradients before they are averaged
        patch.setattr(torch.Tensor, "mean", lambda values, axis: (chosen.append(values), mean(values, axis))[1])
        agent.gradient_rule.weigh(products)
    projected = chosen[0][0].float() @ gradients
    assert abs(float(projected[0] @ second)) < 1e-6
    assert abs(float(projected[1] @ first)) < 1e-6


def plain_pcgrad(gradients: np.ndarray, orders: np.ndarray) -> np.ndarray:
    projected = gradients.copy()
    for task, order in enumerate(orders):
        for other in order:
            dot = projected[task] @ gradients[other]
            if other != task and dot < 0:
                projected[task] -= dot / (gradients[other] @ gradients[other]) * gradients[other]
    return projected.mean(0)


@pytest.mark.parametrize("n_tasks", [1, 2, 5, 10])
def test_pcgrad_is_the_papers_loop_over_whole_gradients(n_tasks):
    agent = make("pcgrad", n_tasks)
    rng = torch.Generator().set_state(agent.rngs["surgery"].get_state())
    for seed in range(5):
        gradients = torch.randn(n_tasks, 30, generator=torch.Generator().manual_seed(seed))
        orders = torch.rand(1, n_tasks, n_tasks, generator=rng).argsort(2)[0].numpy()
        expected = plain_pcgrad(gradients.double().numpy(), orders)
        assert np.allclose(combined(agent, gradients).numpy(), expected, atol=1e-5)


def test_cagrad_with_radius_0_is_the_mean_gradient():
    gradients = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(combined(make("cagrad", 5, cagrad={"c": 0}), gradients), gradients.mean(0))


def dual(shares: np.ndarray, products: np.ndarray, c: float) -> float:
    return shares @ products.mean(1) + c * np.sqrt(max(shares @ products @ shares, 0) * products.mean())


@pytest.mark.parametrize("n_tasks", [2, 3, 10, 50])
@pytest.mark.parametrize("c", [0.2, 0.5, 0.9])
def test_cagrads_mixture_is_that_of_an_exact_solver(n_tasks, c):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        gradients = rng.normal(size=(n_tasks, 200)) * rng.uniform(0.2, 3, (n_tasks, 1)) + rng.normal(size=200) * 0.3
        products = gradients @ gradients.T
        products /= products.mean()  # the mean gradient has length 1
        exact = minimize(
            lambda x, products=products: dual(x, products, c),
            np.full(n_tasks, 1 / n_tasks),
            bounds=[(0, 1)] * n_tasks,
            constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-12},
        )
        found = worst_mixture(torch.from_numpy(products)[None], c)[0].numpy()
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1)
        assert dual(found, products, c) <= exact.fun + 0.005


def test_cagrads_step_stays_in_its_radius_and_helps_the_worst_task_more_than_the_mean_gradient():
    for seed in range(5):
        gradients = torch.randn(4, 60, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).float()
        c = 0.5
        mean = gradients.mean(0)
        direction = combined(make("cagrad", 4, cagrad={"c": c}), gradients) * (1 + c**2)
        assert float((direction - mean).norm()) == pytest.approx(c * float(mean.norm()), rel=1e-4)
        assert (gradients @ direction).min() > (gradients @ mean).min()


@pytest.mark.parametrize("method", ["pcgrad", "cagrad"])
def test_without_conflict_or_radius_a_step_is_that_of_mt_sac(method, monkeypatch):
    """The tasks' gradients are those of the losses: taken together they are the gradient of the mean loss."""
    agent, plain = make(method), make("mt_sac")
    if method == "pcgrad":
        monkeypatch.setattr(
            type(agent.gradient_rule), "weigh", lambda _, products: products.new_full(products.shape[:2], 1 / 3)
        )
    else:
        agent = make(method, cagrad={"c": 0})
    batch = random_batch(3, 8)
    for _ in range(3):
        ours, theirs = agent.gradient_step(batch), plain.gradient_step(batch)
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    for network in ("policy", "critic", "target_critic"):
        torch.testing.assert_close(getattr(agent, network).flat, getattr(plain, network).flat, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("method", ["pcgrad", "cagrad"])
def test_each_network_is_treated_by_itself(method):
    agent = make(method)
    gradients = torch.randn(2, 3, 20, generator=torch.Generator().manual_seed(3))
    state = agent.rngs["surgery"].get_state() if method == "pcgrad" else None
    both = agent.gradient_rule.weigh((gradients @ gradients.mT).double())
    if state is not None:
        agent.rngs["surgery"].set_state(state)
    first = agent.gradient_rule.weigh((gradients[:1] @ gradients[:1].mT).double())
    torch.testing.assert_close(both[:1], first)
    assert not torch.allclose(both[0], both[1])
