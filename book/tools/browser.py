"""Chromium without a window, for the tests of the pages and for the book as a PDF."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Chromium asks its makers' servers for many things by itself; none of it belongs to a page
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run", "--disable-quic", "--allow-file-access-from-files"]


class NoBrowserError(RuntimeError):
    """There is no Chromium."""


@contextmanager
def browser() -> Iterator[Any]:
    """The Chromium of this machine, else the one of ``playwright install chromium``.

    Raises:
        NoBrowserError: there is none.
    """
    from playwright.sync_api import Error, sync_playwright

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=program, args=QUIET)
        except Error as error:
            found = "found no Chromium; expected one as chromium or google-chrome; run: playwright install chromium"
            raise NoBrowserError(found) from error
        yield opened
        opened.close()
