"""One random mask for each task, the one that MUST starts with, never changed: are masks worth *learning*?"""

from must.methods.must import FIXED_MASKS, NEEDS
from must.methods.spec import MASKS, MethodSpec, Part

SPEC = MethodSpec(
    "Static sparse",
    (
        Part(
            MASKS,
            "static",
            "must.methods.must.masks:GeneratedMasks",
            reads=FIXED_MASKS,
            needs=NEEDS,
            task_masks=True,
            plain_products=True,
        ),
    ),
    role="static control",
)
