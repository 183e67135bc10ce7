"""The agent: multi-task SAC, with one gradient step over all of its networks.

What differs between methods is what it is made of (`must.algorithms.parts`): the architecture of its networks, the
weights of the tasks' losses, how task gradients are combined, and where masks come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from must.algorithms.losses import (
    mean_loss,
    policy_losses,
    q_losses,
    q_target,
    task_losses,
    temperature_loss,
)
from must.algorithms.parts import Parts, StepKind
from must.algorithms.recording import load_optimizer
from must.buffers import Batch
from must.config import RunConfig
from must.masks import MaskSet
from must.networks import BaseNetwork, seeded
from must.networks.tanh_normal import sample
from must.numpy_policy import NumpyPolicy
from must.seeding import Stream, integer_seed
from must.types import ACTION_DIM, OBS_DIM, Collected

METRICS = (
    "policy_loss",
    "q1_loss",
    "q2_loss",
    "entropy",
    "q_mean",
    "policy_grad_norm",
    "q1_grad_norm",
    "q2_grad_norm",
)
"""What a gradient step reports, in this order."""


class Agent:
    """Multi-task SAC.

    All of a gradient step's losses are taken at the parameters from before it (the temperatures, which move first,
    excepted), so the order of the other optimizers does not matter.
    """

    def __init__(self, config: RunConfig, device: torch.device, parts: Parts) -> None:
        """Draw the initial networks and put everything on the device. The masks are dense (version 0).

        Args:
            config: The run's settings.
            device: Where everything is.
            parts: What it is made of.
        """
        self.config, self.device = config, device
        self.in_place = device.type == "cuda"
        """Whether what a mask update reads and gathers stays in one place, because its steps are recorded."""
        self.n_tasks = len(config.env.task_names)
        self._kind = StepKind.ORDINARY

        def network(n_members: int, in_dim: int, out_dim: int) -> BaseNetwork:
            hidden = parts.masks.hidden(config, n_members, in_dim)
            return parts.architecture(config, n_members, in_dim, out_dim, hidden).to(device)

        with seeded(integer_seed(config.training.seed, Stream.BASE_NETWORKS)):
            self.policy = network(1, OBS_DIM, 2 * ACTION_DIM)
            self.critic = network(2, OBS_DIM + ACTION_DIM, 1)
            self.target_critic = network(2, OBS_DIM + ACTION_DIM, 1)
        self.target_critic.load_state_dict(self.critic.state_dict())
        self.target_critic.requires_grad_(False)
        self.log_alpha = nn.Parameter(torch.full((self.n_tasks,), config.sac.initial_temperature, device=device).log())
        adam = partial(torch.optim.Adam, lr=config.sac.lr, fused=True, capturable=device.type == "cuda")
        self.optimizers = {
            "temperature": adam([self.log_alpha], lr=config.sac.temperature_lr or config.sac.lr),
            "policy": adam([self.policy.flat]),
            "critic": adam([self.critic.flat]),
        }
        self.rngs: dict[str, torch.Generator] = {}
        self.add_rng("batches", Stream.BATCHES)
        self.add_rng("policy_noise", Stream.POLICY_NOISE)
        self.weighting, self.gradient_rule = parts.task_weighting(self), parts.gradient_rule(self)
        self.masks = parts.masks(self)
        self._components = (self.weighting, self.gradient_rule, self.masks)

    def gradient_step(self, batch: Batch, learn_masks: bool = False) -> Tensor:
        """Take one step of temperatures, policy, both Q networks and targets.

        Returns the values that `reported` names.

        Args:
            batch: The same number of rows for each task.
            learn_masks: Draw the masks anew and train the generators on the losses as well (a mask update).
        """
        self.prepare_step(learn_masks)
        return self.take_step(batch, learn_masks)

    def prepare_step(self, learn_masks: bool) -> StepKind:
        """Do what the host has to do before each step, recorded or not; return what kind of step comes."""
        self._kind = self.masks.prepare_step(learn_masks)
        return self._kind

    def take_step(self, batch: Batch, learn_masks: bool) -> Tensor:
        """Take the step that `prepare_step` prepared, which can be recorded and run again; see `gradient_step`."""
        sac, moves = self.config.sac, not (learn_masks and self.masks.updates_apart)
        self.policy.flat.requires_grad_(moves)  # where masks alone learn, no gradient of weights is needed
        self.critic.flat.requires_grad_(moves)
        settled = self._kind is StepKind.ORDINARY  # networks are used under the published masks
        functions = self.gradient_rule.prepare(self.masks.functions(learn_masks))
        noise, next_noise = torch.randn(
            (2, *batch.actions.shape), generator=self.rngs["policy_noise"], device=self.device
        )

        outputs, next_outputs = functions.policy.forward_pair(batch.observations, batch.next_observations)
        actions, log_probs = sample(outputs[0], noise)
        temperature_loss(self.log_alpha, log_probs, sac.target_entropy).backward()
        self._step("temperature", moves)
        alpha = self.log_alpha.detach().exp()

        with torch.no_grad():
            next_actions, next_log_probs = sample(next_outputs[0], next_noise)
            next_q = functions.target_critic.forward(torch.cat((batch.next_observations, next_actions), dim=-1))
            rewards = self.config.env.reward_scale * batch.rewards
            discount = sac.gamma if batch.discount is None else batch.discount
            target = q_target(rewards, next_q.squeeze(-1), next_log_probs, alpha, discount)

        stored = torch.cat((batch.observations, batch.actions), dim=-1)
        q_values, own_q = functions.critic.forward_pair(stored, torch.cat((batch.observations, actions), dim=-1))
        q_values, target = self._clipped(q_values.squeeze(-1)), self._clipped(target)
        of_policy, of_critic = policy_losses(alpha, log_probs, own_q.squeeze(-1)), q_losses(q_values, target)
        weights = self.weighting.weights(of_policy.detach(), of_critic.detach())
        loss, both_q_losses = mean_loss(of_policy, weights.policy), mean_loss(of_critic, weights.critic)
        # The policy's loss has no gradient with respect to the critic, nor the critic's with respect to the policy, so
        # one backward pass computes both.
        of_tasks = partial(task_losses, of_policy, of_critic, weights.policy, weights.critic)
        self.gradient_rule.backward(functions, loss + both_q_losses.sum(), of_tasks)
        norms = self._clip_gradients() if moves else torch.zeros(3, device=self.device)
        self._step("policy", moves)
        self._step("critic", moves)
        if settled:
            self.weighting.after_step(partial(self._critic_losses, stored, target))
        others = self.masks.after_step(learn_masks)
        with torch.no_grad():
            if moves:
                self.masks.move_targets()
            losses = loss, *both_q_losses, -log_probs.mean(), q_values.mean()
            return torch.stack((*losses, *norms, *others))

    def _clipped(self, q_values: Tensor) -> Tensor:
        clip = self.config.sac.q_clip
        return q_values if clip is None else q_values.clamp(-clip, clip)

    def _critic_losses(self, inputs: Tensor, target: Tensor) -> Tensor:
        """Compute the losses (2, K, B) of the Q networks as they are now, without gradient."""
        with torch.no_grad():
            function = self.critic.task_parameters(self.mask_set.critic)
            return q_losses(self._clipped(function.forward(inputs).squeeze(-1)), target)

    def reported(self, learn_masks: bool) -> tuple[str, ...]:
        """Return the names of what a gradient step returns, in an ordinary epoch or in a mask update."""
        return METRICS + self.masks.metrics if learn_masks else METRICS

    @torch.no_grad()
    def numpy_policy(self) -> NumpyPolicy:
        """Return the policy as it acts now, with the version of the masks it was made with."""
        return self.policy.task_parameters(self.mask_set.policy).to_numpy(self.mask_set.version)

    def snapshot(self, learning_masks: bool = True) -> dict[str, Any]:
        """Return everything that the agent's future depends on, as data for a checkpoint.

        Args:
            learning_masks: Whether the mask learner's part must stay as it is while the agent learns on. In epochs that
                are no mask update nothing changes it, and with the dense head it is by far the largest part.
        """
        learned = {
            "policy": self.policy.state_dict(),
            "critic": self.critic.state_dict(),
            "target_critic": self.target_critic.state_dict(),
            "log_alpha": self.log_alpha.detach(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "method": {key: value for part in self._components for key, value in part.state().items()},
        }
        copied = {  # by what gives them
            "rngs": {name: rng.get_state() for name, rng in self.rngs.items()},
            "mask_set": self.masks.masks_state(),
        }
        masks = self.masks.learner_state()
        return {**deepcopy(learned), **copied, **(deepcopy(masks) if learning_masks else masks)}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `snapshot` returned."""
        for network in ("policy", "critic", "target_critic"):
            getattr(self, network).load_state_dict(state[network])
        with torch.no_grad():
            self.log_alpha.copy_(state["log_alpha"])
        for name, optimizer in self.optimizers.items():
            load_optimizer(optimizer, state["optimizers"][name])
        for name, rng in self.rngs.items():
            rng.set_state(state["rngs"][name])
        self.masks.restore_learner(state)
        for part in self._components:
            part.restore(state.get("method", {}))  # checkpoints of versions without a choice of methods have none
        policy, critic = state["mask_set"]["tensors"]
        self.masks.restore_masks(state["mask_set"]["version"], policy, critic)

    def sizes(self) -> dict[str, int]:
        """Count parameters, and what one action of one task takes.

        ``*_parameters`` are those of a whole network (``q``: of one of two), ``*_parameters_kept`` those that a task
        uses; ``generator_parameters`` those of all generators and encoders. ``flops_per_action`` counts two operations
        for each weight of the policy that a task uses, whether or not the pruned ones are multiplied as well.
        """
        policy, critic = self.masks.task_sizes()
        return {
            "policy_parameters": self.policy.size,
            "policy_parameters_kept": sum(policy),
            "q_parameters": self.critic.size,
            "q_parameters_kept": sum(critic),
            "generator_parameters": self.masks.generator_size(),
            "flops_per_action": 2 * policy.weights,
        }

    def final_state(self) -> dict[str, Any]:
        """Return what evaluating the trained policy needs: its parameters, its masks and their version."""
        masks = self.masks.masks_state()
        return {
            "policy": self.policy.state_dict(),
            "policy_masks": masks["tensors"][0],
            "mask_version": masks["version"],
        }

    def load_policy(self, state: dict[str, Any]) -> None:
        """Load what `final_state` returned: the agent can act, and no more."""
        self.policy.load_state_dict(state["policy"])
        self.masks.restore_masks(state["mask_version"], state["policy_masks"], [])

    # Between epochs

    @property
    def mask_set(self) -> MaskSet:
        """The published masks."""
        return self.masks.mask_set

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of ``train.csv`` that not every run has."""
        return tuple(column for part in self._components for column in part.columns)

    def on_collected(self, collected: Sequence[Collected]) -> None:
        """Process what each of the K tasks collected in the epoch."""
        for part in self._components:
            part.on_collected(collected)

    def end_learning(self, number: int) -> dict[str, Any]:
        """Finish training epoch ``number``; return fields of ``train.csv``."""
        return {key: value for part in self._components for key, value in part.end_learning(number).items()}

    def _clip_gradients(self) -> Tensor:
        """Clip the gradient of each network; return the norms before, of the policy and both Q networks (3,)."""
        return torch.cat(
            [clip_members(network.flat, self.config.sac.max_grad_norm) for network in (self.policy, self.critic)]
        )

    def _step(self, name: str, moves: bool) -> None:
        """Take an optimizer's step, unless the networks are to stay as they are; drop the gradient."""
        if moves:
            self.optimizers[name].step()
        self.optimizers[name].zero_grad(set_to_none=True)

    def add_rng(self, name: str, stream: Stream) -> None:
        """Add a random stream; gradient steps may draw from it, and checkpoints hold it."""
        seed = integer_seed(self.config.training.seed, stream)
        self.rngs[name] = torch.Generator(self.device).manual_seed(seed)


def clip_members(parameters: nn.Parameter, max_norm: float) -> Tensor:
    """Clip the gradient of each network of an ensemble to a norm of its own; return the norms before (E,).

    Args:
        parameters: (E, P) or (E, K, P), with a gradient; with separate networks of K tasks the mean norm is given.
        max_norm: Largest norm of a network's gradient.
    """
    assert parameters.grad is not None
    norms: Tensor = torch.linalg.vector_norm(parameters.grad, dim=-1)
    parameters.grad.mul_((max_norm / (norms + 1e-6)).clamp_max(1).unsqueeze(-1))
    return norms if norms.dim() == 1 else norms.mean(1)
