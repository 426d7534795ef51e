"""nbval over chapters and assignments, as ``-p tests.nbval_rules``: strict, but for what can never be compared.

Figures and tables are compared by their numbers, which `paulbook.numbers.MIME` carries beside the HTML.
"""

import copy
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from paulbook.numbers import MIME

NEVER_COMPARED = (
    "stderr",
    "text/html",
    "image/svg+xml",
    "application/vnd.jupyter.widget-view+json",
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
WITHIN = 0.02  # how far a number may lie from the stored one, as a share of the largest in its column
RUN = "numbers-of-a-run"  # tag of a cell about a network that its notebook has trained, differently on each processor
WITHIN_RUN = 1.0  # so of these, what is compared is words, rows and the order of size; printed lines hold the claims


def pytest_configure() -> None:
    """Figures as frames and no progress bars, as when the stored outputs were made; numbers compared as numbers."""
    os.environ.update({"PAULLITE_BOOK": "1", "TQDM_DISABLE": "1"})
    from nbval.plugin import IPyNbCell

    exact = IPyNbCell.compare_outputs

    def compare_outputs(self: Any, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        within = WITHIN_RUN if RUN in self.cell.metadata.get("tags", []) else WITHIN
        return bool(exact(self, settled(test, ref, within), ref, skip_compare))

    if exact.__name__ != compare_outputs.__name__ or exact.__module__ != __name__:
        IPyNbCell.compare_outputs = compare_outputs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """nbval leaves out PNG and JPEG by itself, but has no option for more. The longest notebooks run first.

    With two processes, a long one that begins last would leave the other process idle.
    """
    items.sort(key=lambda item: -_seconds(item.parent))
    for item in items:
        notebook = item.parent
        if hasattr(notebook, "skip_compare"):
            notebook.skip_compare = (*notebook.skip_compare, *NEVER_COMPARED)


def _seconds(notebook: object) -> float:
    """How long a notebook took when it was run for the book; 0 if it does not say so."""
    return getattr(notebook, "nb", {}).get("metadata", {}).get("paullite", {}).get("seconds", 0)


def settled(test: list[Any], ref: list[Any], within: float) -> list[Any]:
    """The new outputs, with the stored numbers in place of those that are near; all others stay and are found."""
    test = copy.deepcopy(test)
    for new, old in zip(_with_numbers(test), _with_numbers(ref), strict=False):
        if near(new[MIME], old[MIME], within):
            new[MIME] = old[MIME]
    return test


def _with_numbers(outputs: list[Any]) -> Iterator[Any]:
    return (output["data"] for output in outputs if MIME in output.get("data", {}))


def near(new: list[dict[str, Any]], old: list[dict[str, Any]], within: float) -> bool:
    """Whether two lists of tables have the same words, and numbers that lie near each other.

    >>> table = lambda *values: [{"title": "", "columns": [["mAP, %", list(values)]]}]
    >>> near(table("20.1", "0.2"), table("20.0", "0.1"), 0.02), near(table("20.1"), table("77.7"), 0.02)
    (True, False)
    """
    heads = [[(table["title"], [name for name, _ in table["columns"]]) for table in tables] for tables in (new, old)]
    columns = [[values for table in tables for _, values in table["columns"]] for tables in (new, old)]
    return heads[0] == heads[1] and all(_near_column(*pair, within) for pair in zip(*columns, strict=True))


def _near_column(new: list[str], old: list[str], within: float) -> bool:
    words = [[NUMBER.sub("#", text) for text in column] for column in (new, old)]
    mine, theirs = ([float(n) for text in column for n in NUMBER.findall(text)] for column in (new, old))
    most = within * max(map(abs, theirs), default=0)
    return words[0] == words[1] and all(abs(a - b) <= most for a, b in zip(mine, theirs, strict=True))
