"""Controls that are given as much as a sparse network: as many multiplications, or as many parameters."""

from __future__ import annotations

from itertools import pairwise

import pytest

from must.algorithms import make_agent
from must.config import METHODS, parse_experiment
from must.errors import ConfigError
from must.masks import kept
from must.methods.equal_cost.network import equal_cost_sizes
from must.methods.magnitude.masks import shares
from must.sizes import sizes
from tests.support.agents import CPU
from tests.support.helpers import small_config
from tests.support.methods import learn, settings

RATIOS = [0.1, 0.5, 0.8, 0.9, 0.95]


def make(method: str, ratio: float, n_tasks: int = 3, **sections):
    sections = {"masks": {"pruning_ratio": ratio, "granularity": sections.pop("granularity", "neuron")}} | sections
    return make_agent(small_config(**settings(method, n_tasks, **sections)), CPU)


@pytest.mark.parametrize("n_tasks", range(1, 11))
@pytest.mark.parametrize("ratio", RATIOS)
def test_a_network_of_the_kept_units_costs_exactly_what_a_task_of_neuron_masks_does(ratio, n_tasks):
    sparse, control = (make(method, ratio, n_tasks) for method in ("static_sparse", "equal_cost"))
    assert control.policy.hidden_sizes == control.critic.hidden_sizes == (kept(12, ratio), kept(9, ratio))
    ours, theirs = control.sizes(), sparse.sizes()
    for network in ("policy", "q"):
        assert ours[f"{network}_parameters"] == ours[f"{network}_parameters_kept"]
        assert ours[f"{network}_parameters"] == theirs[f"{network}_parameters_kept"]
    assert ours["flops_per_action"] == theirs["flops_per_action"]


@pytest.mark.parametrize("hidden_sizes", [[400, 400, 400], [400, 61, 400], [30, 7], [1]], ids=str)
@pytest.mark.parametrize("ratio", RATIOS)
def test_one_factor_comes_nearest_to_the_weights_of_weight_masks(ratio, hidden_sizes):
    def weights(hidden):
        widths = [39 + 10, *hidden, 8]
        return sum(one * other for one, other in pairwise(widths))

    network = {"network": {"hidden_sizes": hidden_sizes}, "masks": {"granularity": "weight", "pruning_ratio": ratio}}
    config = small_config(**settings("equal_cost", 10, **network))
    widths = [49, *hidden_sizes, 8]
    aim = sum(kept(one * other, ratio) for one, other in pairwise(widths))
    scaled = {tuple(max(1, round(step / 20_000 * size)) for size in hidden_sizes) for step in range(20_001)}
    chosen = equal_cost_sizes(config)
    assert abs(weights(chosen) - aim) <= min(abs(weights(sizes) - aim) for sizes in scaled)
    if min(hidden_sizes) > 50:
        assert weights(chosen) == pytest.approx(aim, rel=0.03)


def test_a_control_of_ratio_0_is_multi_task_sac():
    agent = make("equal_cost", 0.0)
    assert agent.policy.hidden_sizes == (12, 9)
    assert METHODS["equal_cost"].label == "MT-SAC, equal cost"


def test_what_a_weight_of_magnitude_pruning_may_keep_is_shared_by_all_layers():
    assert shares([100, 300], 40) == [10, 30]
    assert shares([1, 1000], 2) == [1, 1]
    assert shares([5, 5, 5], 7) in ([3, 2, 2], [2, 3, 2], [2, 2, 3])
    for total in range(3, 1011):
        counts = shares([10, 900, 100], total)
        assert sum(counts) == total
        assert all(1 <= count <= size for count, size in zip(counts, [10, 900, 100], strict=True))


@pytest.mark.parametrize("networks", ["actor", "both"])
@pytest.mark.parametrize("granularity", ["neuron", "weight"])
def test_magnitude_pruning_to_equal_parameters_leaves_as_many_as_the_masks(granularity, networks):
    magnitude = {"networks": networks, "budget": "parameters", "start": 0, "end": 0.6}
    network = {"hidden_sizes": [30, 30]}
    sparse = make("static_sparse", 0.6, granularity=granularity, network=network)
    agent = make("magnitude", 0.6, granularity=granularity, magnitude=magnitude, network=network)
    learn(agent, range(1, 11))
    ours, theirs = agent.sizes(), sparse.sizes()
    assert ours["policy_parameters_kept"] == theirs["policy_parameters_kept"]
    if networks == "both":
        assert ours["q_parameters_kept"] == theirs["q_parameters_kept"]
    else:
        assert ours["q_parameters_kept"] == ours["q_parameters"]
    elements = agent.mask_set.policy.elements
    biases = agent.policy.task_size().biases
    assert int(elements.sum()) + biases == ours["policy_parameters_kept"]
    assert ours["flops_per_action"] == 2 * int(elements.sum())
    assert int((agent.policy.flat != 0).sum()) <= ours["policy_parameters_kept"]
    sparsity = agent.end_learning(10)["sparsity"]
    assert sparsity == pytest.approx(1 - float(elements.mean()))


def test_sparsity_rises_from_nothing_to_that_of_equal_parameters():
    magnitude = {"budget": "parameters", "start": 0, "end": 0.8}
    agent = make("magnitude", 0.6, magnitude=magnitude, network={"hidden_sizes": [30, 30]})
    seen = []
    for number in range(1, 11):
        learn(agent, range(number, number + 1))
        seen.append(agent.end_learning(number)["sparsity"])
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[8] == seen[9]


def test_a_budget_that_biases_alone_exceed_is_refused():
    with pytest.raises(ConfigError, match="use a lower ratio"):
        make("magnitude", 0.99, magnitude={"budget": "parameters"}, network={"hidden_sizes": [400, 400, 400]})


def test_sizes_of_the_paper_are_those_worked_out_by_hand():
    data = {"env": {"benchmark": "MT10"}, "masks": {"granularity": "neuron"}}
    sweep = {"methods": ["magnitude", "equal_cost"], "magnitude_budgets": ["ratio", "parameters"]}
    rows = dict(sizes(parse_experiment(data | {"sweep": sweep | {"pruning_ratios": [0.9]}})))
    used = {name: numbers[1] for name, numbers in rows.items()}
    assert used == {
        "magnitude, budget ratio, pruning_ratio 0.9": 35_488,
        "magnitude, budget parameters, pruning_ratio 0.9": 5_608,
        "equal_cost, pruning_ratio 0.9": 5_608,
    }
