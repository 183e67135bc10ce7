"""MOORE: a mixture of orthogonal experts, which each task weighs in its own way (arXiv 2311.11385)."""

from must.methods.spec import ALL, ARCHITECTURE, MethodSpec, Part
from must.sections import Count, Section


class MooreConfig(Section):
    """Mixture of orthogonal experts (MOORE, arXiv 2311.11385); each is a perceptron of `network.hidden_sizes`."""

    n_experts: Count = 4
    """Experts, at most as many as the last of `network.hidden_sizes`. Published: 4 for MT10, 6 for MT50."""


SPEC = MethodSpec(
    "MOORE",
    (
        Part(
            ARCHITECTURE,
            "experts",
            "must.methods.moore.network:experts",
            reads={"moore": ALL},
            provides=frozenset({"shared parameters"}),
        ),
    ),
    {"moore": MooreConfig},
)
