"""The masked networks against a plain reference: every task by itself, one-hot multiplied out, zeros multiplied in."""

import pytest
import torch

from must.masks import MaskLayout, SubNetworks, UnitMasks, WeightMasks
from must.networks import MaskedMLP, apply_task_parameters
from tests.helpers import relative_error

IN_DIM, OUT_DIM = 5, 3
HIDDEN = [13, 7, 10]


def make(n_members: int, n_tasks: int, dtype: torch.dtype, hidden=HIDDEN) -> MaskedMLP:
    torch.manual_seed(0)
    network = MaskedMLP(n_members, IN_DIM, n_tasks, hidden, OUT_DIM).to(dtype)
    for bias in network.biases:  # equal biases would hide a bias that is taken from the wrong place
        torch.nn.init.normal_(bias)
    return network


def layout(network: MaskedMLP, granularity: str, mask_biases: bool = False) -> MaskLayout:
    return MaskLayout(granularity, IN_DIM, OUT_DIM, network.weight_shapes, mask_biases)


def reference(network: MaskedMLP, masks, inputs: torch.Tensor) -> torch.Tensor:
    n_tasks, n_rows, _ = inputs.shape
    outputs = []
    for member in range(network.weights[0].shape[0]):
        for task in range(n_tasks):
            one_hot = torch.zeros(n_rows, n_tasks, dtype=inputs.dtype)
            one_hot[:, task] = 1
            hidden = torch.cat((inputs[task], one_hot), dim=1)
            for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
                weight, bias = weight[member], bias[member]
                if isinstance(masks, WeightMasks):
                    weight = weight * masks.weights[layer][member, task]
                    bias = bias if masks.biases is None else bias * masks.biases[layer][member, task]
                hidden = hidden @ weight + bias
                if layer < len(network.weights) - 1:
                    hidden = hidden.relu()
                    if isinstance(masks, UnitMasks | SubNetworks):
                        hidden = hidden * masks.units[layer][member, task]
            outputs.append(hidden)
    return torch.stack(outputs).view(-1, n_tasks, n_rows, OUT_DIM)


def random_masks(network, granularity, ratio, n_members, n_tasks, mask_biases=False):
    generator = torch.Generator().manual_seed(3)
    made = layout(network, granularity, mask_biases).random(n_members, n_tasks, ratio, generator, torch.device("cpu"))
    dtype = network.weights[0].dtype
    if isinstance(made, WeightMasks):
        biases = None if made.biases is None else tuple(mask.to(dtype) for mask in made.biases)
        return WeightMasks(tuple(mask.to(dtype) for mask in made.weights), biases)
    return made


@pytest.mark.parametrize("ratio", [0.0, 0.37, 0.95])
@pytest.mark.parametrize(("n_members", "n_tasks"), [(1, 1), (2, 1), (1, 3), (2, 4)])
@pytest.mark.parametrize("kind", ["dense", "weight", "weight and bias", "neuron", "neuron gates"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_outputs_and_gradients_match_the_reference(kind, n_members, n_tasks, ratio, dtype, tolerance):
    network = make(n_members, n_tasks, dtype)
    masks = None
    if kind.startswith("weight"):
        masks = random_masks(network, "weight", ratio, n_members, n_tasks, kind == "weight and bias")
    elif kind.startswith("neuron"):
        masks = random_masks(network, "neuron", ratio, n_members, n_tasks)
        if kind == "neuron gates":
            masks = UnitMasks(tuple(mask.to(dtype) for mask in masks.units))
    rng = torch.Generator().manual_seed(4)
    inputs = torch.randn(n_tasks, 6, IN_DIM, generator=rng, dtype=dtype)
    direction = torch.randn(n_members, n_tasks, 6, OUT_DIM, generator=rng, dtype=dtype)

    outputs = apply_task_parameters(network.task_parameters(masks), inputs)
    gradients = torch.autograd.grad((outputs * direction).sum(), list(network.parameters()))
    expected = reference(network, masks, inputs)
    expected_gradients = torch.autograd.grad((expected * direction).sum(), list(network.parameters()))

    assert relative_error(outputs, expected) < tolerance
    for gradient, wanted in zip(gradients, expected_gradients, strict=True):
        assert (gradient - wanted).norm() <= tolerance * wanted.norm().clamp_min(1e-6)


def test_a_sub_network_is_smaller_than_the_network():
    network = make(2, 3, torch.float32, [40, 40])
    masks = random_masks(network, "neuron", 0.8, 2, 3)
    shapes = [tuple(weight.shape) for weight in network.task_parameters(masks).weights]
    assert shapes == [(2, 3, IN_DIM, 8), (2, 3, 8, 8), (2, 3, 8, OUT_DIM)]


def test_the_gradient_reaches_units_that_are_not_kept():
    network = make(1, 2, torch.float64)
    gates = tuple(mask.double().requires_grad_() for mask in random_masks(network, "neuron", 0.5, 1, 2).units)
    inputs = torch.randn(2, 6, IN_DIM, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    apply_task_parameters(network.task_parameters(UnitMasks(gates)), inputs).square().sum().backward()
    for gate in gates:
        pruned = gate.detach() == 0
        assert (gate.grad[pruned] != 0).any()


@pytest.mark.parametrize(("init", "fan"), [("fan_in", 9), ("original", 13)])
def test_initial_parameters(init, fan):
    torch.manual_seed(0)
    network = MaskedMLP(2, IN_DIM, 4, HIDDEN, OUT_DIM, init)
    bound = fan**-0.5
    assert 0.9 * bound < network.weights[0].abs().max() <= bound
    assert all((bias == 0.1).all() for bias in network.biases[:-1])
    assert max(network.weights[-1].abs().max(), network.biases[-1].abs().max()) <= 3e-3
    assert not torch.equal(network.weights[0][0], network.weights[0][1])


@pytest.mark.parametrize("granularity", ["weight", "neuron"])
def test_masks_survive_being_taken_apart_and_put_together(granularity):
    from must.masks import mask_tensors

    network = make(2, 3, torch.float32)
    masks = random_masks(network, granularity, 0.37, 2, 3)
    again = layout(network, granularity).from_tensors([tensor.bool() for tensor in mask_tensors(masks)])
    inputs = torch.randn(3, 4, IN_DIM, generator=torch.Generator().manual_seed(0))
    first, second = (apply_task_parameters(network.task_parameters(m), inputs) for m in (masks, again))
    assert torch.equal(first, second)
