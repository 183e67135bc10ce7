"""FAMO: tasks' weights that follow how fast their losses fall, so that all fall alike (arXiv 2306.03792)."""

from must.methods.spec import ALL, WEIGHTING, MethodSpec, Part
from must.sections import NonNegative, Positive, Section


class FamoConfig(Section):
    """Fast adaptive multitask optimisation (FAMO, arXiv 2306.03792)."""

    lr: Positive = 0.01
    """Adam's learning rate for the tasks' logits (published for reinforcement learning: 0.01)."""
    decay: NonNegative = 1e-3
    """Weight decay of the logits, towards equal weights (published for reinforcement learning: 0.001)."""


SPEC = MethodSpec(
    "FAMO",
    (
        Part(
            WEIGHTING,
            "famo",
            "must.methods.famo.weighting:Famo",
            reads={"famo": ALL},
            needs={"shared parameters": "tasks that share no parameters do not compete"},
        ),
    ),
    {"famo": FamoConfig},
)
