import pytest
import torch

from must.networks import matmul
from must.networks.matmul import affine, input_gradient, linear, weight_gradient

SHAPES = {  # N, R, D, H
    "one large": (1, 700, 90, 130),
    "one large and narrow": (1, 2600, 400, 8),
    "one small": (1, 7, 39, 20),
    "several": (6, 33, 39, 20),
    "several narrow": (6, 33, 20, 8),
    "one column": (6, 33, 20, 1),
    "one row": (3, 1, 20, 30),
}


def random(*shape: int, dtype: torch.dtype, seed: int) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", SHAPES)
def test_products_are_those_of_plain_matrices(name, dtype):
    n, r, d, h = SHAPES[name]
    inputs, weights = random(n, r, d, dtype=dtype, seed=0), random(n, d, h, dtype=dtype, seed=1)
    biases, grad_output = random(n, 1, h, dtype=dtype, seed=2), random(n, r, h, dtype=dtype, seed=3)
    tolerance = {"rtol": 1e-4, "atol": 1e-3} if dtype == torch.float32 else {"rtol": 1e-10, "atol": 1e-10}
    for given in (biases, None):
        expected = inputs @ weights + (0 if given is None else given)
        torch.testing.assert_close(affine(inputs, weights, given), expected, **tolerance)
        torch.testing.assert_close(affine(inputs, weights, given, relu=True), expected.relu(), **tolerance)
    torch.testing.assert_close(input_gradient(grad_output, weights), grad_output @ weights.mT, **tolerance)
    wide = torch.full((n, d * h + 5), torch.nan, dtype=dtype)  # the gradient's place in the gradient of all parameters
    weight_gradient(inputs, grad_output, wide[:, 2 : 2 + d * h].view(n, d, h))
    torch.testing.assert_close(wide[:, 2 : 2 + d * h].view(n, d, h), inputs.mT @ grad_output, **tolerance)
    assert wide[:, :2].isnan().all()
    assert wide[:, -3:].isnan().all()


def test_large_products_take_the_other_kernel(monkeypatch):
    """Of which the test above would see nothing, were it never called."""
    seen = []
    kernel = matmul._onednn
    monkeypatch.setattr(matmul, "_onednn", lambda *arguments: seen.append(1) or kernel(*arguments))
    for name, (n, r, d, h) in SHAPES.items():
        seen.clear()
        affine(torch.zeros(n, r, d), torch.zeros(n, d, h), None)
        assert bool(seen) == name.startswith("one large")


@pytest.mark.parametrize("h", [7, 3000])
def test_linear_has_the_gradient_of_a_linear_layer(h):
    inputs, weight = random(10, 256, dtype=torch.float32, seed=0), random(h, 256, dtype=torch.float32, seed=1)
    grad_output = random(10, h, dtype=torch.float32, seed=2)
    found, expected = ([t.clone().requires_grad_() for t in (inputs, weight)] for _ in range(2))
    torch.testing.assert_close(linear(*found), torch.nn.functional.linear(*expected), rtol=0, atol=1e-3)
    linear(*found).backward(grad_output)
    torch.nn.functional.linear(*expected).backward(grad_output)
    for mine, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(mine.grad, plain.grad, rtol=1e-4, atol=1e-3)
