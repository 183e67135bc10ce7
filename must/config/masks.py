"""The sections of a configuration on masks and on what learns them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from must.config.methods import MasksName
from must.sections import Count, Flag, Fraction, NonNegative, Positive, Real, Section

Share = Annotated[Real, Field(gt=0, le=1)]
"""A share that is more than nothing, and may be all."""


class MaskConfig(Section):
    """The masks: how much of the base networks each task uses, and when that is decided anew."""

    granularity: Literal["weight", "neuron"] = "weight"
    """What is pruned: single weights of every layer, or whole hidden units (the sub-network is then a smaller one)."""
    pruning_ratio: Fraction = 0.5
    """Share of the weights (or units) that a task does not use; 0 is dense multi-task SAC, without any mask."""
    update_interval: Count = 50
    """Training epochs between two renewals of the masks. They are counted backwards from the last one, at the freeze,
    so that runs with different intervals are judged equally long after it."""
    freeze_after: Share = 0.75
    """Share of the training epochs after which masks are renewed no more. In the last epoch they never are."""
    max_churn: Share | None = 0.05
    """Share of a layer's kept elements that one renewal may swap, those with the largest difference of scores; it falls
    along a cosine to 0 at the freeze, though not below one element. `null`: no bound (the original)."""
    update: Literal["apart", "joint"] = "apart"
    """What a mask update is. `apart`: `update_steps` steps in which the generators learn and the networks stay as they
    are; then the masks are renewed, and the epoch's ordinary gradient steps adapt the networks to them before they act.
    `joint` (the original): networks and generators learn in the same steps, under masks that are drawn anew in each,
    and the renewed masks act before any step was taken with them."""
    update_steps: Count | None = None
    """Gradient steps of a mask update that is `apart` (default: `training.opt_times`)."""
    fade: Flag = True
    """Whether the elements that a renewal swaps go and come little by little over the gradient steps that follow it in
    its epoch, as factors between 1 and 0, instead of at once. Read with `update: apart` only."""
    hold_targets: Flag = True
    """Whether target networks keep the masks from before a renewal, and their parameters, until the networks have
    adapted to the new masks in the epoch's gradient steps; then they become copies of the Q networks. While generators
    learn, targets have the published masks. Without, values and their targets fall together where units that carry them
    are swapped, and generators learn to swap these, because smaller values have smaller errors. Read with
    `update: apart` and `networks: both` only."""
    rule: Literal["generator", "saliency"] = "generator"
    """What decides which elements come and go: the mask generators, or (dynamic sparse training, no generator after the
    first masks) how much the loss would change. `saliency` swaps as many as `max_churn` allows; what only the training
    of generators reads must then not be set."""
    networks: Literal["both", "actor"] = "both"
    """What is masked: policy and Q networks, or the policy alone."""
    mask_biases: bool | None = None
    """Mask the biases of the layers as well (default false). Read with `granularity: weight` only."""
    gumbel_scale: NonNegative = 0.03
    """Scale of the Gumbel noise on the scores (whose standard deviation is 1) while masks are learned; acting and
    evaluation have none."""
    relaxation: Literal["sigmoid", "softmax"] = "sigmoid"
    """Soft mask that the gradient follows: a sigmoid around the k-th score, or (original) a softmax over all."""
    mask_tau: Positive = 0.5
    """Temperature of the relaxation, in units of the scores."""
    source: MasksName | None = None
    """Where masks come from (default: that of `method`)."""

    @model_validator(mode="after")
    def _check(self) -> MaskConfig:
        if self.rule == "saliency" and self.max_churn is None:
            raise ValueError("rule: saliency swaps max_churn of the kept elements; give max_churn a share such as 0.05")
        if self.granularity == "neuron" and self.mask_biases is not None:
            raise ValueError("mask_biases is read with granularity: weight only; remove it (or set it to null)")
        return self


class GeneratorConfig(Section):
    """The mask generators (one each for policy, Q1 and Q2) and the trajectory encoders they listen to."""

    head: Literal["dense", "factorised"] | None = None
    """Last layer: a score for every weight from 256 features (`dense`, the original and the default), or
    score[i, j] = u_i . v_j with a twentieth of the parameters (`factorised`). Read with `granularity: weight` only."""
    rank: Count | None = None
    """Length of u_i and v_j (default 6). Read with `head: factorised` only."""
    hidden_size: Count = 256
    """Features of the generator's hidden layer, and of a trajectory's encoding."""
    lr: Positive = 1e-4
    """Adam's learning rate for the generators and their encoders."""
    use_sl_loss: Flag = True
    """Train the generators so that the similarity of the tasks' masks matches that of their trajectories."""
    use_trajectory_info: Flag = True
    """Feed an encoding of recent trajectories of each task to the generators, beside the task's one-hot."""
    encoding: Literal["window", "episode"] = "window"
    """What stands for a task: the mean encoding of all stored episodes, or (the original) that of one of them, drawn at
    random."""
    sl_weight: NonNegative | None = None
    """Weight of the supervised loss as a term of the losses in each gradient step of a mask update. When left out, it
    has steps of its own before them (`sl_steps`)."""
    sl_steps: Count = 5
    """Adam steps on the supervised loss, for each generator, at a mask update. Not read with `sl_weight`."""
    encoder_loss: Literal["none", "vae"] = "none"
    """What trains the encoders beside the generators' losses: nothing (they then take one Adam step at each mask
    update, and stay close to random features), or the loss of a variational auto-encoder, one step in each epoch up to
    the freeze: a decoder predicts the next observation."""
    kl_weight: NonNegative = 0.01
    """Weight of the divergence from a unit Gaussian. Read with `encoder_loss: vae` only."""
    trajectory_window: Count = 10
    """Newest episodes of each task that the trajectory store keeps."""

    @model_validator(mode="after")
    def _check(self) -> GeneratorConfig:
        if self.rank is not None and self.head != "factorised":
            raise ValueError("rank is read with head: factorised only; remove it (or set it to null)")
        return self

    @property
    def needs_trajectories(self) -> bool:
        """Whether a mask update reads the trajectory store."""
        return self.use_sl_loss or self.use_trajectory_info
