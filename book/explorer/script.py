"""The explorer's modules as one classic script, since browsers refuse modules on ``file://``.

    python -m book.explorer.script FILE

Each module becomes a function that returns what it exports, and an import takes names from what another returned. The
page and its worker are the same program: the page hands its own text to the worker.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./(\w+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:const|function) (\w+)", re.MULTILINE)
MORE = re.compile(r"^export const (\w+ = [^;]*);", re.MULTILINE)
ENTRIES = ("page", "worker")
START = """
const explorers = document.querySelectorAll(".paul-explorer");
explorers.forEach((root) => paulExplorer().page(root, String(paulExplorer)));
"""


def ordered(names: tuple[str, ...] = ENTRIES) -> list[str]:
    """Names of all modules that are needed, each behind those that it imports."""
    found: list[str] = []
    for name in names:
        needed = tuple(other for _, other in IMPORT.findall(source(name)))
        found += [one for one in [*ordered(needed), name] if one not in found]
    return found


def source(name: str) -> str:
    """The text of a module."""
    return (FOLDER / f"{name}.js").read_text(encoding="utf-8")


def exported(text: str) -> list[str]:
    """The names that a module exports; ``export const A = 1, B = 2;`` has two."""
    more = [name for line in MORE.findall(text) for name in re.findall(r"(?:^|, )([A-Z]+) = ", line)]
    return sorted({*EXPORT.findall(text), *more})


def wrapped(name: str) -> str:
    """A module as a constant that holds what it exports."""
    text = source(name)
    body = re.sub(r"^export ", "", IMPORT.sub(r"const { \1 } = \2_module;\n", text), flags=re.MULTILINE)
    return f"const {name}_module = (() => {{\n{body}return {{ {', '.join(exported(text))} }};\n}})();\n"


def joined() -> str:
    """The whole script."""
    parts = "\n".join(map(wrapped, ordered()))
    body = f'"use strict";\n{parts}\nreturn {{ page: page_module.page, work: worker_module.work }};'
    return f"(() => {{\nconst paulExplorer = function () {{\n{body}\n}};\n{START}}})();\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(joined(), encoding="utf-8")
