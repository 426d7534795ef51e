"""The explorer's modules as one classic script, since browsers refuse modules on ``file://``.

    python -m book.explorer.script FILE

The page and its worker are the same program: the page hands its own text to the worker.
"""

from __future__ import annotations

import sys
from pathlib import Path

from paulbook import joining

FOLDER = Path(__file__).resolve().parent
ENTRIES = (FOLDER / "page.js", FOLDER / "worker.js")
START = """
const explorers = document.querySelectorAll(".paul-explorer");
explorers.forEach((root) => paulExplorer().page(root, String(paulExplorer)));
"""


def joined() -> str:
    """The whole script."""
    body = (
        f'"use strict";\n{joining.constants(ENTRIES)}\nreturn {{ page: page_module.page, work: worker_module.work }};'
    )
    return f"(() => {{\nconst paulExplorer = function () {{\n{body}\n}};\n{START}}})();\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(joined(), encoding="utf-8")
