"""The documentation site in a browser, opened from the disk: complete, searchable, and it asks no other machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.support.browser import Browser, open_browser
from tests.support.helpers import ROOT

pytestmark = pytest.mark.system
SITE = ROOT / "build" / "site"
WIDTHS = {"desktop": 1400, "phone": 390}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser, when the site is built."""
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "--old-file=setup", "docs-site"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def show(browser: Browser, page: Path, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.open(page)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_every_page_fits_and_asks_for_nothing_from_elsewhere(browser: Browser, width: int) -> None:
    pages = sorted(path for path in SITE.rglob("*.html") if path.name != "404.html")
    assert {SITE / "index.html", SITE / "cluster.html", SITE / "reference" / "must.networks.html"} <= set(pages)
    for page in pages:
        show(browser, page, width)
        browser.find("//article//h1")
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= width, page
        assert browser.errors() == [], page
        assert [address for address in browser.requests() if not address.startswith(("file:", "data:"))] == [], page
        pictures = "return [...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
        browser.wait_until("document.readyState === 'complete'")
        assert browser.driver.execute_script(pictures) == [], page
    browser.screenshot(f"site-{width}")


def test_the_search_finds_a_page_from_the_disk(browser: Browser) -> None:
    show(browser, SITE / "index.html", WIDTHS["desktop"])
    browser.driver.execute_script("document.querySelector('[for=__search]').click()")
    browser.find("//input[@placeholder='Search']")
    browser.wait_until("document.activeElement.placeholder === 'Search'")
    browser.driver.switch_to.active_element.send_keys("preempted")
    found = browser.find("//*[contains(@class, 'md-search-result__item')]//a")
    assert "cluster.html" in (found.get_attribute("href") or "")
    assert browser.driver.find_elements(By.CSS_SELECTOR, ".md-search-result__item mark")
