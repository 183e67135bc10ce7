"""The agent of every method: multi-task SAC, with one gradient step over all of its networks.

The base class is the method ``mt_sac``: one dense policy and two dense Q networks, which have the task's one-hot as an
input. Other methods (`must.methods`) override what is different: the networks, the weights of the tasks' losses, how
task gradients are combined, or what happens between epochs.
"""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from must.algorithms.hooks import NETWORKS, Hooks, TaskFunctions
from must.algorithms.losses import mean_loss, policy_losses, q_losses, q_target, temperature_loss
from must.buffers import Batch
from must.config import RunConfig
from must.masks import Masks, MaskSet
from must.networks import BaseNetwork, HiddenLayers, MaskedMLP, SeparateMLPs, TaskSize
from must.networks.tanh_normal import sample
from must.numpy_policy import NumpyPolicy
from must.seeding import Stream, integer_seed
from must.types import ACTION_DIM, OBS_DIM

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
"""What a gradient step of a mask update reports after that, where all networks have generators."""


class Agent(Hooks):
    """Multi-task SAC.

    All of a gradient step's losses are taken at the parameters from before it (the temperatures, which move first,
    excepted), so the order of the other optimizers does not matter.
    """

    _perceptron: type[MaskedMLP | SeparateMLPs] = MaskedMLP
    """What its networks are, of a method whose networks are perceptrons of ``network.hidden_sizes``."""

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Draw the initial networks and put everything on the device. The masks are dense (version 0)."""
        self._config, self.device = config, device
        self.n_tasks = len(config.env.task_names)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(integer_seed(config.training.seed, Stream.BASE_NETWORKS))
            self.policy = self._network(1, OBS_DIM, 2 * ACTION_DIM).to(device)
            self.critic = self._network(2, OBS_DIM + ACTION_DIM, 1).to(device)
            self.target_critic = self._network(2, OBS_DIM + ACTION_DIM, 1).to(device)
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
        self._add_rng("batches", Stream.BATCHES)
        self._add_rng("policy_noise", Stream.POLICY_NOISE)
        self.mask_set = MaskSet(0, None, None)

    # What methods replace

    def _network(self, n_members: int, in_dim: int, out_dim: int) -> BaseNetwork:
        """Draw a base network from torch's global generator."""
        sizes = self._config.network.hidden_sizes
        return self._perceptron(n_members, in_dim, self.n_tasks, sizes, out_dim, self._hidden(n_members, in_dim))

    def _hidden(self, n_members: int, in_dim: int) -> HiddenLayers:  # noqa: ARG002 (methods with masks read them)
        """Return what all hidden layers of a base network have in common.

        Args:
            n_members: 1 for the policy, 2 for the Q networks.
            in_dim: Features of the input, without the one-hot.
        """
        network = self._config.network
        return HiddenLayers(network.init, layer_norm=network.layer_norm)

    def _task_functions(self, learn_masks: bool) -> TaskFunctions:  # noqa: ARG002 (methods that learn masks read it)
        """Return the networks as a gradient step uses them."""
        return self._functions_under(self.mask_set.policy, self.mask_set.critic)

    def _functions_under(self, policy: Masks, critic: Masks) -> TaskFunctions:
        """Return the networks as a gradient step uses them, under masks of policy and Q networks."""
        with torch.no_grad():
            target_critic = self.target_critic.task_parameters(critic)
        return TaskFunctions(self.policy.task_parameters(policy), self.critic.task_parameters(critic), target_critic)

    # What all methods share

    def gradient_step(self, batch: Batch, learn_masks: bool = False) -> Tensor:
        """Take one step of temperatures, policy, both Q networks and targets.

        Returns the values that `reported` names.

        Args:
            batch: The same number of rows for each task.
            learn_masks: Draw the masks anew and train the generators on the losses as well (a mask update).
        """
        sac, moves = self._config.sac, not (learn_masks and self.updates_masks_apart)
        self.policy.flat.requires_grad_(moves)  # where masks alone learn, no gradient of weights is needed
        self.critic.flat.requires_grad_(moves)
        functions = self._task_functions(learn_masks)
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
            rewards = self._config.env.reward_scale * batch.rewards
            discount = sac.gamma if batch.terminal is None else sac.gamma * ~batch.terminal
            target = q_target(rewards, next_q.squeeze(-1), next_log_probs, alpha, discount)

        q_values, own_q = functions.critic.forward_pair(
            torch.cat((batch.observations, batch.actions), dim=-1),
            torch.cat((batch.observations, actions), dim=-1),
        )
        q_values = q_values.squeeze(-1)
        if sac.q_clip is not None:
            q_values, target = q_values.clamp(-sac.q_clip, sac.q_clip), target.clamp(-sac.q_clip, sac.q_clip)
        of_policy, of_critic = policy_losses(alpha, log_probs, own_q.squeeze(-1)), q_losses(q_values, target)
        weights = self._task_weights(of_policy.detach(), of_critic.detach())
        loss, both_q_losses = mean_loss(of_policy, weights), mean_loss(of_critic, weights)
        # The policy's loss has no gradient with respect to the critic, nor the critic's with respect to the policy, so
        # one backward pass computes both.
        (loss + both_q_losses.sum()).backward()
        self.combine_gradients(functions)
        norms = self._clip_gradients() if moves else torch.zeros(3, device=self.device)
        self._step("policy", moves)
        self._step("critic", moves)
        others = self._after_step(learn_masks)
        with torch.no_grad():
            if moves:
                self.target_critic.flat.lerp_(self.critic.flat, sac.tau)
            losses = loss, *both_q_losses, -log_probs.mean(), q_values.mean()
            return torch.stack((*losses, *norms, *others))

    def reported(self, learn_masks: bool) -> tuple[str, ...]:
        """Return the names of what a gradient step returns, in an ordinary epoch or in a mask update."""
        return METRICS + self.mask_metrics if learn_masks else METRICS

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
            "method": self._method_state(),
        }
        copied = {  # by what gives them
            "rngs": {name: rng.get_state() for name, rng in self.rngs.items()},
            "mask_set": self._mask_state(),
        }
        masks = self._mask_learner_state()
        return {**deepcopy(learned), **copied, **(deepcopy(masks) if learning_masks else masks)}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `snapshot` returned."""
        for network in ("policy", "critic", "target_critic"):
            getattr(self, network).load_state_dict(state[network])
        with torch.no_grad():
            self.log_alpha.copy_(state["log_alpha"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        for name, rng in self.rngs.items():
            rng.set_state(state["rngs"][name])
        self._restore_mask_learner(state)
        self._restore_method(state.get("method", {}))  # checkpoints of versions without a choice of methods have none
        policy, critic = state["mask_set"]["tensors"]
        self._restore_masks(state["mask_set"]["version"], policy, critic)

    def sizes(self) -> dict[str, int]:
        """Count parameters, and what one action of one task takes.

        ``*_parameters`` are those of a whole network (``q``: of one of two), ``*_parameters_kept`` those that a task
        uses; ``generator_parameters`` those of all generators and encoders. ``flops_per_action`` counts two operations
        for each weight of the policy that a task uses, whether or not the pruned ones are multiplied as well.
        """
        policy, critic = self._task_sizes()
        return {
            "policy_parameters": self.policy.size,
            "policy_parameters_kept": sum(policy),
            "q_parameters": self.critic.size,
            "q_parameters_kept": sum(critic),
            "generator_parameters": self._generator_size(),
            "flops_per_action": 2 * policy.weights,
        }

    def final_state(self) -> dict[str, Any]:
        """Return what evaluating the trained policy needs: its parameters, its masks and their version."""
        masks = self._mask_state()
        return {
            "policy": self.policy.state_dict(),
            "policy_masks": masks["tensors"][0],
            "mask_version": masks["version"],
        }

    def load_policy(self, state: dict[str, Any]) -> None:
        """Load what `final_state` returned: the agent can act, and no more."""
        self.policy.load_state_dict(state["policy"])
        self._restore_masks(state["mask_version"], state["policy_masks"], [])

    # What methods with masks replace (`must.methods.masked`)

    def _mask_state(self) -> dict[str, Any]:
        return {"version": self.mask_set.version, "tensors": [[], []]}

    def _restore_masks(self, version: int, policy: list[Tensor], critic: list[Tensor]) -> None:  # noqa: ARG002
        self.mask_set = MaskSet(version, None, None)

    def _task_sizes(self) -> tuple[TaskSize, TaskSize]:
        """Count what a task uses of the policy and of a Q network."""
        return self.policy.task_size(), self.critic.task_size()

    def _clip_gradients(self) -> Tensor:
        """Clip the gradient of each network; return the norms before, of the policy and both Q networks (3,)."""
        return torch.cat(
            [clip_members(network.flat, self._config.sac.max_grad_norm) for network in (self.policy, self.critic)]
        )

    def _step(self, name: str, moves: bool) -> None:
        """Take an optimizer's step, unless the networks are to stay as they are; drop the gradient."""
        if moves:
            self.optimizers[name].step()
        self.optimizers[name].zero_grad(set_to_none=True)

    def _add_rng(self, name: str, stream: Stream) -> None:
        """Add a random stream; gradient steps may draw from it, and checkpoints hold it."""
        seed = integer_seed(self._config.training.seed, stream)
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
