"""What a device computes is what the CPU computes, for every method, in double precision; and nothing but numbers.

With `make test-gpu` the device is a GPU. With `make test` it is the CPU, so that these checks are known to work.
"""

import io
import os

import numpy as np
import pytest
import torch

from must.masks import MaskLayout
from must.networks.mlp import MaskedMLP, cut_out
from tests.gpu.conftest import VARIABLE
from tests.support.agents import CPU
from tests.support.helpers import random_masks
from tests.support.learner import Learner, assert_close, on_host
from tests.support.methods import KINDS

EVERY = [kind for kind in KINDS if "normalised" not in kind or kind.startswith(("must,", "mt_sac", "t3s"))]
if VARIABLE not in os.environ:
    EVERY = ["must", "must, saliency, heads", "mt_sac", "pcgrad"]  # that is enough to know that the checks work
EXACT = 1e-7
"""Relative error in double precision after some epochs: products are summed in another order."""


@pytest.fixture
def double(monkeypatch):
    """Compute in double precision, with random numbers that are the same on every device."""
    on_host(monkeypatch)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("kind", EVERY)
def test_gradient_steps_and_mask_updates(kind, device):
    """Two epochs: with ordinary steps, and where masks are learned with those and with steps in which they fade."""
    reference, ours = (Learner(kind, place, draws_on_host=True) for place in (CPU, device))
    assert_close(ours.epochs(range(1, 3)), reference.epochs(range(1, 3)), rtol=EXACT)
    assert_close(ours.agent.masks.masks_state(), reference.agent.masks.masks_state(), rtol=0)
    state, expected = ours.agent.snapshot(), reference.agent.snapshot()
    for part in ("policy", "critic", "target_critic", "log_alpha"):
        assert_close(state[part], expected[part], rtol=EXACT)


@pytest.mark.parametrize("kind", EVERY)
def test_inference_and_checkpoints(kind, device):
    """A checkpoint of the device goes on as if nothing had been, on the device; and its policy acts on the CPU."""
    ours = Learner(kind, device)
    ours.epochs(range(1, 3))
    file = io.BytesIO()
    torch.save(ours.agent.snapshot(), file)
    file.seek(0)
    again = Learner(kind, device)
    again.agent.restore(torch.load(file, weights_only=True, map_location="cpu"))
    observations = np.random.default_rng(0).normal(size=(3, 39)).astype("f")
    actions = [each.agent.numpy_policy().act(observations, None) for each in (ours, again)]
    assert np.array_equal(*actions)
    function = ours.agent.policy.task_parameters(ours.agent.mask_set.policy)
    with torch.no_grad():
        outputs = function.forward(torch.from_numpy(observations)[:, None].to(device))[0, :, 0, :4].tanh()
    assert np.allclose(actions[0], outputs.cpu().numpy(), atol=1e-5)
    assert_close(again.epochs(range(3, 4)), ours.epochs(range(3, 4)), rtol=0)


@pytest.mark.usefixtures("double")
def test_the_gradient_of_sub_networks(device):
    network = MaskedMLP(2, 7, 4, (12, 9), 3)
    layout = MaskLayout("neuron", network.in_dim, network.out_dim, network.weight_shapes, mask_biases=False)
    units = [tensor.double() for tensor in random_masks(layout, 0.5, 2, 4).units]
    gradients = []
    for place in (CPU, device):
        network.to(place)
        cut = cut_out(network.flat, layout.from_tensors([tensor.to(place) for tensor in units]))
        weights = torch.randn(cut.shape, generator=torch.Generator().manual_seed(1)).to(place)
        gradients.append(torch.autograd.grad((cut * weights).sum(), network.flat)[0].cpu())
    torch.testing.assert_close(*gradients, rtol=1e-14, atol=1e-14)
