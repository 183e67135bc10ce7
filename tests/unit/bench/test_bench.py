import json

import pytest
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from must.algorithms import make_agent
from must.bench.kernels import count_kernels
from must.bench.operations import gradient_step_gflop
from must.bench.report import (
    BEGIN,
    END,
    GPU_BEGIN,
    GPU_END,
    PLOT,
    gpu_page,
    markdown,
    plot_step_times,
    run_all,
    step_times,
    write_page,
)
from must.bench.targets import TARGETS
from must.cli import main
from must.errors import ResultsError
from must.methods.must.masks import GeneratedMasks
from tests.support.helpers import SMALL, merged, random_batch, random_trajectories, small_config

TINY = merged(SMALL, {"sac": {"buffer_size": 900}, "masks": {"max_churn": 1.0}})


@pytest.mark.parametrize("masks", [{"pruning_ratio": 0}, {"granularity": "neuron", "pruning_ratio": 0.5}])
def test_counted_operations_are_those_that_torch_carries_out(masks):
    config = small_config(masks=masks, network={"hidden_sizes": [24, 16, 8]})
    agent = make_agent(config, torch.device("cpu"))
    if isinstance(agent.masks, GeneratedMasks):
        agent.masks.publish_initial(random_trajectories(agent.n_tasks))
    batch = random_batch(3, config.sac.batch_size_per_task)
    with FlopCounterMode(display=False) as counter:
        agent.gradient_step(batch)
    assert counter.get_total_flops() == pytest.approx(1e9 * gradient_step_gflop(config))


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_measured(target, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    options = ["--config", "tiny.yaml", "--repeats", "2", "--threads", "1"]
    assert main(["bench", target, *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["results"]
    assert all(entry["median"] > 0 for entry in found["results"])
    assert found["machine"]["matrix_gflop_per_s"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_the_table_and_the_mistakes(tmp_path, capsys):
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    options = ["--config", str(tmp_path / "tiny.yaml"), "--repeats", "2", "--threads", "1"]
    assert main(["bench", "update", *options, "--granularity", "weight", "--head", "factorised"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["what", "median", "10", "%", "-", "90", "%", "unit", "GFLOP", "of", "peak"]
    assert row.startswith("gradient step")
    for wrong, expected in (("--repeats", "--repeats 0"), ("--threads", "--threads -1")):
        assert main(["bench", "update", *options, *expected.split()]) == 2
        assert wrong in capsys.readouterr().err
    assert main(["bench", "update", *options, "--pruning-ratio", "1"]) == 2
    assert "pruning_ratio" in capsys.readouterr().err


def test_the_report_names_every_variant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = merged(TINY, {"masks": {"granularity": "weight"}, "generator": {"head": "dense"}})
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(small))
    monkeypatch.setattr("must.bench.report.TARGETS", {**TARGETS, "env": lambda _: []})  # minutes otherwise
    results = run_all(tmp_path / "tiny.yaml", torch.device("cpu"), 2)
    table = markdown(results)
    assert "| neuron masks 0.95 | gradient step |" in table
    assert "GFLOP/s in a large matrix product" in table
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_page(results, page)
    assert page.read_text() == f"before\n{BEGIN}\n{PLOT}\n\n{table}{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(ResultsError, match="between which"):
        write_page(results, page)
    times = step_times(results)
    assert [ratio for ratio, _ in times["neuron"]] == [0, 0.2, 0.5, 0.8, 0.95]
    plot_step_times(results, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_shows_what_was_found_on_a_gpu_and_what_failed():
    about = {"gpu": "A GPU", "cpu": "a CPU", "cpu_cores": 16, "packages": {"torch": "2.11.0"}}
    step = {"name": "gradient step", "median": 0.5, "unit": "ms", "kernels": 200}
    found = {
        "steps": {"machine": about, "dense": step, "weight 0.5": {"error": "out of memory | of the GPU"}},
        "masks": {"neuron 0.8": [{"name": "gradient step that learns masks", "median": 1.25, "unit": "ms"}]},
        "sharing": {"dense, 8 runs": {"steps_per_second": 4321.0, "runs": 8}},
        "epoch": [
            {"collect_s": 9.0, "learn_s": 9.0, "evaluate_s": 9.0},
            {"collect_s": 2, "learn_s": 1, "evaluate_s": 0},
        ],
    }
    text = gpu_page(f"before\n{GPU_BEGIN}\nold\n{GPU_END}\nafter\n", found, "a-gpu")
    assert text.startswith(f"before\n{GPU_BEGIN}\n| setting | what | found |\n")
    assert text.endswith(f"`benchmarks/results/a-gpu.json`.\n{GPU_END}\nafter\n")
    assert "old" not in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert ["dense", "gradient step", "0.5 ms"] in rows
    assert ["dense", "kernels of a step", "200"] in rows
    assert ["weight 0.5", "failed", "out of memory / of the GPU"] in rows
    assert ["dense, 8 runs", "gradient steps a second, all runs", "4321"] in rows
    assert all(len(row) == 3 for row in rows)
    with pytest.raises(ResultsError):
        gpu_page("no marks", found, "a-gpu")


def test_operations_are_counted():
    assert count_kernels(lambda: torch.ones(3) + 1, torch.device("cpu")) == 2
