"""A real browser without a screen, which can reach no other machine and writes down everything it asks for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

WAIT = 180.0
"""Seconds; a page of some megabytes takes a slow machine a while."""
NOTHING_MOVES = """(async () => {
    await new Promise(requestAnimationFrame);
    return document.getAnimations().every(animation => animation.playState != 'running');
})()"""
"""True in JavaScript once no element is on its way to another place or size."""
OFFLINE = (
    "--headless=new",
    "--no-sandbox",  # for tests run as root
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1500,1000",
)


class Browser:
    """One page in a browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self._requests: list[str] = []

    def open(self, path: Path) -> None:
        """Open a file; what the browser itself asked for when it started does not count."""
        self.driver.get("about:blank")
        self.requests()
        self.errors()
        self._requests = []
        self.driver.get(path.as_uri())

    def find(self, xpath: str) -> WebElement:
        """Wait for something on the page."""
        return WebDriverWait(self.driver, WAIT).until(
            lambda driver: next(iter(driver.find_elements(By.XPATH, xpath)), None), f"not on the page: {xpath}"
        )

    def click(self, xpath: str) -> None:
        """Click on something; while the page is still being laid out, something else may lie there.

        A link that moves between the press and the release of the button is not clicked on, and nothing says
        so: wait for the end of all animations first.
        """

        def clicked(driver: webdriver.Chrome) -> bool:
            element = self.find(xpath)
            driver.execute_script("arguments[0].scrollIntoView()", element)
            self.wait_until(NOTHING_MOVES)
            element.click()
            return True

        moving = (ElementClickInterceptedException, StaleElementReferenceException)
        WebDriverWait(self.driver, WAIT, ignored_exceptions=moving).until(clicked, f"cannot be clicked on: {xpath}")

    def wait_until(self, script: str, *arguments: object) -> None:
        """Wait until JavaScript says true."""
        WebDriverWait(self.driver, WAIT).until(
            lambda driver: driver.execute_script(f"return {script}", *arguments), f"never true: {script}"
        )

    @contextmanager
    def inside(self, xpath: str) -> Iterator[None]:
        """Look into a frame of the page."""
        self.driver.switch_to.frame(self.find(xpath))
        try:
            yield
        finally:
            self.driver.switch_to.default_content()

    def screenshot(self, name: str) -> None:
        """Keep a picture of the page where the variable BROWSER_PICTURES names a directory."""
        if "BROWSER_PICTURES" in os.environ:
            self.driver.save_screenshot(str(Path(os.environ["BROWSER_PICTURES"], f"{name}.png")))

    def requests(self) -> list[str]:
        """Return every address that was asked for so far, by the page and by what is in it."""
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                params = message["params"]
                self._requests.append(params.get("request", params)["url"])
        return self._requests

    def errors(self) -> list[str]:
        """Return the errors that the console shows so far; Snakemake's own page has warnings about its libraries."""
        log = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]


@contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """Start the browser, and end it afterwards.

    Args:
        profile: A directory for what it writes.
    """
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    assert all(programs), "no chromium, or no chromedriver: as root, apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for argument in (*OFFLINE, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(executable_path=str(programs[1]))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
