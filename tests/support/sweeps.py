"""Experiments of every shape that tables and figures have to fit: sections of their configurations."""

from must.config import METHODS

SWEEPS = {
    "quick": {"sweep": {"seeds": [0, 1], "pruning_ratios": [0, 0.5, 0.8], "update_intervals": [10, 40]}},
    "one run of one task": {
        "sweep": {"seeds": [3], "pruning_ratios": [0.5], "update_intervals": [10]},
        "env": {"tasks": ["reach-v3"]},
    },
    "without pruning": {"sweep": {"seeds": [0, 1], "pruning_ratios": [0]}},
    "ten tasks": {
        "sweep": {"seeds": [0, 1], "pruning_ratios": [0, 0.1, 0.3, 0.5, 0.7, 0.9], "update_intervals": [25, 400]},
        "env": {"benchmark": "MT10"},
    },
    "near ratios": {
        "sweep": {"seeds": [0], "pruning_ratios": [0, 0.9, 0.95, 0.98, 0.99], "update_intervals": [50, 51]},
    },
    "fifty tasks": {
        "sweep": {"seeds": [0, 1], "pruning_ratios": [0, 0.5, 0.7, 0.8, 0.9], "update_intervals": [25, 50, 100, 400]},
        "env": {"benchmark": "MT50"},
    },
    "ablation": {
        "sweep": {
            "seeds": [0, 1],
            "pruning_ratios": [0, 0.5],
            "update_intervals": [25, 50],
            "granularities": ["weight", "neuron"],
            "use_sl_loss": [0, 1],
        },
    },
    "benchmarks": {
        "sweep": {
            "seeds": [0, 1],
            "pruning_ratios": [0, 0.5],
            "update_intervals": [25],
            "benchmarks": ["MT10", "MT25"],
        },
        "env": {"benchmark": "MT10"},
    },
}

ALL = {"methods": list(METHODS), "seeds": [0, 1], "soft_modularization_sizes": ["shallow", "deep"]}
EVERY_METHOD = ALL | {"pruning_ratios": [0.5], "update_intervals": [10]}
MANY = ALL | {
    "pruning_ratios": [0, 0.5, 0.8],
    "update_intervals": [20, 50],
    "magnitude_networks": ["actor", "both"],
    "granularities": ["weight", "neuron"],
}
VARIANTS = {
    "dense": {"method": "mt_sac"},
    "static": {"method": "static_sparse"},
    "must": {},
    "must-noise": {"masks.gumbel_scale": 0.2},
    "must-90": {"masks.pruning_ratio": 0.9},
}
METHOD_SWEEPS = {
    "every method": {"sweep": EVERY_METHOD},
    "two without masks": {"sweep": {"methods": ["mt_sac", "pcgrad"], "seeds": [0]}},
    "no control": {"sweep": {"methods": ["pcgrad", "single_task"], "seeds": [0, 1]}},
    "every method on ten tasks": {"sweep": EVERY_METHOD, "env": {"benchmark": "MT10"}},
    "many on fifty tasks": {"sweep": MANY, "env": {"benchmark": "MT50"}},
    "benchmarks": {
        "sweep": EVERY_METHOD | {"pruning_ratios": [0.5, 0.8], "benchmarks": ["MT10", "MT25"]},
        "env": {"benchmark": "MT10"},
    },
    "variants": {"sweep": {"seeds": [0, 1], "pruning_ratios": [0.8], "update_intervals": [10], "variants": VARIANTS}},
    "variants of one method": {
        "sweep": {
            "seeds": [0, 1],
            "pruning_ratios": [0, 0.5, 0.8],
            "update_intervals": [10, 40],
            "variants": {"published": {}, "softmax": {"masks.relaxation": "softmax"}},
        },
    },
    "one variant": {
        "sweep": {"seeds": [0], "pruning_ratios": [0, 0.5], "variants": {"noise": {"masks.gumbel_scale": 1}}}
    },
    "magnitude alone": {
        "method": "magnitude",
        "sweep": {"seeds": [0, 1], "pruning_ratios": [0, 0.5], "magnitude_networks": ["actor", "both"]},
    },
    "one without masks": {"method": "pcgrad", "sweep": {"seeds": [0, 1]}},
}
"""The same for sweeps over methods."""
