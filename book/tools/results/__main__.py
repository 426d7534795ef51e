"""``python -m book.tools.results [FOLDER]``: write the page of results from the records of a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from paulbook.studies.receipts import SHIPPED

from .page import write
from .records import Records


def main() -> None:
    """Read the arguments, write the page."""
    parser = argparse.ArgumentParser(prog="python -m book.tools.results", description=__doc__)
    parser.add_argument("folder", nargs="?", default=SHIPPED, type=Path, help="of records, if not the package's own")
    parser.add_argument("--root", type=Path, help="of the tree to write into; of other records if none: runs/results")
    given = parser.parse_args()
    print(write(Records(given.folder), given.root))


if __name__ == "__main__":
    main()
