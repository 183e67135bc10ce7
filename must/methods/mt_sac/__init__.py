"""Multi-task SAC: one dense network that is told the task, the control of every other method (arXiv 1910.10897)."""

from must.methods.spec import ARCHITECTURE, GRADIENTS, MASKS, WEIGHTING, MethodSpec, Part

SPEC = MethodSpec(
    "MT-SAC",
    (
        Part(
            ARCHITECTURE,
            "shared",
            "must.methods.mt_sac.network:shared",
            provides=frozenset({"maskable", "shared parameters"}),
            plain_products=True,
        ),
        Part(WEIGHTING, "equal", "must.algorithms:TaskWeighting", plain_products=True),
        Part(GRADIENTS, "sum", "must.algorithms:GradientRule", plain_products=True),
        Part(MASKS, "none", "must.algorithms:MaskSource", plain_products=True),
    ),
    role="dense control",
)
