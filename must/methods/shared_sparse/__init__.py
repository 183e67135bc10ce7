"""One random mask for all tasks, that of the first one: is it worth anything that each has a mask of *its own*?"""

from must.methods.must import FIXED_MASKS, NEEDS
from must.methods.spec import MASKS, MethodSpec, Part

SPEC = MethodSpec(
    "Shared sparse",
    (
        Part(
            MASKS,
            "shared",
            "must.methods.shared_sparse.masks:SharedMasks",
            reads=FIXED_MASKS,
            needs=NEEDS,
            plain_products=True,
        ),
    ),
)
