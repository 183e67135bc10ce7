"""The schedule of a run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from must.sections import Count, Positive, Real, Section, Whole


class TrainingConfig(Section):
    """The schedule of a run, and the machine it uses."""

    seed: Whole = 0
    """Seed of everything that is random in the run."""
    epochs: Count = 10_000
    """Epochs in which gradient steps are taken (those of `pretrain_epochs` come before them)."""
    pretrain_epochs: Whole = 20
    """Epochs at the start that only collect, without masks. With `generator.use_trajectory_info` they hold an episode
    of each task at least, because the first masks are made from it."""
    pretrain_actions: Literal["policy", "uniform"] = "policy"
    """Where the actions of these epochs come from: the initial policy, or a uniform distribution over [-1, 1]."""
    epoch_frames: Count = 150
    """Environment steps that each task collects in an epoch."""
    opt_times: Count = 200
    """Gradient steps in an epoch."""
    device: Literal["cpu", "cuda", "auto"] = "auto"
    """Where the learner runs; `auto` is the GPU when there is one."""
    threads: Count = 1
    """CPU threads of the learner."""
    matmul_precision: Literal["highest", "high", "medium"] = "highest"
    """Precision of products: float32; TF32 on a GPU (faster, other results); bfloat16 where torch has it."""
    n_workers: Count = 1
    """Processes that collect and evaluate; the tasks are spread over them. The result does not depend on it."""
    checkpoint_minutes: Positive = 10.0
    """Minutes between two checkpoints."""
    worker_timeout_minutes: Positive = 10.0
    """Minutes after which a worker that does not answer is taken for dead."""

    keep_policies: Annotated[list[Annotated[Real, Field(gt=0, le=1)]], Field(min_length=1)] | None = None
    """Shares of the training after which the policy is kept as well, such as `[0.25, 0.5, 1.0]`: in `milestones/` of
    the run directory, as safetensors."""

    @property
    def milestones(self) -> dict[str, int]:
        """Directory below ``milestones/`` -> the epoch after which the policy is kept there."""
        return {
            f"{share:.10g}": self.pretrain_epochs + max(1, round(share * self.epochs))
            for share in self.keep_policies or ()
        }

    @property
    def cores(self) -> int:
        """CPU cores that a run keeps busy: its learner and its workers take turns."""
        return max(self.threads, self.n_workers)
