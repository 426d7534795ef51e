"""nbval over chapters and assignments, as ``-p tests.nbval_rules``: strict, but for what can never be compared."""

import os

import pytest

NEVER_COMPARED = (
    "stderr",
    "text/html",
    "image/svg+xml",
    "application/vnd.jupyter.widget-view+json",
)


def pytest_configure() -> None:
    """Figures as frames and no progress bars, as when the stored outputs were made."""
    os.environ.update({"PAULLITE_BOOK": "1", "TQDM_DISABLE": "1"})


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
