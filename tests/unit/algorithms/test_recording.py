"""Steps that are recorded once and run again are the steps that are taken one by one, over the mask sets of a run."""

import pytest
import torch

from must.masks import MaskLayout, SubNetworks, bounded_mask
from must.networks.mlp import MaskedMLP, cut_out
from tests.support.agents import assert_same
from tests.support.helpers import random_masks
from tests.support.learner import Learner, assert_close
from tests.support.methods import KINDS, NORMALISED
from tests.support.recording import GraphTwin

LEARNING = [kind for kind in KINDS if KINDS[kind]["method"] == "must" and kind not in NORMALISED]
OTHERS = [kind for kind in KINDS if KINDS[kind]["method"] != "must" and kind not in NORMALISED]


@pytest.fixture(autouse=True)
def as_on_a_device(monkeypatch):
    """Have the host look at no value on the way; and sub-networks know what they need where steps are recorded.

    On the CPU nothing has to set itself up, so fewer steps do.
    """
    monkeypatch.setattr("must.algorithms.steps.WARM_UP", 1)
    monkeypatch.setattr("tests.support.learner.STEPS", 3)
    monkeypatch.setattr("must.masks.topk.on_host", lambda _: False)


@pytest.mark.parametrize("kind", LEARNING + OTHERS)
def test_recorded_steps_are_those_taken_one_by_one(kind):
    plain, recorded = Learner(kind), Learner(kind, recorder=GraphTwin)
    numbers = range(1, 4) if kind in LEARNING else range(1, 3)
    assert_close(recorded.epochs(numbers), plain.epochs(numbers))
    assert_same(recorded.agent.masks.masks_state(), plain.agent.masks.masks_state())
    assert_close(recorded.agent.snapshot(), plain.agent.snapshot())
    kinds = len(recorded.steps._kinds)
    assert recorded.steps.recorded <= (2 if kind.startswith("magnitude") else kinds)  # dense before it is pruned


@pytest.mark.parametrize("masks", [{"hold_targets": False}, {"fade": False}, {"hold_targets": False, "fade": False}])
def test_recorded_steps_follow_renewals_of_every_way(masks):
    plain, recorded = (Learner("must", recorder=recorder, masks=masks) for recorder in (None, GraphTwin))
    assert_close(recorded.epochs(range(1, 6)), plain.epochs(range(1, 6)))
    assert_close(recorded.agent.snapshot(), plain.agent.snapshot())
    assert recorded.steps.recorded >= 2


def test_a_run_records_each_kind_of_step_once():
    learner = Learner("must", recorder=GraphTwin)
    learner.epochs(range(1, 7))
    assert learner.agent.mask_set.version > 3
    assert learner.steps.recorded == len(learner.steps._kinds) == 3 - (not ordinary_after_freeze(learner))
    learner.epochs(range(7, 11))
    assert learner.steps.recorded == 3


def ordinary_after_freeze(learner: Learner) -> bool:
    """Every epoch until the freeze is a mask update here, whose steps all fade."""
    return any(kind.name == "ORDINARY" for kind in learner.steps._kinds)


def test_the_twin_sees_what_a_graph_would_not(monkeypatch):
    """Without the copies to where the recording looks, a new mask set never reaches it."""
    monkeypatch.setattr("must.algorithms.steps.Inputs.take_over", lambda *_: True)
    plain, recorded = Learner("must"), Learner("must", recorder=GraphTwin)
    with pytest.raises(AssertionError):
        assert_close(recorded.epochs(range(1, 7)), plain.epochs(range(1, 7)))


def test_going_on_from_a_snapshot_is_going_on():
    whole, first, second = (Learner("must", recorder=GraphTwin) for _ in range(3))
    expected = whole.epochs(range(1, 7))
    reported = first.epochs(range(1, 4))
    second.agent.restore(first.agent.snapshot())
    assert_close(reported + second.epochs(range(4, 7)), expected)


def test_a_bound_that_only_the_device_knows_gives_the_same_masks():
    rng = torch.Generator().manual_seed(0)
    for n, k in ((20, 5), (20, 15), (7, 1), (8, 7)):
        scores, before = torch.randn(2, 4, 3, n, generator=rng)
        published = (before >= before.kthvalue(n - k + 1, keepdim=True).values).float()
        for most in range(1, n + 1):
            expected = bounded_mask(scores, published, k, most)
            assert torch.equal(bounded_mask(scores, published, k, torch.tensor(most)), expected)


def test_the_gradient_of_sub_networks_is_the_sum_over_tasks():
    """As on a GPU against as on the CPU, in double precision."""
    network = MaskedMLP(2, 7, 4, (12, 9), 3).double()
    masks = random_masks_of(network)
    assert masks.own_places is not None
    gradients = []
    for each in (masks, masks._replace(own_places=None)):
        cut = cut_out(network.flat, each)
        weights = torch.randn(cut.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        gradients += torch.autograd.grad((cut * weights).sum(), network.flat)
    torch.testing.assert_close(*gradients, rtol=1e-14, atol=1e-14)
    assert gradients[0].count_nonzero() > 100


def random_masks_of(network: MaskedMLP) -> SubNetworks:
    layout = MaskLayout("neuron", network.in_dim, network.out_dim, network.weight_shapes, mask_biases=False)
    masks = random_masks(layout, 0.5, 2, 4)
    assert isinstance(masks, SubNetworks)
    return masks
