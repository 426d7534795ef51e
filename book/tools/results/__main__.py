"""``python -m book.tools.results [FOLDER]``: write the page of results from the receipts of a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from paulbook.studies.receipts import SHIPPED

from .page import ROOT, write
from .shelf import Shelf


def main() -> None:
    """Read the arguments, write the page."""
    parser = argparse.ArgumentParser(prog="python -m book.tools.results", description=__doc__)
    parser.add_argument("folder", nargs="?", default=SHIPPED, type=Path, help="of receipts")
    parser.add_argument("--root", default=ROOT, type=Path, help="of the tree that the page is written into")
    given = parser.parse_args()
    print(write(Shelf(given.folder), given.root))


if __name__ == "__main__":
    main()
