"""Networks whose parameters are, for each task, a weighted sum of sets that all tasks share (arXiv 2210.11653)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from must.config import RunConfig
from must.masks import Masks
from must.methods.paco import PacoConfig
from must.networks import BaseNetwork, HiddenLayers, MaskedMLP, TaskParameters, TaskSize
from must.networks.initial import DEFAULT


def composed(config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers) -> CompositionalMLP:
    """Draw E networks; see `must.algorithms.Architecture`."""
    n_tasks, sizes = len(config.env.task_names), config.network.hidden_sizes
    return CompositionalMLP(n_members, in_dim, n_tasks, sizes, out_dim, config.section(PacoConfig).n_sets, hidden)


class CompositionalMLP(BaseNetwork):
    """E networks, each of S parameter sets and a weight of each set for each task; the one-hot is no input.

    The sets start as copies of each other and the tasks' weights as random shares that sum to 1, so that every task
    starts with an ordinary network. From then on a set learns from a task as much as the task uses it.
    """

    def __init__(
        self,
        n_members: int,
        in_dim: int,
        n_tasks: int,
        hidden_sizes: Sequence[int],
        out_dim: int,
        n_sets: int,
        hidden: HiddenLayers = DEFAULT,
    ) -> None:
        """Draw the initial parameters; see `MaskedMLP`, and ``n_sets`` for S."""
        super().__init__()
        drawn = MaskedMLP(n_members, in_dim, 0, hidden_sizes, out_dim, hidden)
        self._widths, self._task_size = (in_dim, *hidden_sizes, out_dim), drawn.task_size()
        self._shape, self._layer_norm = (n_tasks, n_sets), hidden.layer_norm
        shares = torch.rand(n_members, n_tasks, n_sets)
        shares = shares / shares.sum(2, keepdim=True)
        self.flat = nn.Parameter(torch.cat((drawn.flat.detach().repeat(1, n_sets), shares.flatten(1)), dim=1))
        """(E, S P + K S): the sets, then the tasks' weights."""

    @property
    def sets(self) -> Tensor:
        """(E, S, P), a view."""
        n_tasks, n_sets = self._shape
        sets: Tensor = self.flat[:, : -n_tasks * n_sets].unflatten(1, (n_sets, -1))
        return sets

    @property
    def mixture(self) -> Tensor:
        """(E, K, S), a view: the weight of each set for each task."""
        mixture: Tensor = self.flat[:, -self._shape[0] * self._shape[1] :].unflatten(1, self._shape)
        return mixture

    def task_parameters(self, masks: Masks) -> TaskParameters:
        """Compose each task's parameters; there are no masks of them."""
        assert masks is None
        return TaskParameters(self.mixture @ self.sets, self._widths, 0, layer_norm=self._layer_norm)

    def task_size(self) -> TaskSize:
        """Count the composed network of one task."""
        return self._task_size
