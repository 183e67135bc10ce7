"""MUST: every task's part of the networks is chosen by mask generators that learn."""

from must.methods.spec import ALL, MASKS, MethodSpec, Part

NETWORKS = ("policy", "q1", "q2")
"""The networks that have generators."""
FIXED_MASKS = {
    "masks": frozenset({"granularity", "pruning_ratio", "mask_biases", "networks"}),
    "generator": frozenset({"head", "rank", "hidden_size", "use_trajectory_info", "encoding", "trajectory_window"}),
}
"""What the first masks, those of untrained generators, depend on."""
NEEDS = {"maskable": "masks cut parts out of perceptrons"}
"""What masks ask of the architecture."""

SPEC = MethodSpec(
    "MUST",
    (
        Part(
            MASKS,
            "learned",
            "must.methods.must.masks:LearnedMasks",
            reads={"masks": ALL, "generator": ALL},
            needs=NEEDS,
            task_masks=True,
            learns_masks=True,
            plain_products=True,
            log_columns=(
                *(f"generator_grad_norm_{network}" for network in NETWORKS),
                *(f"supervised_loss_{network}" for network in NETWORKS),
            ),
        ),
    ),
    role="default",
)
