"""Dense multi-task SAC on smaller networks: does a sparse network do better than a small one that costs as much?"""

from must.methods.spec import ARCHITECTURE, MethodSpec, Part

SPEC = MethodSpec(
    "MT-SAC, equal cost",
    (
        Part(
            ARCHITECTURE,
            "small",
            "must.methods.equal_cost.network:small",
            reads={"masks": frozenset({"granularity", "pruning_ratio"})},
            provides=frozenset({"shared parameters"}),
        ),
    ),
)
