"""What surrounds a run: its live logs, its image, and what it asks of a cluster. None of it changes a result."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from must.sections import AutoFlag, Count, Flag, Section, Whole


class LoggingConfig(Section):
    """Live logs beside the CSV files, which are always written."""

    tensorboard: Flag = False
    """Write TensorBoard event files to `tensorboard/` in the run directory."""
    wandb: Annotated[
        Literal["off", "offline", "online"],
        BeforeValidator(lambda value: "off" if value is False else value),  # YAML 1.1 reads a bare `off` as false
        WithJsonSchema({"enum": ["off", "offline", "online", False]}),
    ] = "off"
    """Weights & Biases: `offline` writes to `wandb/` in the run directory. Needs `pip install wandb`."""
    wandb_project: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^/\\#?%:\s][^/\\#?%:]*$")] = "must"
    """Project that its runs are in."""
    wandb_entity: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """User or team that the project belongs to (default: the user's own)."""
    wandb_group: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Group that runs are shown in (default: the setting, so that its seeds are one group)."""
    wandb_tags: list[Annotated[str, Field(min_length=1, max_length=64)]] | None = None
    """Tags of its runs."""

    @property
    def live(self) -> bool:
        """Whether there is a live log."""
        return self.tensorboard or self.wandb != "off"


class ContainerConfig(Section):
    """The Apptainer image that runs are trained in with `--profile slurm` and `--profile local-apptainer`."""

    required: Flag = False
    """Refuse to train outside of the image."""
    flavour: Literal["auto", "cpu", "cuda"] = "auto"
    """Which image: `auto` is `cuda` when `resources.gpus` asks for a GPU, else `cpu`."""
    bootstrap: Literal["docker", "debootstrap"] = "docker"
    """What the image starts from: a base image from a container registry, pinned by its digest, or (for hosts that
    reach none) Debian packages from the mirror that this host's own apt uses."""


class ResourcesConfig(Section):
    """What one training run asks of a cluster (CPU threads follow from `training`)."""

    mem_mb: Count = 4000
    """Memory in MB."""
    minutes: Count = 240
    """Wall-clock limit in minutes; a resubmitted job asks for as much again."""
    max_minutes: Count | None = None
    """The longest limit that the cluster's partition grants; runs that need more continue in the next job."""
    gpus: Whole = 0
    """GPUs."""
    runs_per_job: Count = 1
    """Runs that share one job, side by side: each has its own cores and memory, all of them share the GPU."""

    one_process: AutoFlag = "auto"
    """Train the runs of a job in one process, not in one each: on a GPU they then overlap without a service beside
    them (MPS). `auto`: where a GPU is asked for. The result does not depend on it."""

    @property
    def shares_process(self) -> bool:
        """Whether the runs of a job are trained in one process."""
        return self.gpus > 0 if self.one_process == "auto" else self.one_process

    @model_validator(mode="after")
    def _check(self) -> ResourcesConfig:
        if self.max_minutes is not None and self.max_minutes < self.minutes:
            raise ValueError(f"max_minutes is {self.max_minutes}, less than minutes = {self.minutes}")
        return self
