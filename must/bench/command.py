"""``must bench``."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping

import torch

from must.bench.measure import machine
from must.bench.report import bench_config, markdown, plot_step_times, run_all, table, write_json, write_page
from must.bench.targets import TARGETS, Settings
from must.environment import cores_here
from must.memory import keep_freed_memory
from must.training.device import resolve_device


def main(options: Namespace, overrides: Mapping[str, str]) -> int:
    """Measure and print; return the exit status.

    Args:
        options: The command's options.
        overrides: Settings that they change: dotted key -> text.
    """
    device = resolve_device(options.device)
    torch.set_num_threads(options.threads or cores_here())
    keep_freed_memory()
    if options.target == "all":
        results = run_all(options.config, device, options.repeats)
        write_json(results, options.out)
        if options.page is not None:
            plot_step_times(results, options.page.parent / "figures" / "step_time.png")
            write_page(results, options.page)
        print(markdown(results))
        return 0
    config = bench_config(options.config, overrides)
    found = TARGETS[options.target](Settings(config, device, options.repeats))
    if options.json:
        results = {"machine": machine(device), "results": [measurement.as_dict() for measurement in found]}
        print(json.dumps(results, indent=1))
    else:
        print(table(found))
    return 0
