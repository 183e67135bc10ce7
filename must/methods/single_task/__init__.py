"""Single-task SAC: K separate agents, the upper reference of every multi-task method (arXiv 1812.05905)."""

from must.methods.spec import ARCHITECTURE, MethodSpec, Part

SPEC = MethodSpec("Single-task SAC", (Part(ARCHITECTURE, "separate", "must.methods.single_task.network:separate"),))
