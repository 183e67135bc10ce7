"""PCGrad: gradients that conflict are projected onto each other's normal planes (arXiv 2001.06782)."""

from must.methods.spec import GRADIENTS, MethodSpec, Part

SPEC = MethodSpec(
    "PCGrad",
    (
        Part(
            GRADIENTS,
            "pcgrad",
            "must.methods.pcgrad.gradients:Pcgrad",
            needs={"shared parameters": "gradients of tasks conflict only in parameters that tasks share"},
        ),
    ),
)
