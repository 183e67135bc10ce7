"""Gradient surgery: the tasks' gradients are changed before they are added up (arXiv 2001.06782, 2110.14048).

Such methods use a weighted sum of the tasks' gradients, with weights that depend on their lengths and the angles
between them. So the K x K inner products suffice; the gradients themselves are read twice, once for these and once for
the sum. Policy and Q networks are treated each by itself; the temperatures, of which every task has its own, have
no conflicts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from must.algorithms.parts import GradientRule, TaskFunctions


class WeighedGradients(GradientRule):
    """The gradient of a step is a weighted sum of the tasks' gradients.

    Where nothing is masked, a perceptron is evaluated with a copy of its parameters for each task, whose gradient is
    then the task's own: one backward pass suffices. Other networks take one for each task.
    """

    @abstractmethod
    def weigh(self, products: Tensor) -> Tensor:
        """Return the weight of each task's gradient in the step.

        Args:
            products: (E, K, K) inner products of the tasks' gradients, in double precision.

        Returns:
            (E, K); all 1/K is the mean gradient.
        """

    def prepare(self, functions: TaskFunctions) -> TaskFunctions:
        """Put copies of the parameters in place, where there can be some."""
        self._copies: list[Tensor] = []
        agent, masks = self._agent, self._agent.mask_set
        if agent.masks.fading or masks.policy is not None or masks.critic is not None:
            return functions
        found = [network.task_copies() for network in (agent.policy, agent.critic)]
        copied = [pair for pair in found if pair is not None]
        if len(copied) < len(found):
            return functions
        self._copies = [copies for _, copies in copied]
        return functions._replace(policy=copied[0][0], critic=copied[1][0])

    def backward(self, functions: TaskFunctions, loss: Tensor, of_tasks: Callable[[], Tensor]) -> None:
        """Weigh the gradients of the tasks; see `GradientRule`."""
        networks = self._agent.policy, self._agent.critic
        moving = [network.flat for network in networks if network.flat.requires_grad]
        if not moving:  # where masks alone learn, nothing is combined
            super().backward(functions, loss, of_tasks)
            return
        if self._copies:
            loss.backward()
            gradients = []
            for copies in self._copies:
                assert copies.grad is not None
                gradients.append(copies.grad * self.n_tasks)  # the losses are averaged over tasks
        else:
            losses = of_tasks()
            found = [torch.autograd.grad(losses[task], moving, retain_graph=True) for task in range(self.n_tasks)]
            gradients = [torch.stack(same, dim=1).flatten(2) for same in zip(*found, strict=True)]
            loss.backward()  # for masks that are learned in the same step
        weights = self.weigh(torch.cat([each @ each.mT for each in gradients]).double()).unsqueeze(1)
        weights = weights.to(gradients[0].dtype)
        for network, own, each in zip(networks, (weights[:1], weights[1:]), gradients, strict=True):
            network.flat.grad = (own @ each).view_as(network.flat)
