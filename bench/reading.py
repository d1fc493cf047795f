"""How light the guide is: bytes of the home page, and its first paint on a processor slowed down four times.

python -m bench.reading, with the kit's own environment and a Chromium.
"""

from __future__ import annotations

import gzip
import os
import shutil
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.report import save
from tools.site import build
from tools.stage import served

BROWSERS = ["chromium-headless-shell", "chromium", "google-chrome"]
ROUNDS = 9
SLOWDOWN = 4  # of the processor
TARGETS = {"home_kb": 350, "first_paint_ms": 1000}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def weight_kb(browser: Browser, url: str) -> float:
    """Return what a visitor with an empty cache transfers for the home page, compressed as web servers do."""
    page, sizes = browser.new_page(), []
    page.on("response", lambda response: sizes.append(len(gzip.compress(response.body()))))
    page.goto(url, wait_until="networkidle")
    page.close()
    return round(sum(sizes) / 1000, 1)


def first_paint_ms(browser: Browser, url: str) -> float:
    """Return when the first text is on the screen, with an empty cache and a slow processor."""
    context = browser.new_context()
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(url, wait_until="load")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    found = float(page.evaluate(PAINT))
    context.close()
    return found


def main() -> None:
    """Measure and write bench/results/reading.json."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit("no Chromium here; on Debian: apt install chromium-headless-shell")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver, served(build(Path(folder))) as port:
        browser, url = driver.chromium.launch(executable_path=path), f"http://127.0.0.1:{port}/"
        paints = sorted(first_paint_ms(browser, url) for _ in range(ROUNDS))
        found: dict[str, Any] = {
            "script": "bench/reading.py",
            "date": datetime.now(UTC).date().isoformat(),
            "cores": os.cpu_count(),
            "rounds": ROUNDS,
            "slowdown": SLOWDOWN,
            "home_kb": weight_kb(browser, url),
            "first_paint_ms": round(statistics.median(paints)),
            "first_paint_ms_all": [round(paint) for paint in paints],
            "targets": TARGETS,
        }
        browser.close()
    found["met"] = {name: found[name] <= target for name, target in TARGETS.items()}
    save("reading", found)
    for name, target in TARGETS.items():
        print(f"{name}: {found[name]} (at most {target}: {'met' if found['met'][name] else 'missed'})")


if __name__ == "__main__":
    main()
