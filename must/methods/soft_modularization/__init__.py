"""Soft modularization: layers of modules, mixed by a routing network for each state and task (arXiv 2003.13661)."""

from typing import Literal

from pydantic import Field

from must.methods.spec import ARCHITECTURE, WEIGHTING, MethodSpec, Part, SweptKey
from must.sections import Count, Flag, Section

ROUTING_SIZES: dict[str, tuple[int, int, int]] = {"shallow": (2, 2, 256), "deep": (4, 4, 128)}
"""Published sizes of the routed networks: layers, modules in a layer, units of a module."""


class SoftModularizationConfig(Section):
    """Soft modularization (arXiv 2003.13661): layers of modules that a routing network mixes for each task.

    `network.hidden_sizes` is not read.
    """

    size: Literal["shallow", "deep"] = "shallow"
    """Published sizes: `shallow`, 2 layers of 2 modules of 256 units; `deep`, 4 layers of 4 modules of 128."""
    n_layers: Count | None = None
    """Layers of modules (default: those of `size`)."""
    n_modules: Count | None = None
    """Modules in a layer (default: those of `size`)."""
    module_size: Count | None = None
    """Units of a module (default: those of `size`)."""
    encoder_sizes: list[Count] = Field(default=[400, 400], min_length=1)
    """Layers of the state's encoder; the last one's size is the task embedding's as well."""
    routing_size: Count = 256
    """Units of the routing network's layers."""
    weighted_losses: Flag = True
    """Weigh the tasks' losses by K softmax(-log temperature), so that tasks that are mastered count more."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Layers, modules in a layer, units of a module."""
        layers, modules, units = ROUTING_SIZES[self.size]
        return self.n_layers or layers, self.n_modules or modules, self.module_size or units


_OF_NETWORK = frozenset(SoftModularizationConfig.model_fields) - {"weighted_losses"}
SPEC = MethodSpec(
    "Soft Modularization",
    (
        Part(
            ARCHITECTURE,
            "modular",
            "must.methods.soft_modularization.network:modular",
            reads={"soft_modularization": _OF_NETWORK},
            provides=frozenset({"shared parameters"}),
        ),
        Part(
            WEIGHTING,
            "temperature",
            "must.methods.soft_modularization.weighting:ByTemperature",
            reads={"soft_modularization": frozenset({"weighted_losses"})},
            needs={"shared parameters": "tasks that share no parameters do not compete"},
            plain_products=True,
        ),
    ),
    {"soft_modularization": SoftModularizationConfig},
    (SweptKey("soft_modularization.size", "size", "Modules", "soft_modularization_sizes"),),
)
