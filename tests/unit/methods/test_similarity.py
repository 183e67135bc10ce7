import torch

from must.masks.overlap import churn, mean_overlap, task_overlap
from must.methods.must.similarity import distances, similarity, similarity_loss


def test_distance_of_masks_is_the_share_that_differs():
    masks = torch.tensor([[1.0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1]])
    assert distances(masks).tolist() == [[0, 0.5, 1], [0.5, 0, 0.5], [1, 0.5, 0]]


def test_similarity_is_normalised_over_the_pairs_and_leaves_the_diagonal_out():
    rows = torch.tensor([[0.0, 0], [0, 1], [1, 1]])
    by_hand = torch.exp(-torch.tensor([0.5, 1.0, 0.5, 0.5, 1.0, 0.5]))
    expected = (by_hand - by_hand.min()) / (by_hand.max() - by_hand.min())
    assert torch.allclose(similarity(rows), expected)


def test_loss_is_zero_where_masks_mirror_trajectories():
    rows = torch.rand(4, 50, generator=torch.Generator().manual_seed(0))
    assert float(similarity_loss(rows, rows)) < 1e-10
    assert float(similarity_loss(rows, rows.flip(0))) > 0.01


def test_the_encodings_get_no_gradient():
    masks = torch.rand(4, 50, generator=torch.Generator().manual_seed(0)).requires_grad_()
    encodings = torch.rand(4, 9, generator=torch.Generator().manual_seed(1)).requires_grad_()
    similarity_loss(masks, encodings).backward()
    assert encodings.grad is None
    assert masks.grad.abs().max() > 0


def test_equal_masks_give_no_nan():
    masks = torch.ones(3, 20, requires_grad=True)
    loss = similarity_loss(masks, torch.rand(3, 5, generator=torch.Generator().manual_seed(0)))
    loss.backward()
    assert loss.isfinite()
    assert masks.grad.isfinite().all()


def test_overlap_and_churn_by_hand():
    kept = torch.tensor([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1]]).bool()
    third = 1 / 3
    assert torch.allclose(task_overlap(kept), torch.tensor([[1, third, 0], [third, 1, third], [0, third, 1]]).double())
    assert abs(mean_overlap({"policy": kept}) - 2 * third / 3) < 1e-12
    assert mean_overlap({}) is None
    assert mean_overlap({"policy": kept[:1]}) is None
    after = torch.tensor([[1, 0, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0]]).bool()
    assert churn({"policy": kept}, {"policy": after}) == 0.5
    assert churn({}, {"policy": after}) is None
