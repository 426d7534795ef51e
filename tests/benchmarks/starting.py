"""How long it takes until something happens: importing the library, against the packages below it; the first help."""

import subprocess
import sys
import time
from collections.abc import Mapping
from statistics import median

from tests.benchmarks.bar import ROOT
from tests.benchmarks.timing import Row, rows, table

GOAL = 1.05  # times the packages that the library stands on
HELP_GOAL = 1.0  # seconds
BELOW = "torch, timm, torchvision"
IMPORTS = {
    f"import {BELOW}": f"import {BELOW}",
    "import paullite, all its names": "import paullite as pl; pl.data.PaperDolls; [getattr(pl, x) for x in pl.__all__]",
}


def import_seconds(line: str) -> float:
    """Seconds of a line in a fresh Python, which starts before the clock does."""
    code = f"import time; began = time.perf_counter(); {line}; print(time.perf_counter() - began)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return float(found.stdout)


def help_seconds() -> float:
    """Seconds of ``paullite --help``, from the start of Python to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "paullite", "--help"], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began


def run(imports: Mapping[str, str] = IMPORTS, repeats: int = 5) -> str:
    """The table: medians, the lines in turn, after a first round that fills the disk's cache."""
    found = [{name: import_seconds(line) for name, line in imports.items()} for _ in range(repeats + 1)][1:]
    base, ours = imports
    lines = rows({name: median(one[name] for one in found) for name in imports}, base, {ours: GOAL})
    seconds = median([help_seconds() for _ in range(repeats + 1)][1:])
    lines.append(Row("paullite --help", seconds, seconds, HELP_GOAL, note="ratio to 1 second"))
    return table("Start, in a fresh process", lines)
