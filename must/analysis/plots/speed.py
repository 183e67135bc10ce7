"""Training speed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from must.analysis.costs import cost_of
from must.analysis.load import Results
from must.analysis.plots.panels import label_of, note_of, titled_panels, variant_titles
from must.analysis.style import DENSE, legend_below, variant_looks
from must.analysis.variants import variants


def training_speed(results: Results) -> Figure | None:
    """Draw gradient steps a second against the share of the policy that a task uses: a line for each variant.

    A point is the mean over seeds and update intervals.

    Returns:
        The figure; None when no finished run has a log of times and sizes.
    """
    shown = variants(results)
    figure, (axes,) = titled_panels([[]], 1, [1.9])
    handles: dict[str, Any] = {}
    looks = variant_looks(len(shown))
    for variant, title, look in zip(shown, variant_titles(shown), looks, strict=True):
        speeds: dict[float, list[float]] = {}
        for group in variant.groups:
            cost = cost_of(group)
            if math.isnan(cost.density) or math.isnan(cost.gradient_steps_per_s):
                continue
            speeds.setdefault(cost.density, []).append(cost.gradient_steps_per_s)
            if group.dense:
                point = DENSE.line() | {"linestyle": "none", "zorder": 3}
                (handles[label_of(group)],) = axes.plot(cost.density, cost.gradient_steps_per_s, **point)
        if variant.masked and speeds:
            densities = sorted(speeds)
            (line,) = axes.plot(densities, [np.mean(speeds[density]) for density in densities], **look.line())
            handles[", ".join(title) or "masks"] = line
    if not handles:
        return None
    axes.set_xlabel("Density (share of the policy that a task uses)")
    axes.set_ylabel("Gradient steps per second")
    axes.set_xlim(0, 1.03)
    axes.set_ylim(bottom=0)
    legend_below(figure, handles, "Runs", note_of(results, spread=False))
    return figure
