"""The table of all benchmarks: figures of this machine as JSON, and a page about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from must.bench.measure import Measurement, machine
from must.bench.targets import TARGETS, Settings
from must.config import CONTROL, DEFAULT, METHODS, RunConfig, load_experiment
from must.errors import ResultsError

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
GPU_BEGIN, GPU_END = "<!-- gpu: begin -->", "<!-- gpu: end -->"
PLOT = "![Time of a gradient step against the pruning ratio](figures/step_time.png)"
RATIOS = ("0", "0.2", "0.5", "0.8", "0.95")
VARIANTS: tuple[tuple[str, Mapping[str, str], tuple[str, ...]], ...] = (
    ("dense", {"masks.pruning_ratio": "0"}, ("update", "collect", "epoch")),
    ("weight masks 0.5", {"masks.pruning_ratio": "0.5"}, ("collect", "epoch")),
    ("weight masks 0.5, dense head", {"masks.pruning_ratio": "0.5"}, ("mask-update",)),
    (
        "weight masks 0.5, factorised head",
        {"masks.pruning_ratio": "0.5", "generator.head": "factorised"},
        ("mask-update",),
    ),
    *((f"weight masks {ratio}", {"masks.pruning_ratio": ratio}, ("update",)) for ratio in RATIOS[1:]),
    *((f"neuron masks {ratio}", {"masks.pruning_ratio": ratio}, ("update", "collect")) for ratio in RATIOS[1:]),
    ("neuron masks 0.5", {"masks.pruning_ratio": "0.5"}, ("mask-update", "epoch", "checkpoint")),
    *((f"method {name}", {"method": name}, ("update",)) for name in METHODS if name not in (DEFAULT, CONTROL)),
    ("Meta-World", {"masks.pruning_ratio": "0", "env.reward": "v2"}, ("env",)),
)
"""What `make bench` measures: title, settings, targets."""
NEURON = {
    "masks.granularity": "neuron",
    "masks.mask_biases": "null",
    "generator.head": "null",
    "generator.rank": "null",
}


def bench_config(path: Path, overrides: Mapping[str, str]) -> RunConfig:
    """Return the settings to measure: an experiment's, with some keys changed."""
    overrides = dict(overrides)
    if overrides.get("masks.granularity") == "neuron":
        overrides = NEURON | overrides
    return load_experiment(path, overrides).run_config()


def run_all(path: Path, device: torch.device, repeats: int) -> dict[str, Any]:
    """Measure all variants of an experiment's settings; return them with a description of the machine."""
    results: dict[str, list[dict[str, Any]]] = {}
    for title, overrides, targets in VARIANTS:
        if title.startswith("neuron"):
            overrides = {"masks.granularity": "neuron", **overrides}
        settings = Settings(bench_config(path, overrides), device, repeats)
        for target in targets:
            results.setdefault(title, []).extend(found.as_dict() for found in TARGETS[target](settings))
    return {"machine": machine(device), "config": path.name, "results": results}


def table(measurements: Iterable[Measurement]) -> str:
    """Lay measurements out for a terminal."""
    rows = [
        (
            found.name,
            f"{found.median:.4g}",
            f"{found.low:.4g} - {found.high:.4g}" if found.repeats > 1 else "",
            found.unit,
            "" if found.gflop is None else f"{found.gflop:.3g}",
            "" if found.peak_share is None else f"{found.peak_share:.0%}",
        )
        for found in measurements
    ]
    rows.insert(0, ("what", "median", "10 % - 90 %", "unit", "GFLOP", "of peak"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def write_json(results: Mapping[str, Any], path: Path) -> None:
    """Write what `run_all` gave."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def markdown(results: Mapping[str, Any]) -> str:
    """Lay out what `run_all` gave as a table for a page."""
    lines = ["| setting | what | median | 10 % - 90 % | of peak |", "|---|---|---:|---:|---:|"]
    for title, measurements in results["results"].items():
        for found in measurements:
            spread = f"{found['low']:.3g} - {found['high']:.3g}" if found["repeats"] > 1 else ""
            share = f"{found['peak_share']:.0%}" if "peak_share" in found else ""
            lines.append(f"| {title} | {found['name']} | {found['median']:.3g} {found['unit']} | {spread} | {share} |")
    about = results["machine"]
    facts = (
        about["gpu"] or about["cpu"],
        f"{about['threads']} threads",
        f"{about['matrix_gflop_per_s']:.0f} GFLOP/s in a large matrix product",
        f"torch {about['packages']['torch']}",
        f"sizes of `config/{results['config']}`",
        f"commit {(about['git_commit'] or 'unknown')[:10]}",
    )
    return "\n".join((*lines, "", ", ".join(facts) + ".")) + "\n"


def write_page(results: Mapping[str, Any], page: Path) -> None:
    """Write the table of what `run_all` gave between the two marks of a page.

    Raises:
        ResultsError: The page does not have them.
    """
    text = _between(page.read_text(), BEGIN, END, f"{PLOT}\n\n{markdown(results)}", str(page))
    page.write_text(text)


def _between(text: str, begin: str, end: str, table: str, name: str) -> str:
    """Return a page's text with a table between two marks, in place of what was there.

    Raises:
        ResultsError: The text does not have the marks.
    """
    before, found, rest = text.partition(begin)
    _, last, after = rest.partition(end)
    if not last:
        raise ResultsError(f"{name}: has no lines {begin} and {end}, between which the table would be written")
    return f"{before}{found}\n{table}{last}{after}"


def gpu_page(page: str, found: Mapping[str, Any], name: str) -> str:
    """Write what `benchmarks/gpu.sh` found on a GPU between two marks of a page's text; return the new text.

    Args:
        page: The text.
        found: What `benchmarks/gpu.py summary` put together.
        name: Of its file in ``benchmarks/results``.

    Raises:
        ResultsError: The page does not have the marks.
    """
    lines = ["| setting | what | found |", "|---|---|---:|"]
    for part in ("steps", "masks", "sharing"):
        for title, values in found.get(part, {}).items():
            if title == "machine":
                continue
            for each in values if isinstance(values, list) else [values]:
                lines += [f"| {title} | {what} | {value} |" for what, value in _gpu_cells(each)]
    epochs = found.get("epoch", [])
    for column in ("collect_s", "learn_s", "evaluate_s") if epochs else ():
        seconds = sum(row[column] for row in epochs[1:]) / max(1, len(epochs) - 1)
        lines.append(f"| an epoch of mt10_standard, neuron 0.8 | {column.removesuffix('_s')} | {seconds:.3g} s |")
    about = found["steps"]["machine"]
    facts = f"{about['gpu']}, {about['cpu_cores']} cores of {about['cpu']}, torch {about['packages']['torch']}"
    table = "\n".join((*lines, "", f"{facts}; all of it: `benchmarks/results/{name}.json`.", ""))
    return _between(page, GPU_BEGIN, GPU_END, table, "the page")


def _gpu_cells(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Lay one measurement out: what, and its value."""
    if "error" in found:
        return [("failed", str(found["error"]).replace("|", "/"))]
    if "steps_per_second" in found:
        return [("gradient steps a second, all runs", f"{found['steps_per_second']:.4g}")]
    cells = [(str(found["name"]), f"{found['median']:.3g} {found['unit']}")]
    return [*cells, ("kernels of a step", str(found["kernels"]))] if "kernels" in found else cells


def step_times(results: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Return, for each granularity, (pruning ratio, milliseconds of a gradient step), dense first."""

    def step(title: str) -> float:
        found = next(entry for entry in results["results"][title] if entry["name"] == "gradient step")
        return float(found["median"])

    return {
        kind: [(0.0, step("dense")), *((float(ratio), step(f"{kind} masks {ratio}")) for ratio in RATIOS[1:])]
        for kind in ("weight", "neuron")
    }


def plot_step_times(results: Mapping[str, Any], path: Path) -> None:
    """Draw the time of a gradient step against the pruning ratio, for both granularities."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from must.analysis.style import ONE_COLUMN, STYLE, lay_out

    with mpl.rc_context(STYLE):
        drawing = Figure(figsize=(ONE_COLUMN, 2.3), layout="constrained")
        axes = drawing.subplots()
        for (kind, points), marker in zip(step_times(results).items(), ("s", "o"), strict=True):
            axes.plot(*zip(*points, strict=True), marker=marker, label=f"{kind} masks")
        axes.set(xlabel="pruning ratio", ylabel="gradient step (ms)")
        axes.set_ylim(bottom=0)
        axes.legend()
        lay_out(drawing)
        drawing.savefig(path, dpi=200)
