"""PaCo: each task's parameters are a weighted sum of shared sets (arXiv 2210.11653)."""

from must.methods.spec import ARCHITECTURE, WEIGHTING, MethodSpec, Part
from must.sections import Count, Positive, Section


class PacoConfig(Section):
    """Parameter-compositional networks (arXiv 2210.11653): a task's parameters are a weighted sum of shared sets."""

    n_sets: Count = 5
    """Parameter sets of each network."""
    loss_threshold: Positive = 3e3
    """Loss of a task above which it is left out of a step and gets a new mixture of the other tasks' weights. Meant is
    the loss at the unscaled reward: the policy's divided by `env.reward_scale`, plus those of the Q networks divided by
    its square."""


SPEC = MethodSpec(
    "PaCo",
    (
        Part(
            ARCHITECTURE,
            "composed",
            "must.methods.paco.network:composed",
            reads={"paco": frozenset({"n_sets"})},
            provides=frozenset({"shared parameters", "mixtures"}),
        ),
        Part(
            WEIGHTING,
            "restarts",
            "must.methods.paco.weighting:Restarts",
            reads={"paco": frozenset({"loss_threshold"})},
            needs={"mixtures": "a task that restarts gets a mixture of the other tasks' parameters"},
        ),
    ),
    {"paco": PacoConfig},
)
