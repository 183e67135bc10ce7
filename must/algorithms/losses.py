"""The losses of multi-task soft actor-critic, as pure functions (arXiv 1812.05905, section 5)."""

from __future__ import annotations

from torch import Tensor


def temperature_loss(log_alpha: Tensor, log_probs: Tensor, target_entropy: float) -> Tensor:
    """Return the loss () of the temperatures: its gradient raises those of tasks whose entropy is below the target.

    Args:
        log_alpha: (K,) log temperatures, with gradient.
        log_probs: (K, B) log probabilities of the policy's actions, in nats; they get no gradient.
        target_entropy: In nats.
    """
    return -(log_alpha * (log_probs.detach().mean(1) + target_entropy)).mean()


def policy_losses(alpha: Tensor, log_probs: Tensor, q_values: Tensor) -> Tensor:
    """Return the policy's losses (K, B), to be averaged with `mean_loss`: lower for higher Q values and more entropy.

    Args:
        alpha: (K,) temperatures.
        log_probs: (K, B) of the policy's own actions.
        q_values: (2, K, B) of the same actions, of which the lower one counts.
    """
    return alpha[:, None] * log_probs - q_values.min(0).values


def q_target(
    rewards: Tensor, next_q: Tensor, next_log_probs: Tensor, alpha: Tensor, discount: float | Tensor
) -> Tensor:
    """Return the soft Bellman target (K, B).

    Args:
        rewards: (K, B), scaled; the discounted sum of those of all steps before ``next_q``.
        next_q: (2, K, B) of the target networks at the policy's next actions.
        next_log_probs: (K, B) of those actions.
        alpha: (K,) temperatures.
        discount: Factor of what comes next, or one for each row (K, B): 0 where the last step was terminal.
    """
    return rewards + discount * (next_q.min(0).values - alpha[:, None] * next_log_probs)


def q_losses(q_values: Tensor, target: Tensor) -> Tensor:
    """Compute each Q network's squared errors: (2, K, B) and (K, B) -> (2, K, B), to be averaged with `mean_loss`."""
    return (q_values - target).square()


def mean_loss(losses: Tensor, weights: Tensor | None = None) -> Tensor:
    """Average losses over tasks and rows: (..., K, B) -> (...).

    Args:
        losses: (..., K, B)
        weights: (K,) of the tasks, with mean 1, or None where all tasks count the same.
    """
    return losses.mean((-2, -1)) if weights is None else (weights * losses.mean(-1)).mean(-1)


def task_losses(
    of_policy: Tensor, of_critic: Tensor, policy_weights: Tensor | None, critic_weights: Tensor | None
) -> Tensor:
    """Add up each task's losses (K,), of the policy and of both Q networks, as they count in the mean over the tasks.

    Args:
        of_policy: (K, B)
        of_critic: (2, K, B)
        policy_weights: (K,), or None where all tasks count the same.
        critic_weights: The same, of the Q networks.
    """
    policy, critic = of_policy.mean(1), of_critic.mean(2).sum(0)
    weighted = policy if policy_weights is None else policy_weights * policy
    return weighted + (critic if critic_weights is None else critic_weights * critic)
