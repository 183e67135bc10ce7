"""Bounded renewals: exactly k elements, at most so many swaps, and of all such masks the one with the best scores."""

from itertools import combinations

import pytest
import torch

from must.masks import bounded_mask, swapped_mask, top_k_mask


def random_case(n: int, k: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3, n, generator=generator), top_k_mask(torch.randn(3, n, generator=generator), k)


def best_by_trial(scores: torch.Tensor, published: torch.Tensor, k: int, most: int) -> list[float]:
    """Try every mask of k elements within the bound; return the best one."""
    kept = {i for i, value in enumerate(published.tolist()) if value}
    within = [set(chosen) for chosen in combinations(range(len(scores)), k) if len(set(chosen) - kept) <= most]
    best = max(within, key=lambda chosen: float(scores[list(chosen)].double().sum()))
    return [float(i in best) for i in range(len(scores))]


@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 1), (7, 3), (8, 7), (9, 9)])
def test_of_all_masks_within_the_bound_it_is_the_one_with_the_highest_scores(n, k):
    for seed in range(10):
        scores, published = random_case(n, k, seed)
        for most in range(k + 2):
            masks = bounded_mask(scores, published, k, most)
            for row in range(3):
                assert masks[row].tolist() == best_by_trial(scores[row], published[row], k, most)


@pytest.mark.parametrize(("n", "k"), [(400, 80), (400, 200), (40_000, 4_000), (20_000, 19_000)])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3, 1.0])
def test_the_bound_is_exact_and_no_swap_is_missing(n, k, share):
    scores, published = random_case(n, k, 0)
    most = int(share * k)
    masks = bounded_mask(scores, published, k, most)
    assert (masks.sum(-1) == k).all()
    wanted = (top_k_mask(scores, k) * (1 - published)).sum(-1)
    assert torch.equal((masks * (1 - published)).sum(-1), wanted.clamp_max(most))


def test_equal_scores_keep_the_number_exact():
    scores, published = torch.ones(2, 50), random_case(50, 20, 1)[1][:2]
    for most in (0, 3, 20):
        masks = bounded_mask(scores, published, 20, most)
        assert (masks.sum(-1) == 20).all()
        assert ((masks * (1 - published)).sum(-1) <= most).all()


def test_swaps_are_the_least_important_for_the_most_promising():
    published = torch.tensor([[1.0, 1, 1, 0, 0, 0]])
    importance, growth = torch.tensor([[3.0, 1, 2, 9, 9, 9]]), torch.tensor([[9.0, 9, 9, -1, 5, 0]])
    assert swapped_mask(importance, growth, published, 3, 0).tolist() == published.tolist()
    assert swapped_mask(importance, growth, published, 3, 1).tolist() == [[1, 0, 1, 0, 1, 0]]
    assert swapped_mask(importance, growth, published, 3, 2).tolist() == [[1, 0, 0, 0, 1, 1]]
    assert swapped_mask(importance, growth, published, 3, 9).tolist() == [[0, 0, 0, 1, 1, 1]]
    everything = torch.ones(1, 6)
    assert swapped_mask(importance, growth, everything, 6, 2).tolist() == everything.tolist()
