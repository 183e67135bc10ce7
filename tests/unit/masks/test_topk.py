import pytest
import torch

from must.masks import gumbel_noise, kept, standardise, straight_through, top_k_mask
from must.masks.topk import random_mask


def reference_mask(scores: torch.Tensor, k: int) -> torch.Tensor:
    order = torch.sort(scores, dim=-1, descending=True, stable=True).indices[..., :k]
    return torch.zeros_like(scores).scatter_(-1, order, 1.0)


@pytest.mark.parametrize("n", [1, 2, 7, 400, 4001])
@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.37, 0.5, 0.95, 0.999])
def test_keeps_exactly_the_k_highest(n, ratio):
    scores = torch.randn(3, 5, n, generator=torch.Generator().manual_seed(n))
    k = kept(n, ratio)
    mask = top_k_mask(scores, k)
    assert torch.equal(mask, reference_mask(scores, k))
    assert (mask.sum(-1) == k).all()


@pytest.mark.parametrize("kind", ["normal", "uniform", "sorted", "few values", "stripes", "one value", "double"])
@pytest.mark.parametrize("k", [1, 2, 300, 20_000, 39_000, 39_999, 40_000])
def test_keeps_exactly_the_k_highest_of_very_many_however_they_lie(kind, k):
    generator = torch.Generator().manual_seed(k)
    scores = torch.randn(3, 40_000, generator=generator)
    if kind == "uniform":
        scores = torch.rand(3, 40_000, generator=generator)
    elif kind == "sorted":
        scores = scores.sort().values
    elif kind == "few values":
        scores = scores.round()
    elif kind == "stripes":  # the sample sees one of nine elements, which are unlike the others
        scores[:, ::9] += 10
    elif kind == "one value":
        scores = torch.ones(3, 40_000)
    elif kind == "double":
        scores = scores.double()
    assert torch.equal(top_k_mask(scores, k), reference_mask(scores, k))


def test_ties_go_to_the_lower_index():
    scores = torch.tensor([[1.0, 2.0, 1.0, 1.0, 0.0], [3.0, 3.0, 3.0, 3.0, 3.0]])
    assert top_k_mask(scores, 3).tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0]]
    many = torch.randint(0, 4, (6, 500), generator=torch.Generator().manual_seed(0)).float()
    for k in (1, 100, 250, 499, 500):
        assert torch.equal(top_k_mask(many, k), reference_mask(many, k))


@pytest.mark.parametrize(
    ("n", "ratio", "expected"), [(8, 0.95, 1), (1, 0.5, 1), (400, 0.95, 20), (10, 0.25, 8), (3, 0, 3)]
)
def test_number_kept_is_rounded_and_at_least_one(n, ratio, expected):
    assert kept(n, ratio) == expected


@pytest.mark.parametrize("relaxation", ["sigmoid", "softmax"])
def test_straight_through_is_exact_forward_and_soft_backward(relaxation):
    scores = torch.randn(4, 100, dtype=torch.float32, generator=torch.Generator().manual_seed(1)).requires_grad_()
    mask = straight_through(scores, 30, 0.5, relaxation)
    assert torch.equal(mask.detach(), reference_mask(scores.detach(), 30))
    direction = torch.randn(mask.shape, generator=torch.Generator().manual_seed(2))
    (mask * direction).sum().backward()
    border = scores.detach().sort(descending=True).values[:, 29:30]
    soft = torch.sigmoid((scores - border) / 0.5) if relaxation == "sigmoid" else torch.softmax(scores / 0.5, -1)
    (expected,) = torch.autograd.grad((soft * direction).sum(), scores)
    assert torch.allclose(scores.grad, expected)
    assert (scores.grad != 0).all()


def test_random_masks_have_exact_density():
    mask = random_mask((2, 3, 1001), 0.37, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert (mask.sum(-1) == kept(1001, 0.37)).all()
    assert not torch.equal(mask[0, 0], mask[0, 1])


def test_standardising_keeps_the_order_and_sets_the_scale():
    scores = 1e-4 * torch.randn(3, 200, generator=torch.Generator().manual_seed(0)) + 1e-3
    scaled = standardise(scores)
    assert torch.allclose(scaled.mean(-1), torch.zeros(3), atol=1e-3)
    assert torch.allclose(scaled.std(-1), torch.ones(3), atol=2e-2)
    assert torch.equal(top_k_mask(scaled, 50), top_k_mask(scores, 50))


def test_gumbel_noise_has_its_moments():
    noise = gumbel_noise(torch.Size((200_000,)), torch.Generator().manual_seed(0), torch.device("cpu"))
    assert noise.isfinite().all()
    assert float(noise.mean()) == pytest.approx(0.5772, abs=0.01)
    assert float(noise.var()) == pytest.approx(1.6449, abs=0.03)
