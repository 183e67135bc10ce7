"""The typed sections of a configuration: every key, its type, its range and what it is for.

``config/README.md`` and ``workflow/schemas/experiment.schema.json`` are generated from these models (``make docs``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field, create_model, model_validator

from must.config import schedule
from must.config.evaluation import Episodes, EvaluationConfig
from must.config.masks import GeneratorConfig, MaskConfig
from must.config.methods import (
    CONTROL,
    DEFAULT,
    MASKS,
    SECTIONS,
    ArchitectureName,
    GradientsName,
    MethodName,
    MethodSpec,
    WeightingName,
    composed,
    value_of,
)
from must.config.surroundings import ContainerConfig, LoggingConfig
from must.config.training import TrainingConfig
from must.sections import Count, Flag, Positive, Real, Section, suggest
from must.tasks import ALL_TASKS, BENCHMARKS, MAX_HORIZON


class EnvConfig(Section):
    """Which Meta-World tasks are trained, and how an episode runs."""

    benchmark: Literal["MT10", "MT25", "MT50"] | None = None
    """Meta-World benchmark whose tasks are trained. Give this or `tasks`."""
    n_tasks: Count | None = None
    """Only the first n tasks of the benchmark; all of them when left out."""
    tasks: list[str] | None = Field(default=None, min_length=1)
    """Explicit list of task names, such as `[reach-v3, door-open-v3]`, instead of a benchmark."""
    goals: Literal["fixed", "random"] = "random"
    """`fixed`: one of the 50 train goals of each task, chosen by the seed; `random`: all 50."""
    reward: Literal["v1", "v2"] = "v2"
    """Meta-World's reward function. v1 also changes how some tasks judge success: never compare the two."""
    reward_scale: Positive = 1.0
    """Factor on the reward that the learner sees (the logs hold the unscaled return)."""
    reward_normalisation: Literal["exponential", "gymnasium"] | None = None
    """Divide each task's rewards by a running standard deviation before they are learned from: of the rewards,
    exponentially weighted (`exponential`, as in garage), or of their discounted sums (`gymnasium`, as there)."""
    horizon: Annotated[int, Field(ge=1, le=MAX_HORIZON)] = 150
    """Environment steps in an episode. Success does not end an episode; see `sac.terminal_at_horizon`."""

    @model_validator(mode="after")
    def _check_tasks(self) -> EnvConfig:
        if (self.benchmark is None) == (self.tasks is None):
            raise ValueError("give either benchmark or tasks, not both and not neither")
        if self.benchmark is not None:
            size = len(BENCHMARKS[self.benchmark])
            if self.n_tasks is not None and self.n_tasks > size:
                raise ValueError(f"n_tasks is {self.n_tasks}, but {self.benchmark} has {size} tasks: use 1 to {size}")
        if self.tasks is not None:
            if self.n_tasks is not None and self.n_tasks > len(self.tasks):
                count = len(self.tasks)
                raise ValueError(f"n_tasks is {self.n_tasks}, but tasks lists {count}: use 1 to {count}")
            for name in self.tasks:
                if name not in ALL_TASKS:
                    raise ValueError(f"unknown task '{name}'{suggest(name, ALL_TASKS)}")
            if len(set(self.tasks)) != len(self.tasks):
                raise ValueError("tasks names a task twice: list each task once")
        return self

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of the K tasks, in the order of the one-hot."""
        names = tuple(self.tasks) if self.tasks is not None else BENCHMARKS[str(self.benchmark)]
        return names[: self.n_tasks]


class NetworkConfig(Section):
    """The base networks: one policy and two Q networks of the same hidden layers."""

    hidden_sizes: list[Count] = Field(default=[400, 400, 400], min_length=1)
    """Units of each hidden layer."""
    init: Literal["he", "fan_in", "original"] = "he"
    """Bound of the uniform initial weights of hidden layers. `he`: sqrt(6/n), n the inputs that a task has under its
    first masks, and biases of 0; 1/sqrt(n), n all inputs (`fan_in`) or outputs (`original`), and biases of 0.1."""
    layer_norm: Flag = False
    """Normalise what goes into each ReLU to mean 0 and variance 1 over the units of the layer that the task uses."""
    architecture: ArchitectureName | None = None
    """What tasks share (default: that of `method`); docs/methods.md says what goes with what."""


class SacConfig(Section):
    """Multi-task soft actor-critic (arXiv 1812.05905), with a temperature for each task."""

    lr: Positive = 3e-4
    """Adam's learning rate for policy and Q networks."""
    temperature_lr: Positive | None = None
    """Adam's learning rate for the temperatures (default: `lr`). In a short run a temperature that falls fast leaves no
    exploration, and comes back too late."""
    gamma: Annotated[Real, Field(ge=0, lt=1)] = 0.99
    """Discount factor."""
    n_step: Count = 1
    """Rewards, as they were collected, that a target of the Q networks adds up before it bootstraps; fewer where the
    episode ends. More than one carries rewards back faster, at the price of counting what older policies did. The
    entropy of the steps between is left out."""
    tau: Annotated[Real, Field(gt=0, le=1)] = 0.005
    """Share of the online weights that moves into the target networks at each gradient step."""
    batch_size_per_task: Count = 128
    """Rows of a batch that come from each task: with 10 tasks, 128 makes a batch of 1280."""
    buffer_size: Count = 1_000_000
    """Transitions in the replay buffer, divided evenly among the tasks."""
    initial_temperature: Positive = 1.0
    """Temperature (alpha) of every task at the start."""
    target_entropy: Real = -4.0
    """Entropy that the temperatures aim at, in nats."""
    max_grad_norm: Positive = 1.0
    """Norm at which the gradient of each network is clipped."""
    terminal_at_horizon: Flag = False
    """Let the last step of an episode be terminal: nothing is worth anything after it. By default the time limit
    bootstraps: the value of the state after it counts."""
    q_clip: Positive | None = None
    """Bound of Q values and their targets, in the scale of the learner's rewards; beyond it there is no gradient."""
    task_weighting: WeightingName | None = None
    """What a task counts in the losses (default: that of `method`)."""
    gradient_rule: GradientsName | None = None
    """How the tasks' gradients are combined (default: that of `method`)."""


_S = TypeVar("_S", bound=Section)


class _Settings(Section):
    """What a run's configuration holds, without the sections that methods bring."""

    method: MethodName = DEFAULT
    """What is trained; see docs/methods.md."""
    env: EnvConfig
    network: NetworkConfig = NetworkConfig()
    sac: SacConfig = SacConfig()
    masks: MaskConfig = MaskConfig()
    generator: GeneratorConfig = GeneratorConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    logging: LoggingConfig = LoggingConfig()
    container: ContainerConfig = ContainerConfig()

    @model_validator(mode="after")
    def _check(self) -> _Settings:
        names, frames = self.env.task_names, self.training.epoch_frames
        if self.masks.granularity == "neuron" and self.generator.head is not None:
            raise ValueError(
                "generator.head is read with masks.granularity: weight only; remove it (or set it to null)"
            )
        if self.learns_masks:
            self._check_renewals()
        if self.sac.buffer_size // len(names) < frames:
            raise ValueError(
                f"sac.buffer_size = {self.sac.buffer_size} leaves {self.sac.buffer_size // len(names)} rows for each "
                f"of {len(names)} tasks, less than one epoch of {frames} steps: use at least {frames * len(names)}"
            )
        judged = self.env.goals, self.env.reward, self.env.horizon
        if self.evaluation.protocol == "standard" and judged != ("random", "v2", MAX_HORIZON):
            raise ValueError(
                f"evaluation.protocol: standard judges episodes of {MAX_HORIZON} steps at all 50 train goals as reward "
                f"v2 does: set env.goals to random, env.reward to v2, env.horizon to {MAX_HORIZON}, or remove it"
            )
        return self

    def _check_renewals(self) -> None:
        """Refuse renewals that could not be what they are meant to be."""
        first = self._first_renewal
        if first is None:
            return
        if self.masks.rule == "generator" and self.generator.needs_trajectories:
            before = (self.training.pretrain_epochs + first) * self.training.epoch_frames
            if before < self.env.horizon:
                raise ValueError(
                    f"the first mask update comes after {before} environment steps of a task, before its first "
                    f"episode of env.horizon = {self.env.horizon} steps ends: raise masks.update_interval, "
                    "training.epoch_frames or training.pretrain_epochs"
                )

    def evaluated(self, last: bool) -> Episodes:
        """Return the episodes of each task in the last evaluation or in those before it; a fixed goal has one."""
        judged, fixed = self.evaluation, self.env.goals == "fixed"
        count = (last and judged.final_episodes) or judged.episodes
        return Episodes(1 if fixed else count, (last and judged.final_horizon) or self.env.horizon)

    @property
    def judges_last(self) -> bool:
        """Whether the last evaluation has other episodes than those before it: it is no point of their curve."""
        return self.evaluated(last=True) != self.evaluated(last=False)

    @property
    def spec(self) -> MethodSpec:
        """What the run is made of: its method, with the parts that the configuration chooses itself."""
        return composed(self.method, partial(value_of, self))

    @property
    def trained(self) -> MethodSpec:
        """What is left of it where nothing is pruned."""
        return composed(self.method, partial(value_of, self), self.dense)

    def section(self, kind: type[_S]) -> _S:
        """Return a method's own section."""
        name = next(name for name, section in SECTIONS.items() if section is kind)
        found: _S = getattr(self, name)
        return found

    @property
    def dense(self) -> bool:
        """Whether no task's part of the networks is cut out with masks."""
        return self.masks.pruning_ratio == 0 or not self.spec.prunes

    @property
    def has_task_masks(self) -> bool:
        """Whether each task has masks of its own, and so more or less of the networks in common with another one."""
        return not self.dense and self.spec.task_masks

    @property
    def is_multi_task_sac(self) -> bool:
        """Whether the run is a control of others: what it is made of is what the control is made of, without masks."""
        control = composed(CONTROL, lambda kind: None if kind == MASKS else value_of(self, kind))
        return set(map(id, self.trained.parts)) == set(map(id, control.parts))

    @property
    def learns_masks(self) -> bool:
        """Whether masks are renewed during training."""
        return self.spec.learns_masks and not self.dense

    @property
    def never_renews(self) -> bool:
        """Whether masks that are to be learned stay as they were at first: their first renewal would come too late."""
        return self.learns_masks and self._first_renewal is None

    @property
    def _first_renewal(self) -> int | None:
        masks = self.masks
        return schedule.first_renewal(self.training.epochs, masks.update_interval, masks.freeze_after)


if TYPE_CHECKING:

    class RunConfig(_Settings):
        """Everything that defines one training run."""
else:
    RunConfig = create_model(
        "RunConfig",
        __base__=_Settings,
        __doc__="Everything that defines one training run.",
        __module__=__name__,
        **{name: (kind, kind()) for name, kind in SECTIONS.items()},
    )
