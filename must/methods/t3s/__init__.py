"""T3S: each task selects features of a shared trunk, and a scheduler attends to tasks that fail or get worse.

Yu et al., *Improving multi-task reinforcement learning with task-specific feature selector and scheduler*, 2023.
"""

from pydantic import Field

from must.methods.spec import ARCHITECTURE, WEIGHTING, MethodSpec, Part
from must.sections import Count, Positive, Section


class T3sConfig(Section):
    """Task-specific feature selector and task scheduler (T3S)."""

    selector_sizes: list[Count] = Field(default=[128, 128, 128], min_length=1)
    """Hidden layers of a task's feature selector."""
    extractor_size: Count = 64
    """Units between the selected features and the output, of each task."""
    scheduler_tau: Positive = 0.1
    """Temperature of the scheduler: the lower it is, the more weight goes to tasks that fail or get worse."""
    scheduler_window: Count = 10
    """Training episodes of a task that its success rate is taken from."""


SPEC = MethodSpec(
    "T3S",
    (
        Part(
            ARCHITECTURE,
            "selected",
            "must.methods.t3s.network:selected",
            reads={"t3s": frozenset({"selector_sizes", "extractor_size"})},
            provides=frozenset({"shared parameters"}),
        ),
        Part(
            WEIGHTING,
            "scheduler",
            "must.methods.t3s.weighting:Scheduled",
            reads={"t3s": frozenset({"scheduler_tau", "scheduler_window"})},
            needs={"shared parameters": "tasks that share no parameters do not compete"},
            plain_products=True,
        ),
    ),
    {"t3s": T3sConfig},
)
