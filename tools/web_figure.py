"""Writes docs/figures/web-recordings.png, a screenshot of the page of recordings with the demo speech.

    python tools/web_figure.py

Needs what the dashboard's tests need (`pip install '.[web,test]'` and chromium), and Pillow.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FIGURE = ROOT / "docs" / "figures" / "web-recordings.png"
COMMAND = [sys.executable, "-m", "edge.cli", "web", "--no-config", "--listen", "127.0.0.1:0"]
SIZE = {"width": 940, "height": 1000}
COLOURS = 256


def main() -> None:
    """Start the dashboard, take the screenshot and write it."""
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE, text=True) as dashboard:
        assert dashboard.stdout is not None  # noqa: S101  # Popen was asked for a pipe
        try:
            picture = look(dashboard.stdout.readline().split()[-1])
        finally:
            dashboard.terminate()
    # A palette looks the same in a third of the bytes.
    Image.open(BytesIO(picture)).convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(
        FIGURE, optimize=True
    )


def look(url: str) -> bytes:
    """The page as PNG, with a turn selected."""
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport=SIZE, color_scheme="light")
        page.goto(url)
        page.set_input_files("#file", ROOT / "edge" / "demo_speech.ogg")
        page.locator("#turns button").nth(6).click(timeout=120_000)
        expect(page.locator("#player")).to_have_js_property("readyState", 4)
        page.locator("h1").click()
        bottom = page.locator("#detail").bounding_box()
        assert bottom is not None  # noqa: S101  # the click has shown it
        height = bottom["y"] + bottom["height"] + 12
        page.set_viewport_size({**SIZE, "height": round(height)})
        return page.screenshot()


if __name__ == "__main__":
    main()
