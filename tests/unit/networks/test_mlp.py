"""The masked networks against a plain reference: every task by itself, one-hot multiplied out, zeros multiplied in."""

import pytest
import torch

from must.masks import MaskLayout, SubNetworks, UnitMasks, WeightMasks
from must.networks import HiddenLayers, MaskedMLP, apply_task_parameters, apply_to_pair
from tests.support.helpers import random_masks as drawn_masks
from tests.support.helpers import relative_error

IN_DIM, OUT_DIM = 5, 3
HIDDEN = [13, 7, 10]


def make(n_members: int, n_tasks: int, dtype: torch.dtype, hidden=HIDDEN, norm: bool = False) -> MaskedMLP:
    torch.manual_seed(0)
    network = MaskedMLP(n_members, IN_DIM, n_tasks, hidden, OUT_DIM, HiddenLayers(layer_norm=norm)).to(dtype)
    with torch.no_grad():
        for bias in network.biases:  # equal biases would hide a bias that is taken from the wrong place
            bias.normal_()
    return network


def layout(network: MaskedMLP, granularity: str, mask_biases: bool = False) -> MaskLayout:
    return MaskLayout(granularity, IN_DIM, OUT_DIM, network.weight_shapes, mask_biases)


def normalised(values: torch.Tensor, gates: torch.Tensor | None) -> torch.Tensor:
    """Normalise (B, H) over the units that gates (H,) keep, or over all; no gradient goes to the gates from here."""
    kept = values if gates is None else values[:, gates.detach() == 1]
    variance, mean = torch.var_mean(kept, 1, correction=0, keepdim=True)
    return (values - mean) / (variance + 1e-5).sqrt()


def reference(network: MaskedMLP, masks, inputs: torch.Tensor, norm: bool = False) -> torch.Tensor:
    n_tasks, n_rows, _ = inputs.shape
    weight_masks, bias_masks = taken_apart(network, masks)
    outputs = []
    for member in range(network.weights[0].shape[0]):
        for task in range(n_tasks):
            one_hot = torch.zeros(n_rows, n_tasks, dtype=inputs.dtype)
            one_hot[:, task] = 1
            hidden = torch.cat((inputs[task], one_hot), dim=1)
            for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
                weight, bias = weight[member], bias[member]
                if weight_masks:
                    weight = weight * weight_masks[layer][member, task].view_as(weight)
                if bias_masks:
                    bias = bias * bias_masks[layer][member, task]
                hidden = hidden @ weight + bias
                if layer < len(network.weights) - 1:
                    of_units = isinstance(masks, UnitMasks | SubNetworks)
                    gates = masks.units[layer][member, task] if of_units else None
                    hidden = normalised(hidden, gates).relu() if norm else hidden.relu()
                    hidden = hidden if gates is None else hidden * gates
            outputs.append(hidden)
    return torch.stack(outputs).view(-1, n_tasks, n_rows, OUT_DIM)


def taken_apart(network: MaskedMLP, masks) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the masks of each layer's weights, and of its biases where they are masked."""
    if not isinstance(masks, WeightMasks):
        return [], []
    sizes = [rows * columns for rows, columns in network.weight_shapes]
    n_layers, n_elements = len(sizes), masks.elements.shape[2]
    if n_elements > sum(sizes):
        sizes += [columns for _, columns in network.weight_shapes]
    parts = masks.elements.split(sizes, dim=2)
    return list(parts[:n_layers]), list(parts[n_layers:])


def random_masks(network, granularity, ratio, n_members, n_tasks, mask_biases=False):
    made = drawn_masks(layout(network, granularity, mask_biases), ratio, n_members, n_tasks)
    dtype = network.weights[0].dtype
    return WeightMasks(made.elements.to(dtype)) if isinstance(made, WeightMasks) else made


def made_masks(network: MaskedMLP, kind: str, n_members: int, n_tasks: int, ratio: float):
    """Return masks of a kind, and those of their tensors that can be learned."""
    if kind == "dense":
        return None, []
    granularity, _, variant = kind.partition(", ")
    masks = random_masks(network, granularity, ratio, n_members, n_tasks, variant == "biases too")
    if isinstance(masks, WeightMasks):
        masks.elements.requires_grad_()
        return masks, [masks.elements]
    if variant == "learned":
        units = tuple(mask.to(network.flat.dtype).requires_grad_() for mask in masks.units)
        return UnitMasks(units), list(units)
    return masks, []


EVERY_KIND = pytest.mark.parametrize(
    ("kind", "ratio"),
    [("dense", 0.0)]
    + [
        (kind, ratio)
        for kind in ("weight", "weight, biases too", "neuron", "neuron, learned")
        for ratio in (0.0, 0.37, 0.95)
    ],
)
EVERY_SIZE = pytest.mark.parametrize(("n_members", "n_tasks"), [(1, 1), (2, 1), (1, 3), (2, 4)])
NORMS = pytest.mark.parametrize("norm", [False, True], ids=["plain", "layer norm"])
PRECISIONS = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])


def random_tensor(*shape: int, dtype: torch.dtype, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def assert_close(values, wanted, tolerance: float) -> None:
    for value, reference_value in zip(values, wanted, strict=True):
        assert value.shape == reference_value.shape
        assert (value - reference_value).norm() <= tolerance * reference_value.norm().clamp_min(1e-6)


@EVERY_SIZE
@EVERY_KIND
@NORMS
@PRECISIONS
def test_outputs_and_gradients_match_the_reference(kind, ratio, norm, n_members, n_tasks, dtype, tolerance):
    network = make(n_members, n_tasks, dtype, norm=norm)
    masks, learned = made_masks(network, kind, n_members, n_tasks, ratio)
    inputs = random_tensor(n_tasks, 6, IN_DIM, dtype=dtype, seed=4).requires_grad_()
    direction = random_tensor(n_members, n_tasks, 6, OUT_DIM, dtype=dtype, seed=5)
    receivers = [network.flat, inputs, *learned]

    outputs = apply_task_parameters(network.task_parameters(masks), inputs)
    expected = reference(network, masks, inputs, norm)

    assert relative_error(outputs, expected) < tolerance
    gradients = torch.autograd.grad((outputs * direction).sum(), receivers)
    assert_close(gradients, torch.autograd.grad((expected * direction).sum(), receivers), tolerance)


@EVERY_SIZE
@EVERY_KIND
@NORMS
@PRECISIONS
def test_two_batches_in_one_pass_have_gradients_of_different_kinds(
    kind, ratio, norm, n_members, n_tasks, dtype, tolerance
):
    network = make(n_members, n_tasks, dtype, norm=norm)
    masks, learned = made_masks(network, kind, n_members, n_tasks, ratio)
    first = random_tensor(n_tasks, 6, IN_DIM, dtype=dtype, seed=4).requires_grad_()
    second = random_tensor(n_tasks, 6, IN_DIM, dtype=dtype, seed=5).requires_grad_()
    direction = random_tensor(2, n_members, n_tasks, 6, OUT_DIM, dtype=dtype, seed=6)
    learned_tensors = [network.flat, *learned]
    alone, other = reference(network, masks, first, norm), reference(network, masks, second, norm)
    of_first = torch.autograd.grad((alone * direction[0]).sum(), learned_tensors)
    of_second = torch.autograd.grad((other * direction[1]).sum(), [second])

    def outputs():
        both = apply_to_pair(network.task_parameters(masks), first, second)
        assert_close(both, (alone, other), tolerance)
        return both[0] * direction[0], both[1] * direction[1]

    one, two = outputs()
    gradients = torch.autograd.grad(one.sum() + two.sum(), [*learned_tensors, second, first], allow_unused=True)
    assert gradients[-1] is None  # the first batch teaches the parameters only
    assert_close(gradients[:-1], [*of_first, *of_second], tolerance)
    assert_close(torch.autograd.grad(outputs()[0].sum(), learned_tensors), of_first, tolerance)
    (gradient,) = torch.autograd.grad(outputs()[1].sum(), [second])
    assert_close([gradient], of_second, tolerance)


def test_a_sub_network_is_smaller_than_the_network():
    network = make(2, 3, torch.float32, [40, 40])
    masks = random_masks(network, "neuron", 0.8, 2, 3)
    shapes = [tuple(weight.shape) for weight in network.task_parameters(masks).weights]
    assert shapes == [(2, 3, IN_DIM, 8), (2, 3, 8, 8), (2, 3, 8, OUT_DIM)]


@NORMS
def test_the_gradient_reaches_units_that_are_not_kept(norm):
    network = make(1, 2, torch.float64, norm=norm)
    gates = tuple(mask.double().requires_grad_() for mask in random_masks(network, "neuron", 0.5, 1, 2).units)
    inputs = torch.randn(2, 6, IN_DIM, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    apply_task_parameters(network.task_parameters(UnitMasks(gates)), inputs).square().sum().backward()
    for gate in gates:
        pruned = gate.detach() == 0
        assert (gate.grad[pruned] != 0).any()


@NORMS
@EVERY_SIZE
def test_learning_masks_and_acting_with_them_is_the_same_function(n_members, n_tasks, norm):
    network = make(n_members, n_tasks, torch.float64, norm=norm)
    published = random_masks(network, "neuron", 0.5, n_members, n_tasks)
    learned = UnitMasks(tuple(mask.double() for mask in published.units))
    inputs = random_tensor(n_tasks, 6, IN_DIM, dtype=torch.float64, seed=4)
    outputs = [apply_task_parameters(network.task_parameters(masks), inputs) for masks in (published, learned)]
    assert relative_error(*outputs) < 1e-12


@pytest.mark.parametrize("kind", ["dense", "weight", "neuron", "neuron, learned"])
def test_with_layer_norm_the_size_of_hidden_weights_and_of_the_inputs_does_not_matter(kind):
    network = make(2, 3, torch.float64, norm=True)
    masks, _ = made_masks(network, kind, 2, 3, 0.5)
    inputs = random_tensor(3, 6, IN_DIM, dtype=torch.float64, seed=4)
    before = apply_task_parameters(network.task_parameters(masks), inputs)
    with torch.no_grad():
        for layer in range(len(HIDDEN)):
            network.weights[layer].mul_(1000)
            network.biases[layer].mul_(1000)
    assert relative_error(apply_task_parameters(network.task_parameters(masks), inputs), before) < 1e-3


@pytest.mark.parametrize(("init", "fan"), [("fan_in", 9), ("original", 13)])
def test_initial_parameters(init, fan):
    torch.manual_seed(0)
    network = MaskedMLP(2, IN_DIM, 4, HIDDEN, OUT_DIM, HiddenLayers(init))
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
