import math
from itertools import pairwise

import pytest
import torch

from must.config import GeneratorConfig
from must.masks import MaskLayout, kept, top_k_mask
from must.masks.overlap import mean_overlap
from must.methods.must.encoder import TrajectoryEncoder
from must.methods.must.generators import make_generator
from must.networks import MaskedMLP
from must.networks.tanh_normal import sample


def scaled(rows: torch.Tensor) -> torch.Tensor:
    return (rows - rows.mean(-1, keepdim=True)) / rows.std(-1, keepdim=True, correction=0)


FULL = [(49, 400), (400, 400), (400, 400), (400, 8)]


def layout(granularity: str, shapes=FULL, mask_biases=False) -> MaskLayout:
    return MaskLayout(granularity, shapes[0][0] - 10, shapes[-1][1], tuple(shapes), mask_biases)


@pytest.mark.parametrize("n_tasks", [1, 3, 10])
@pytest.mark.parametrize("trajectory_info", [False, True])
@pytest.mark.parametrize(
    ("granularity", "head", "mask_biases"),
    [
        ("neuron", None, False),
        ("weight", "dense", False),
        ("weight", "factorised", False),
        ("weight", "dense", True),
        ("weight", "factorised", True),
    ],
)
def test_scores_have_the_shapes_of_the_masked_tensors(granularity, head, mask_biases, trajectory_info, n_tasks):
    made = layout(granularity, [(15, 6), (6, 5), (5, 8)], mask_biases)
    config = GeneratorConfig(head=head, hidden_size=16, use_trajectory_info=trajectory_info)
    generator = make_generator(made, n_tasks, config)
    scores = generator(torch.eye(n_tasks), torch.randn(n_tasks, 16) if trajectory_info else None)
    assert [tuple(s.shape) for s in scores] == [(n_tasks, math.prod(shape)) for shape in made.shapes]


def test_factorised_scores_are_products_of_row_and_column_vectors():
    torch.manual_seed(0)
    generator = make_generator(layout("weight", [(15, 6), (6, 8)]), 2, GeneratorConfig(head="factorised", rank=3))
    inputs = torch.eye(2), torch.randn(2, 256)
    values = generator.heads[0](generator.trunk(*inputs)).view(2, 21, 3)
    expected = torch.einsum("kir,kjr->kij", values[:, :15], values[:, 15:])
    assert torch.allclose(generator(*inputs)[0], scaled(expected.flatten(1)), atol=1e-5)
    assert torch.linalg.matrix_rank(expected[0]) == 3


def test_neuron_scores_follow_the_chain_layer_after_layer():
    torch.manual_seed(0)
    generator = make_generator(layout("neuron", [(15, 6), (6, 5), (5, 8)]), 3, GeneratorConfig(hidden_size=16))
    one_hot, encoding = torch.eye(3), torch.randn(3, 16)
    of_task = scaled(scaled((one_hot @ generator.of_task.weight.T).relu()) @ generator.embed.weight.T)
    e = scaled(scaled(encoding) * of_task)
    first = scaled(e @ generator.down[0].weight.T)
    e2 = scaled((first @ generator.up[0].weight.T) * e)
    second = scaled(e2 @ generator.down[1].weight.T)
    scores = generator(one_hot, encoding)
    assert torch.allclose(scores[0], first, atol=1e-5)
    assert torch.allclose(scores[1], second, atol=1e-5)
    without = generator(one_hot, None)
    assert torch.allclose(without[0], scaled(of_task @ generator.down[0].weight.T), atol=1e-5)


@pytest.mark.parametrize(
    ("granularity", "head", "smallest", "largest"),
    [
        ("weight", "dense", 80e6, 90e6),
        ("weight", "factorised", 3e6, 13e6 / 3),
        ("neuron", None, 0, 2e6 / 3),
    ],
)
def test_parameters_of_a_full_size_generator(granularity, head, smallest, largest):
    with torch.device("meta"):
        generator = make_generator(layout(granularity), 10, GeneratorConfig(head=head))
    assert smallest < sum(p.numel() for p in generator.parameters()) < largest


HEADS = [("neuron", None), ("weight", "dense"), ("weight", "factorised")]


@pytest.mark.parametrize(("granularity", "head"), HEADS)
def test_scores_of_every_layer_have_one_scale_whatever_depth_width_and_encoding(granularity, head):
    torch.manual_seed(0)
    for widths in ([400] * 3, [30, 7, 100, 100, 30, 30]):
        shapes = list(pairwise((49, *widths, 8)))
        generator = make_generator(layout(granularity, shapes, granularity == "weight"), 10, GeneratorConfig(head=head))
        for encoding in (None, 1e-8 * torch.randn(10, 256), 1e-2 * torch.randn(1, 256).expand(10, -1) + 1):
            for scores in generator(torch.eye(10), encoding):
                assert torch.allclose(scores.mean(1), torch.zeros(10), atol=1e-4)
                assert torch.allclose(scores.std(1, correction=0), torch.ones(10), atol=1e-4)


@pytest.mark.parametrize("ratio", [0.5, 0.8])
@pytest.mark.parametrize(("granularity", "head"), HEADS)
def test_tasks_start_with_masks_of_their_own(granularity, head, ratio):
    """Of two tasks with the same encoding, and of two without one, masks overlap about as much as random ones do."""
    torch.manual_seed(0)
    generator, by_chance = (
        make_generator(layout(granularity), 10, GeneratorConfig(head=head)),
        (1 - ratio) / (1 + ratio),
    )
    for encoding, most in ((None, 1.1), (0.1 * torch.randn(1, 256).expand(10, -1), 2.4)):
        scores = generator(torch.eye(10), encoding)
        masks = torch.cat([top_k_mask(each, kept(each.shape[1], ratio)) for each in scores], dim=1)
        assert mean_overlap({"policy": masks.bool()}) < most * by_chance


def test_an_encoding_depends_on_time_order_and_on_its_own_task_only():
    torch.manual_seed(0)
    encoder = TrajectoryEncoder(39, 16)
    trajectories = torch.randn(3, 20, 39)
    encoded = encoder(trajectories)
    assert encoded.shape == (3, 16)
    other = trajectories.clone()
    other[1] += 1
    changed = encoder(other)
    assert torch.equal(encoded[[0, 2]], changed[[0, 2]])
    assert not torch.allclose(encoded[1], changed[1], atol=1e-4)
    assert not torch.allclose(encoded, encoder(trajectories.flip(1)), atol=1e-4)


def test_the_encoder_is_the_backward_direction_of_a_bidirectional_lstm():
    torch.manual_seed(0)
    encoder = TrajectoryEncoder(7, 5)
    both = torch.nn.LSTM(7, 5, batch_first=True, bidirectional=True)
    for name, value in encoder.lstm.named_parameters():
        getattr(both, f"{name}_reverse").data.copy_(value.data)
    trajectories = torch.randn(2, 9, 7)
    assert torch.allclose(encoder(trajectories), both(trajectories)[0][..., 5:].mean(1), atol=1e-6)


def test_tanh_normal_matches_torchs_own_distribution():
    from torch.distributions import Independent, Normal, TransformedDistribution
    from torch.distributions.transforms import TanhTransform

    torch.manual_seed(0)
    outputs, noise = 0.5 * torch.randn(50, 8, dtype=torch.float64), torch.randn(50, 4, dtype=torch.float64)
    actions, log_probs = sample(outputs, noise)
    mean, log_std = outputs.chunk(2, -1)
    normal = Normal(mean, log_std.clamp(-20, 2).exp())
    squashed = Independent(TransformedDistribution(normal, TanhTransform(cache_size=1)), 1)
    assert torch.allclose(actions, torch.tanh(mean + log_std.clamp(-20, 2).exp() * noise))
    assert torch.allclose(log_probs, squashed.log_prob(actions), atol=1e-6)


def test_log_probabilities_of_extreme_actions_are_finite():
    outputs = torch.tensor([[50.0, -50, 0, 1e4, 10, -50, 3, 2]])
    actions, log_probs = sample(outputs, torch.full((1, 4), 3.0))
    assert log_probs.isfinite().all()
    assert actions.abs().max() <= 1


def test_members_and_layers_of_a_network():
    network = MaskedMLP(2, 43, 10, [400, 400, 400], 1)
    assert network.weight_shapes == ((53, 400), (400, 400), (400, 400), (400, 1))
