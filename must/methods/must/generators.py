"""Mask generators: from a task (and how it went lately) to a score for each maskable element of a base network.

All are called with the tasks' one-hots (K, K) and, where they read them, the encodings (K, F) of the tasks'
trajectories, or None where there is no trajectory yet. The scores of each layer have mean 0 and standard deviation 1,
whatever the depth and the width of the network and the size of the encodings.

None of their layers has a bias, and hidden features are centred. What is the same for all tasks acts like a bias, and
where it is larger than what the task adds to it (as at the start of training) all tasks get the same mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from must.config import GeneratorConfig
from must.masks import MaskLayout, standardise
from must.networks.matmul import linear


class _Trunk(nn.Module):
    """One hidden layer of one-hot and encoding, which count the same at the start."""

    def __init__(self, n_tasks: int, hidden_size: int, encoding_dim: int) -> None:
        super().__init__()
        self.layer = nn.Linear(n_tasks + encoding_dim, hidden_size, bias=False)

    def forward(self, one_hot: Tensor, encoding: Tensor | None) -> Tensor:
        """Return features (K, hidden_size)."""
        if encoding is None:
            features = one_hot @ self.layer.weight[:, : one_hot.shape[1]].T
        else:
            of_length_one = standardise(encoding) / math.sqrt(encoding.shape[1])
            features = self.layer(torch.cat((one_hot, of_length_one), dim=1))
        return standardise(features.relu())


class DenseGenerator(nn.Module):
    """Scores for every weight from one wide last layer (the original's head): hidden_size parameters for each score."""

    def __init__(self, shapes: Sequence[tuple[int, ...]], n_tasks: int, hidden_size: int, encoding_dim: int) -> None:
        """Make a generator.

        Args:
            shapes: Shapes of the masked tensors.
            n_tasks: K.
            hidden_size: Features of the hidden layer.
            encoding_dim: Features of a trajectory's encoding; 0 where none is given.
        """
        super().__init__()
        self.sizes = [math.prod(shape) for shape in shapes]
        self.trunk = _Trunk(n_tasks, hidden_size, encoding_dim)
        self.head = nn.Linear(hidden_size, sum(self.sizes), bias=False)

    def forward(self, one_hot: Tensor, encoding: Tensor | None) -> list[Tensor]:
        """Return the scores (K, n) of each masked tensor."""
        scores = linear(self.trunk(one_hot, encoding), self.head.weight)
        return [standardise(part) for part in scores.split(self.sizes, dim=1)]


class FactorisedGenerator(nn.Module):
    """Scores score[i, j] = u_i . v_j of a layer's weights, from vectors of length ``rank`` for its rows and columns.

    Scores of vectors (masked biases) come from a linear layer.
    """

    def __init__(
        self, shapes: Sequence[tuple[int, ...]], n_tasks: int, hidden_size: int, encoding_dim: int, rank: int
    ) -> None:
        """Make a generator; see `DenseGenerator`, and ``rank`` for the length of the vectors."""
        super().__init__()
        self.rank = rank
        self.shapes = [tuple(shape) for shape in shapes]
        self.trunk = _Trunk(n_tasks, hidden_size, encoding_dim)
        self.heads = nn.ModuleList(
            nn.Linear(hidden_size, rank * sum(shape) if len(shape) == 2 else shape[0], bias=False)
            for shape in self.shapes
        )

    def forward(self, one_hot: Tensor, encoding: Tensor | None) -> list[Tensor]:
        """Return the scores (K, n) of each masked tensor."""
        features = self.trunk(one_hot, encoding)
        scores = []
        for shape, head in zip(self.shapes, self.heads, strict=True):
            values = head(features)
            if len(shape) == 2:
                rows, columns = values.view(len(values), -1, self.rank).split(shape, dim=1)
                values = (rows @ columns.mT).flatten(1)
            scores.append(standardise(values))
        return scores


class NeuronGenerator(nn.Module):
    """Scores for every hidden unit, layer after layer.

    e = encoding * MLP(one-hot); layer 1's scores are Wd1 e; then e2 = (Wu1 scores1) * e and layer 2's scores are
    Wd2 e2, and so on. Without an encoding e is MLP(one-hot). Each of these vectors is brought to mean 0 and standard
    deviation 1: products of small numbers would become smaller from layer to layer, until noise decides the masks.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], n_tasks: int, hidden_size: int, encoding_dim: int) -> None:
        """Make a generator; an encoding, where one is given, must have ``hidden_size`` features."""
        super().__init__()
        assert encoding_dim in (0, hidden_size)
        linear = partial(nn.Linear, bias=False)
        self.of_task = linear(n_tasks, hidden_size)
        self.embed = linear(hidden_size, hidden_size)
        widths = [shape[0] for shape in shapes]
        self.down = nn.ModuleList(linear(hidden_size, width) for width in widths)
        self.up = nn.ModuleList(linear(width, hidden_size) for width in widths[:-1])

    def forward(self, one_hot: Tensor, encoding: Tensor | None) -> list[Tensor]:
        """Return the scores (K, H) of each hidden layer."""
        embedding = standardise(self.embed(standardise(self.of_task(one_hot).relu())))
        if encoding is not None:
            embedding = standardise(embedding * standardise(encoding))
        scores, features = [], embedding
        for layer, down in enumerate(self.down):
            scores.append(standardise(down(features)))
            if layer < len(self.up):
                features = standardise(self.up[layer](scores[-1]) * embedding)
        return scores


DEFAULT_RANK = 6
"""Rank at which the factorised head of a 400 x 3 network has about a twentieth of the dense head's parameters."""


def make_generator(layout: MaskLayout, n_tasks: int, config: GeneratorConfig) -> nn.Module:
    """Build the generator of one base network.

    It is called with one-hots (K, K) and encodings (K, hidden_size), or None, and returns a list of scores (K, n), one
    for each shape of the layout.
    """
    encoding_dim = config.hidden_size if config.use_trajectory_info else 0
    if layout.granularity == "neuron":
        return NeuronGenerator(layout.shapes, n_tasks, config.hidden_size, encoding_dim)
    if config.head == "factorised":
        rank = config.rank or DEFAULT_RANK
        return FactorisedGenerator(layout.shapes, n_tasks, config.hidden_size, encoding_dim, rank)
    return DenseGenerator(layout.shapes, n_tasks, config.hidden_size, encoding_dim)
