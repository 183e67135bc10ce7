"""Multi-task SAC with a head for each task on a shared trunk (arXiv 1910.10897)."""

from must.methods.spec import ARCHITECTURE, MethodSpec, Part

SPEC = MethodSpec(
    "MTMH-SAC",
    (
        Part(
            ARCHITECTURE,
            "heads",
            "must.methods.mtmh_sac.network:heads",
            provides=frozenset({"maskable", "shared parameters"}),
        ),
    ),
)
