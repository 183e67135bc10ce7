"""The report of a finished experiment: one file that shows everything, and asks no other machine for anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from must.config import Experiment, parse_experiment
from must.config.outputs import figure_names, table_names
from tests.support.browser import Browser, open_browser
from tests.support.helpers import ROOT
from tests.support.workflow import Workflow

PROFILE = ROOT / "workflow" / "profiles" / "local"
REPORT = Path("results", "smoke", "report.html")


def make_report(directory: Path, config: dict[str, Any], **variables: str) -> subprocess.CompletedProcess[str]:
    """Do what `make report` does, for an experiment in another directory than the repository."""
    path = directory.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "must.workflow.report", "--config", path, "--profile", PROFILE]
    env = {**{key: value for key, value in os.environ.items() if key != "MUJOCO_GL"}, **variables}
    return subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(finished: Workflow, tmp_path: Path) -> Path:
    """A copy of the finished experiment, which a test may add to."""
    directory = tmp_path / "copy"
    shutil.copytree(finished.directory, directory)
    return directory


def test_before_the_experiment_the_user_is_told_to_run_it(workflow: Workflow, smoke: dict[str, Any]) -> None:
    done = make_report(workflow.directory, smoke)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "make: results/smoke: no run of this experiment is there; run first: make reproduce CONFIG=" in done.stderr
    assert workflow.files == []


def test_an_unfinished_experiment_is_not_reported(copy: Path, smoke: dict[str, Any]) -> None:
    before = sorted(copy.rglob("results/**/*"))
    smoke["sweep"]["seeds"] = [0, 1, 2]
    done = make_report(copy, smoke)
    assert done.returncode == 2
    assert "make: results/smoke: the experiment is not finished" in done.stderr
    assert "run first: make reproduce CONFIG=" in done.stderr
    assert sorted(copy.rglob("results/**/*")) == before


@pytest.mark.slow
def test_a_machine_that_cannot_draw_gets_a_report_without_clips(copy: Path, smoke: dict[str, Any]) -> None:
    done = make_report(copy, smoke, MUJOCO_GL="directx")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "make: the report has no clips: MUJOCO_GL=directx" in done.stderr
    assert "apt-get install libegl1" in done.stderr
    text = (copy / REPORT).read_text(encoding="utf-8")
    names = [f"pages/{name}.html" for name in (*table_names(parse_experiment(smoke)), "config")]
    names += [f"figures/{name}.svg" for name in figure_names(parse_experiment(smoke))]
    assert [name for name in names if f"results/smoke/{name}" not in text] == []
    assert "clips/" not in text
    assert not list(copy.rglob("*.partial.html"))


@pytest.mark.system
def test_the_report_in_a_browser(copy: Path, smoke: dict[str, Any], tmp_path: Path) -> None:
    done = make_report(copy, smoke)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no clips" not in done.stderr
    (tmp_path / "elsewhere").mkdir()
    report = Path(shutil.copy(copy / REPORT, tmp_path / "elsewhere"))
    shutil.rmtree(copy)  # the report needs nothing of what it was made from
    with open_browser(tmp_path / "profile") as browser:
        look_at_everything(browser, report, parse_experiment(smoke))


def look_at_everything(browser: Browser, report: Path, experiment: Experiment) -> None:
    picture = "//img[not(ancestor::nav)]"
    browser.open(report)
    for category in ("Tables", "Figures", "Clips", "Configuration"):
        browser.find(menu_item(category))
    browser.screenshot("menu")

    browser.click(menu_item("Figures"))
    for name in figure_names(experiment):
        browser.click(button(name.replace("_", " "), number=1))
        drawn = browser.find(f"{picture}[starts-with(@src, 'data:image/svg+xml') and contains(@src, '{name}.svg')]")
        browser.wait_until("arguments[0].complete && arguments[0].naturalWidth > 0", drawn)
        browser.screenshot(f"figure-{name}")
    browser.click(button("learning curves", number=2))
    browser.find("//nav//*[contains(., 'Success rate against environment steps')]")
    browser.screenshot("caption")

    go_home(browser)
    browser.click(menu_item("Tables"))
    for name in table_names(experiment):
        browser.click(button(name.replace("_", " "), number=1))
        with browser.inside("//iframe"):
            browser.find(f"//title[.='{name}']")
            assert browser.find("//table//th").text
            assert browser.find("//table//td").text
        browser.screenshot(f"table-{name}")

    go_home(browser)
    browser.click(menu_item("Clips"))
    for task in experiment.env.task_names:
        browser.click(button(task, number=1))
        with browser.inside("//iframe"):
            clip = browser.find(f"//img[@alt='{task}' and starts-with(@src, 'data:image/gif')]")
            browser.wait_until("arguments[0].complete && arguments[0].naturalWidth == 320", clip)
        browser.screenshot(f"clip-{task}")

    go_home(browser)
    browser.click(menu_item("Configuration"))
    browser.click(button("config.yaml", number=1))
    with browser.inside("//iframe"):
        assert "pruning_ratios:" in browser.find("//pre").text
    browser.screenshot("configuration")

    go_home(browser)
    browser.click(menu_item("Statistics"))
    for chart in ("runtimes", "timeline"):
        assert is_drawn(browser, f"//div[@id='{chart}']//canvas")
    browser.screenshot("statistics")
    browser.click(menu_item("Workflow"))
    assert is_drawn(browser, "//div[@id='rulegraph']//canvas")
    rules = browser.find("//script[@id='rulegraph']").get_attribute("textContent") or ""
    assert all(f'"{rule}"' in rules for rule in ("train", "aggregate", "figures", "pages", "clip"))
    browser.screenshot("workflow")

    assert browser.errors() == []
    requests = browser.requests()
    assert report.as_uri() in requests
    assert {urlsplit(address).scheme for address in requests} <= {"file", "data", "blob", "about"}
    assert [address for address in requests if address.startswith("file")] == [report.as_uri()]

    # Had any part of it asked for more, that would have been seen.
    go_home(browser)
    browser.click(menu_item("Tables"))
    browser.click(button("per task", number=1))
    ask = "await fetch(arguments[0]).catch(() => 0); return location.protocol"
    assert browser.driver.execute_script(ask, "http://elsewhere/page") == "file:"
    with browser.inside("//iframe"):
        assert browser.driver.execute_script(ask, "http://elsewhere/frame") == "data:"
    assert browser.requests()[-2:] == ["http://elsewhere/page", "http://elsewhere/frame"]
    assert len(browser.errors()) == 2


def menu_item(text: str) -> str:
    return f"//nav//li/a[span[.='{text}']]"


def button(label: str, number: int) -> str:
    """Find a button in the row of a list of results: the first shows the result, the second its caption."""
    return f"//nav//tr[td[normalize-space(.)='{label}']]/td[last()]//a[{number}]"


def go_home(browser: Browser) -> None:
    browser.click("//nav//ol/li[1]/a")


def is_drawn(browser: Browser, xpath: str) -> bool:
    """Whether a canvas shows anything."""
    script = """
        let pixels = new Uint32Array(arguments[0].getContext('2d').getImageData(
            0, 0, arguments[0].width, arguments[0].height).data.buffer);
        return new Set(pixels).size;
    """
    return int(browser.driver.execute_script(script, browser.find(xpath))) > 5
