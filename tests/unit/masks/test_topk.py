import pytest
import torch

from must.masks import gumbel_noise, kept, standardise, straight_through, top_k_mask


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


@pytest.mark.parametrize(
    "kind", ["normal", "uniform", "sorted", "few values", "stripes", "one value", "double", "ruled out", "bounded"]
)
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
    elif kind == "stripes":
        scores[:, ::9] += 10
    elif kind == "one value":
        scores = torch.ones(3, 40_000)
    elif kind == "double":
        scores = scores.double()
    elif kind in ("ruled out", "bounded"):  # selection is slow where most of the values are the lowest one
        scores[:, torch.rand(40_000, generator=generator) < 0.8] = -torch.inf
        if kind == "bounded":
            scores[:, torch.rand(40_000, generator=generator) < 0.3] = torch.inf
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


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e-4, 1.0, 1e15])
def test_standardising_keeps_the_order_and_sets_the_scale_whatever_it_was(scale):
    scores = scale * torch.randn(3, 200, generator=torch.Generator().manual_seed(0))
    scaled = standardise(scores)
    assert torch.allclose(scaled.mean(-1), torch.zeros(3), atol=1e-5)
    assert torch.allclose(scaled.std(-1, correction=0), torch.ones(3), atol=1e-5)
    assert torch.equal(top_k_mask(scaled, 50), top_k_mask(scores, 50))
    assert torch.allclose(scaled, standardise(scores / scale), atol=1e-5)


def test_standardising_has_the_gradient_of_its_definition():
    scores = torch.randn(2, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    direction = torch.randn(2, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    plain = (scores - scores.mean(-1, keepdim=True)) / scores.std(-1, keepdim=True, correction=0)
    (expected,) = torch.autograd.grad((plain * direction).sum(), scores)
    (found,) = torch.autograd.grad((standardise(scores) * direction).sum(), scores)
    assert torch.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_scores_that_are_all_equal_become_zero_and_pass_finite_gradients(n):
    scores = torch.full((2, n), 0.5).requires_grad_()
    scaled = standardise(scores)
    assert not scaled.any()
    scaled.sum().backward()
    assert scores.grad.isfinite().all()


def test_gumbel_noise_has_its_moments():
    noise = gumbel_noise(torch.Size((200_000,)), torch.Generator().manual_seed(0), torch.device("cpu"))
    assert noise.isfinite().all()
    assert float(noise.mean()) == pytest.approx(0.5772, abs=0.01)
    assert float(noise.var()) == pytest.approx(1.6449, abs=0.03)
