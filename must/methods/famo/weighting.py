"""Weights with which the logarithms of all tasks' losses fall alike (arXiv 2306.03792)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from must.algorithms import Agent, TaskWeighting, TaskWeights
from must.algorithms.recording import load_optimizer
from must.methods.famo import FamoConfig

EPSILON = 1e-8
"""Added to a loss before its logarithm is taken."""


class Famo(TaskWeighting):
    """Weighs the tasks' losses of the Q networks.

    A step goes down the sum of z_i log(loss_i), z = softmax(logits), scaled as published: task i has the weight
    z_i / loss_i, divided by the mean of all. Then the same batch's losses are computed again, and Adam moves the logits
    along the gradient of z . (log(loss before) - log(loss after)), with weight decay: what fell fast counts less from
    then on.

    As in the published code for SAC, it is applied to the Q networks' losses, of both networks together: they are
    squares, whose minimum is 0, so that none is subtracted. The policy's loss has no known minimum and changes its
    sign; it has no logarithm, and all tasks count the same in it. Steps that learn masks, and those in which masks
    fade, do not move the logits: there the networks of the losses before and after are not the same.
    """

    def __init__(self, agent: Agent) -> None:
        """Start with equal weights z."""
        super().__init__(agent)
        own = self._config.section(FamoConfig)
        self._logits = torch.zeros(self.n_tasks, device=self.device, requires_grad=True)
        self._optimizer = torch.optim.Adam(
            [self._logits], lr=own.lr, weight_decay=own.decay, fused=True, capturable=self.device.type == "cuda"
        )
        self._before = torch.zeros(self.n_tasks, device=self.device)
        self.columns = tuple(f"task_weight/{task}" for task in self._config.env.task_names)

    def weights(self, of_policy: Tensor, of_critic: Tensor) -> TaskWeights:  # noqa: ARG002 (the class says why)
        """Return the weights of the Q networks' losses."""
        losses = _of_tasks(of_critic)
        self._before.copy_(losses.log())
        scaled = self._logits.detach().softmax(0) / losses
        return TaskWeights(critic=scaled / scaled.mean())

    def after_step(self, critic_losses: Callable[[], Tensor]) -> None:
        """Move the logits."""
        fall = self._before - _of_tasks(critic_losses()).log()
        shares = self._logits.detach().softmax(0)
        self._logits.grad = shares * (fall - (shares * fall).sum())
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    def end_learning(self, number: int) -> dict[str, Any]:  # noqa: ARG002 (the same in every epoch)
        """Return K z."""
        return dict(zip(self.columns, (self.n_tasks * self._logits.detach().softmax(0)).tolist(), strict=True))

    def state(self) -> dict[str, Any]:
        """Return the logits and their optimizer."""
        return {"logits": self._logits.detach(), "logits_optimizer": self._optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` returned."""
        with torch.no_grad():
            self._logits.copy_(state["logits"])
        load_optimizer(self._optimizer, state["logits_optimizer"])


def _of_tasks(losses: Tensor) -> Tensor:
    """Return the tasks' losses (K,) of (2, K, B), which are more than 0."""
    return losses.mean(2).sum(0) + EPSILON
