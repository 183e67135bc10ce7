"""CAGrad: the step near the mean gradient that helps the worst-off task most (arXiv 2110.14048)."""

from typing import Annotated

from pydantic import Field

from must.methods.spec import ALL, GRADIENTS, MethodSpec, Part
from must.sections import Real, Section


class CagradConfig(Section):
    """Conflict-averse gradients (arXiv 2110.14048)."""

    c: Annotated[Real, Field(ge=0, lt=1)] = 0.9
    """Radius around the mean gradient, as a share of its length, in which the step is looked for; 0 is the mean
    gradient itself. Published: 0.9 for MT10, 0.5 for MT50."""


SPEC = MethodSpec(
    "CAGrad",
    (
        Part(
            GRADIENTS,
            "cagrad",
            "must.methods.cagrad.gradients:Cagrad",
            reads={"cagrad": ALL},
            needs={"shared parameters": "gradients of tasks conflict only in parameters that tasks share"},
        ),
    ),
    {"cagrad": CagradConfig},
)
