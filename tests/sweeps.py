"""Experiments of every shape that tables and figures have to fit: sections of their configurations."""

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
