"""Small ES modules as one classic script, since browsers refuse modules on ``file://``.

Each module becomes a function that returns what it exports, and an import takes names from what another returned. The
explorer and the figures that compute in the page share modules in this way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

IMPORT = re.compile(r'^import \{ ([^}]+) \} from "(\.[\w./]*)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:const|function) (\w+)", re.MULTILINE)
MORE = re.compile(r"^export const (\w+ = [^;]*);", re.MULTILINE)
COMMENT = re.compile(r"/\*\*.*?\*/[ ]?\n?|^[ ]*//[^\n]*\n", re.MULTILINE | re.DOTALL)


def imported(module: Path) -> list[Path]:
    """The modules that a module imports."""
    found = IMPORT.findall(module.read_text(encoding="utf-8"))
    return [(module.parent / f"{address}.js").resolve() for _, address in found]


def ordered(modules: Sequence[Path]) -> list[Path]:
    """All modules that are needed, each behind those that it imports."""
    found: list[Path] = []
    for module in modules:
        found += [one for one in [*ordered(imported(module)), module.resolve()] if one not in found]
    return found


def exported(text: str) -> list[str]:
    """The names that a module exports; ``export const A = 1, B = 2;`` has two."""
    more = [name for line in MORE.findall(text) for name in re.findall(r"(?:^|, )([A-Z]+) = ", line)]
    return sorted({*EXPORT.findall(text), *more})


def classic(text: str) -> str:
    """The text of a module without its comments, its imports taken from constants and its exports made plain."""
    taken = IMPORT.sub(lambda found: f"const {{ {found[1]} }} = {Path(found[2]).name}_module;\n", text)
    return re.sub(r"^export ", "", COMMENT.sub("", taken), flags=re.MULTILINE)


def constant(module: Path) -> str:
    """A module as a constant that holds what it exports."""
    text = module.read_text(encoding="utf-8")
    names = ", ".join(exported(text))
    return f"const {module.stem}_module = (() => {{\n{classic(text)}return {{ {names} }};\n}})();\n"


def constants(modules: Sequence[Path]) -> str:
    """All modules that are needed, as constants."""
    return "\n".join(map(constant, ordered(modules)))


def expression(script: Path) -> str:
    """A script that is an expression, behind the modules that it imports, as an expression."""
    text = script.read_text(encoding="utf-8").strip().rstrip(";")
    needed = imported(script)
    if not needed:
        return text
    *_, last = IMPORT.finditer(text)
    head, value = classic(text[: last.end()]), text[last.end() :].strip()
    return f"(() => {{\n{constants(needed)}{head}return (\n{value}\n);\n}})()"
