"""The page of a running sweep in a real browser: everything is on it, and it asks no other machine for anything."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By

from must.sweep.page import write_page
from must.sweep.survey import survey
from tests.support.browser import open_browser
from tests.support.sweep_runs import KINDS, MadeUpSweep


@pytest.mark.system
def test_the_page_of_a_running_sweep(tmp_path: Path) -> None:
    sections = {"seeds": [0, 1, 2], "pruning_ratios": [0, 0.1, 0.3, 0.5, 0.7, 0.9], "update_intervals": [10]}
    sweep = MadeUpSweep(tmp_path / "results", sweep=sections)
    for spec, kind in zip(sweep.specs, KINDS, strict=True):
        sweep.write(spec, kind)
    page = tmp_path / "status.html"
    write_page(page, [survey(sweep.experiment, sweep.directory)], every=None)
    with open_browser(tmp_path / "profile") as browser:
        browser.open(page)
        assert "18 runs" in browser.find("//p[@class='summary']").text
        for state in set(KINDS.values()):
            rows = browser.driver.find_elements(By.XPATH, f"//tr[@data-state='{state}']")
            assert len(rows) == list(KINDS.values()).count(state)
        assert "the disk is full" in browser.find("//li[@class='failed'][1]").text
        begun = [kind for kind in KINDS if KINDS[kind] not in ("missing", "stale") and kind != "refused"]
        curves = browser.driver.find_elements(By.CSS_SELECTOR, "svg polyline")
        assert len(curves) == len(begun)
        assert all(curve.size["width"] > 50 for curve in curves)
        browser.screenshot("status")

        # A page of a sweep that is watched is read again by itself.
        sweep.write(next(spec for spec in sweep.specs if not sweep.place(spec).exists()), "running here")
        before = len(browser.driver.find_elements(By.XPATH, "//tr[@data-state='running']"))
        write_page(page, [survey(sweep.experiment, sweep.directory)], every=1)
        browser.open(page)
        browser.wait_until("document.querySelectorAll('tr[data-state=running]').length == arguments[0]", before + 1)
        write_page(page, [survey(sweep.experiment, sweep.directory)], every=None)
        browser.wait_until("!document.querySelector('meta[http-equiv=refresh]')")

        assert browser.errors() == []
        assert {urlsplit(address).scheme for address in browser.requests()} <= {"file", "data", "about"}
        assert {address for address in browser.requests() if address.startswith("file")} == {page.as_uri()}
