"""A network of its own for each task."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from must.config import RunConfig
from must.masks import Masks
from must.networks import BaseNetwork, HiddenLayers, MaskedMLP, TaskParameters, TaskSize
from must.networks.initial import DEFAULT


def separate(config: RunConfig, n_members: int, in_dim: int, out_dim: int, hidden: HiddenLayers) -> SeparateMLPs:
    """Draw E networks; see `must.algorithms.Architecture`."""
    return SeparateMLPs(n_members, in_dim, len(config.env.task_names), config.network.hidden_sizes, out_dim, hidden)


class SeparateMLPs(BaseNetwork):
    """A network of its own for each task: nothing is shared, and the one-hot is no input.

    Neither parameters nor gradients of a task reach another, so that K separate agents learn side by side.
    """

    shares_parameters = False

    def __init__(
        self,
        n_members: int,
        in_dim: int,
        n_tasks: int,
        hidden_sizes: Sequence[int],
        out_dim: int,
        hidden: HiddenLayers = DEFAULT,
    ) -> None:
        """Draw the initial parameters; see `MaskedMLP`."""
        super().__init__()
        drawn = MaskedMLP(n_members * n_tasks, in_dim, 0, hidden_sizes, out_dim, hidden)
        self.flat = nn.Parameter(drawn.flat.detach().unflatten(0, (n_members, n_tasks)))
        """(E, K, P)"""
        self._widths, self._task_size = (in_dim, *hidden_sizes, out_dim), drawn.task_size()
        self._layer_norm = hidden.layer_norm

    def task_parameters(self, masks: Masks) -> TaskParameters:
        """Return the network of each task; there are no masks of it."""
        assert masks is None
        return TaskParameters(self.flat, self._widths, 0, layer_norm=self._layer_norm)

    def task_size(self) -> TaskSize:
        """Count the network of one task."""
        return self._task_size
