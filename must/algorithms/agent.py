"""The agent: base networks, temperatures, their optimizers, the published masks, and one gradient step over all."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from must.acting import ActingPolicy
from must.algorithms.losses import policy_loss, q_losses, q_target, temperature_loss
from must.algorithms.mask_learner import NETWORKS, MaskLearner
from must.buffers import Batch
from must.config import RunConfig
from must.masks import MaskLayout, MaskSet, mask_tensors
from must.networks import MaskedMLP, apply_task_parameters, apply_to_two_batches
from must.networks.tanh_normal import sample
from must.seeding import Stream, integer_seed
from must.types import ACTION_DIM, OBS_DIM, Float32

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
GENERATOR_METRICS = tuple(f"generator_grad_norm_{network}" for network in NETWORKS)
"""What a gradient step of a mask update reports after that."""


def reported(learn_masks: bool) -> tuple[str, ...]:
    """Name what a gradient step reports, in an ordinary epoch or in a mask update."""
    return METRICS + GENERATOR_METRICS if learn_masks else METRICS


class Agent:
    """Multi-task SAC on masked networks.

    All of a gradient step's losses are taken at the parameters from before it (the temperatures, which move first,
    excepted), so the order of the other optimizers does not matter.
    """

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks and put everything on the device. The masks are dense (version 0)."""
        self._config, self.device = config, device
        self.n_tasks = len(config.env.task_names)
        seed = config.training.seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(integer_seed(seed, Stream.BASE_NETWORKS))
            self.policy = self._network(1, OBS_DIM, 2 * ACTION_DIM)
            self.critic = self._network(2, OBS_DIM + ACTION_DIM, 1)
            self.target_critic = self._network(2, OBS_DIM + ACTION_DIM, 1)
            self.target_critic.load_state_dict(self.critic.state_dict())
            self.target_critic.requires_grad_(False)
            torch.manual_seed(integer_seed(seed, Stream.GENERATORS))
            layouts = self._layout(self.policy), self._layout(self.critic)
            self.mask_learner = None if config.dense else MaskLearner(config, *layouts).to(device)
        self._layouts = layouts
        self.log_alpha = nn.Parameter(torch.full((self.n_tasks,), config.sac.initial_temperature, device=device).log())
        adam = partial(torch.optim.Adam, lr=config.sac.lr, fused=True, capturable=device.type == "cuda")
        self.optimizers = {
            "temperature": adam([self.log_alpha], lr=config.sac.temperature_lr or config.sac.lr),
            "policy": adam([self.policy.flat]),
            "critic": adam([self.critic.flat]),
        }
        if self.mask_learner is not None:
            self.mask_learner.make_optimizers()
        self.rngs = {
            name: torch.Generator(device).manual_seed(integer_seed(seed, stream))
            for name, stream in (
                ("batches", Stream.BATCHES),
                ("policy_noise", Stream.POLICY_NOISE),
                ("random_masks", Stream.RANDOM_MASKS),
                ("mask_noise", Stream.MASK_NOISE),
            )
        }
        self.mask_set = MaskSet(0, None, None)

    def publish_random_masks(self) -> None:
        """Publish random masks of exact density: what is used before the first mask update."""
        arguments = self.n_tasks, self._config.masks.pruning_ratio, self.rngs["random_masks"], self.device
        policy, critic = (
            layout.random(members, *arguments) for layout, members in zip(self._layouts, (1, 2), strict=True)
        )
        self.mask_set = MaskSet(self.mask_set.version + 1, policy, critic)

    def begin_mask_update(self, trajectories: Float32 | None) -> list[float]:
        """Begin a mask-update epoch: take the supervised steps; give each generator's supervised loss."""
        assert self.mask_learner is not None
        self.mask_learner.look_at(trajectories)
        return self.mask_learner.supervised_update(self.rngs["mask_noise"])

    def finish_mask_update(self) -> None:
        """End a mask-update epoch: publish what the generators now say."""
        assert self.mask_learner is not None
        self.mask_learner.finish_update()
        self.mask_set = self.mask_learner.publish(self.mask_set.version + 1)

    def gradient_step(self, batch: Batch, learn_masks: bool = False) -> Tensor:
        """Take one step of temperatures, policy, both Q networks and targets.

        Gives the values that `reported` names.

        Args:
            batch: The same number of rows for each task.
            learn_masks: Draw the masks anew and train the generators on the losses as well (a mask-update epoch).
        """
        sac = self._config.sac
        policy_masks, critic_masks = self.mask_set.policy, self.mask_set.critic
        target_masks = critic_masks
        if learn_masks:
            assert self.mask_learner is not None
            policy_masks, critic_masks = self.mask_learner.draw(self.rngs["mask_noise"])
            target_masks = critic_masks.detach()
        policy = self.policy.task_parameters(policy_masks)
        critic = self.critic.task_parameters(critic_masks)
        with torch.no_grad():
            target_critic = self.target_critic.task_parameters(target_masks)
        noise, next_noise = torch.randn(
            (2, *batch.actions.shape), generator=self.rngs["policy_noise"], device=self.device
        )

        outputs, next_outputs = apply_to_two_batches(policy, batch.observations, batch.next_observations)
        actions, log_probs = sample(outputs[0], noise)
        temperature_loss(self.log_alpha, log_probs, sac.target_entropy).backward()
        self._step("temperature")
        alpha = self.log_alpha.detach().exp()

        with torch.no_grad():
            next_actions, next_log_probs = sample(next_outputs[0], next_noise)
            next_q = apply_task_parameters(target_critic, torch.cat((batch.next_observations, next_actions), dim=-1))
            rewards = self._config.env.reward_scale * batch.rewards
            target = q_target(rewards, next_q.squeeze(-1), next_log_probs, alpha, sac.gamma)

        q_values, own_q = apply_to_two_batches(
            critic,
            torch.cat((batch.observations, batch.actions), dim=-1),
            torch.cat((batch.observations, actions), dim=-1),
        )
        loss = policy_loss(alpha, log_probs, own_q.squeeze(-1))
        both_q_losses = q_losses(q_values.squeeze(-1), target)
        # the policy's loss teaches nothing to the critic, nor the critic's to the policy: one backward pass is both
        (loss + both_q_losses.sum()).backward()
        norms = [clip_members(network.flat, sac.max_grad_norm) for network in (self.policy, self.critic)]
        self._step("policy")
        self._step("critic")
        generator_norms = []
        if learn_masks:
            assert self.mask_learner is not None
            generator_norms = self.mask_learner.step()
        with torch.no_grad():
            self.target_critic.flat.lerp_(self.critic.flat, sac.tau)
            losses = loss, *both_q_losses, -log_probs.mean(), q_values.mean()
            return torch.stack((*losses, *torch.cat(norms), *generator_norms))

    @torch.no_grad()
    def acting_policy(self) -> ActingPolicy:
        """Give the policy as it acts now, with the version of the masks it was cut out with."""
        parameters = self.policy.task_parameters(self.mask_set.policy)
        return ActingPolicy(
            self.mask_set.version,
            tuple(weight[0].cpu().numpy().copy() for weight in parameters.weights),
            tuple(bias[0].cpu().numpy().copy() for bias in parameters.biases),
        )

    def snapshot(self, learning_masks: bool = True) -> dict[str, Any]:
        """Give everything that the agent's future depends on, as data for a checkpoint.

        Args:
            learning_masks: Whether the mask learner's part must stay as it is while the agent learns on. In epochs that
                are no mask update nothing changes it, and with the dense head it is by far the largest part.
        """
        learner = self.mask_learner
        masks = {
            "mask_learner": None if learner is None else learner.state_dict(),
            "mask_optimizers": None if learner is None else learner.optimizer_states(),
        }
        learned = {
            "policy": self.policy.state_dict(),
            "critic": self.critic.state_dict(),
            "target_critic": self.target_critic.state_dict(),
            "log_alpha": self.log_alpha.detach(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }
        copied = {  # by what gives them
            "rngs": {name: rng.get_state() for name, rng in self.rngs.items()},
            "mask_set": self._mask_state(),
        }
        return {**deepcopy(learned), **copied, **(deepcopy(masks) if learning_masks else masks)}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `snapshot` gave."""
        for network in ("policy", "critic", "target_critic"):
            getattr(self, network).load_state_dict(state[network])
        with torch.no_grad():
            self.log_alpha.copy_(state["log_alpha"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        if self.mask_learner is not None:
            self.mask_learner.load_state_dict(state["mask_learner"])
            self.mask_learner.load_optimizer_states(state["mask_optimizers"])
        for name, rng in self.rngs.items():
            rng.set_state(state["rngs"][name])
        policy, critic = (
            layout.from_tensors([tensor.to(self.device) for tensor in tensors])
            for layout, tensors in zip(self._layouts, state["mask_set"]["tensors"], strict=True)
        )
        self.mask_set = MaskSet(state["mask_set"]["version"], policy, critic)

    def sizes(self) -> dict[str, int]:
        """Count parameters, and what one action of one task takes.

        ``*_parameters`` are those of a whole network (``q``: of one of two), ``*_parameters_kept`` those that a task
        uses; ``generator_parameters`` those of all generators and encoders. ``flops_per_action`` counts two operations
        for each weight of the policy that a task uses, whether or not the pruned ones are multiplied as well.
        """
        policy, critic = (layout.kept_parameters(self._config.masks.pruning_ratio) for layout in self._layouts)
        learned = self.mask_learner.parameters() if self.mask_learner is not None else ()
        return {
            "policy_parameters": self.policy.flat.shape[1],
            "policy_parameters_kept": sum(policy),
            "q_parameters": self.critic.flat.shape[1],
            "q_parameters_kept": sum(critic),
            "generator_parameters": sum(parameter.numel() for parameter in learned),
            "flops_per_action": 2 * policy[0],
        }

    def final_state(self) -> dict[str, Any]:
        """Give what evaluating the trained policy needs: its parameters, its masks and their version."""
        masks = self._mask_state()
        return {
            "policy": self.policy.state_dict(),
            "policy_masks": masks["tensors"][0],
            "mask_version": masks["version"],
        }

    def load_policy(self, state: dict[str, Any]) -> None:
        """Take over what `final_state` gave: the agent can act, and no more."""
        self.policy.load_state_dict(state["policy"])
        masks = self._layouts[0].from_tensors([tensor.to(self.device) for tensor in state["policy_masks"]])
        self.mask_set = MaskSet(state["mask_version"], masks, None)

    def _mask_state(self) -> dict[str, Any]:
        masks = self.mask_set.policy, self.mask_set.critic
        return {
            "version": self.mask_set.version,
            "tensors": [[tensor.detach().bool() for tensor in mask_tensors(network)] for network in masks],
        }

    def _step(self, name: str) -> None:
        self.optimizers[name].step()
        self.optimizers[name].zero_grad(set_to_none=True)

    def _network(self, n_members: int, in_dim: int, out_dim: int) -> MaskedMLP:
        sizes, init = self._config.network.hidden_sizes, self._config.network.init
        return MaskedMLP(n_members, in_dim, self.n_tasks, sizes, out_dim, init).to(self.device)

    def _layout(self, network: MaskedMLP) -> MaskLayout:
        masks = self._config.masks
        out_dim = network.weight_shapes[-1][1]
        return MaskLayout(masks.granularity, network.in_dim, out_dim, network.weight_shapes, bool(masks.mask_biases))


def clip_members(parameters: nn.Parameter, max_norm: float) -> Tensor:
    """Clip the gradient of each member of an ensemble to a norm of its own; give the norms before (E,).

    Args:
        parameters: (E, P), with a gradient.
        max_norm: Largest norm of a member's gradient.
    """
    assert parameters.grad is not None
    norms: Tensor = torch.linalg.vector_norm(parameters.grad, dim=1)
    parameters.grad.mul_((max_norm / (norms + 1e-6)).clamp_max(1).unsqueeze(1))
    return norms
