"""Pages as Chromium shows them."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError

_SCROLL = """
const heading = [...document.querySelectorAll("h1, h2, h3")].find((one) => one.textContent.trim() === arguments[0]);
heading?.scrollIntoView();
return heading !== undefined;
"""


@dataclass(frozen=True)
class Shot:
    """One screenshot.

    Args:
        image: The picture's path beside the document.
        page: The page, relative to the camera's root.
        size: Width and height in pixels; height 0: as tall as the page.
        at: Text of the heading that stands at the top; none: the page's start.
        script: Run before the picture is taken; it may use ``await``.
        dark: Whether the reader prefers dark pages.
        scale: Pixels of the picture for each pixel of the page.
        transparent: Whether the picture is transparent where the page draws nothing.
    """

    image: str
    page: Path
    size: tuple[int, int] = (1000, 800)
    at: str | None = None
    script: str = ""
    dark: bool = False
    scale: int = 1
    transparent: bool = False


class Camera:
    """Headless Chromium, started with the first screenshot. ``CHROMIUM`` and ``CHROMEDRIVER`` name other programs.

    Args:
        root: Folder against which pages are read.
        beside: Folder of the document, against which pictures are written.
    """

    def __init__(self, root: Path, beside: Path) -> None:
        self.root, self.beside = root, beside
        self._driver: Any = None

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        if self._driver is not None:
            self._driver.quit()

    def take(self, shot: Shot) -> Path:
        """Load the page, run the script, and keep what the window shows.

        Raises:
            AltTrainError: There is no Chromium, no such page, or no such heading.
        """
        page = self.root / shot.page
        if not page.is_file():
            raise AltTrainError(f"{shot.image}: {shot.page} is not there")
        driver = self._browser()
        scheme = {"name": "prefers-color-scheme", "value": "dark" if shot.dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        width, height = shot.size
        # The window's own size would count a frame that headless Chromium does not draw.
        metrics = {"width": width, "height": height or 1, "deviceScaleFactor": shot.scale, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        background = {"color": {"r": 0, "g": 0, "b": 0, "a": 0}} if shot.transparent else {}
        driver.execute_cdp_cmd("Emulation.setDefaultBackgroundColorOverride", background)
        driver.get(page.resolve().as_uri())
        if not height:
            metrics["height"] = driver.execute_script("return Math.ceil(document.body.getBoundingClientRect().bottom)")
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        if shot.script:
            driver.execute_script(f"return (async () => {{ {shot.script}\n }})()")  # a promise is waited for
        if shot.at is not None and not driver.execute_script(_SCROLL, shot.at):
            raise AltTrainError(f"{shot.image}: {shot.page} has no heading '{shot.at}'")
        target = self.beside / shot.image
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name(f".{os.getpid()}.{target.name}")
        scratch.write_bytes(driver.get_screenshot_as_png())
        scratch.replace(target)
        return target

    def _browser(self) -> Any:
        if self._driver is None:
            from selenium import webdriver

            chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
            driver = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
            if chromium is None or driver is None:
                raise AltTrainError("no Chromium with its driver; name them in CHROMIUM and CHROMEDRIVER")
            options = webdriver.ChromeOptions()
            options.binary_location = chromium
            for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
                options.add_argument(argument)
            self._driver = webdriver.Chrome(options, webdriver.ChromeService(driver))
        return self._driver
