"""The imports of both packages as a graph, read from the source: at the top of a module, in a function, anywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
FOLDERS = {"paullite": ROOT / "paullite", "paulbook": ROOT / "book" / "paulbook"}
# From below to above; a module may import its own layer and those before it, which the rule of no circle keeps apart
LAYERS = (
    ("paullite.errors", "paullite.version", "paullite.ranges", "paullite.modes"),
    ("paullite.files",),
    ("paullite.config", "paullite.weights"),
    ("paullite.memory", "paullite.cyclic", "paullite.blocks", "paullite.models", "paullite.data", "paullite.ranking"),
    ("paullite.thresholds",),
    ("paullite.step",),
    ("paullite.losses",),
    ("paullite.run", "paullite.networks"),
    ("paullite.runs",),
    ("paullite.features", "paullite.diagnostics"),
    ("paullite.controls", "paullite.evaluation", "paullite.pretraining", "paullite.adaptation"),
    ("paullite.app", "paullite.__main__"),
    ("paulbook",),
)
CORE = (
    "losses",
    "memory",
    "step",
    "controls",
    "pretraining",
    "adaptation",
    "evaluation",
    "config",
    "errors",
    "weights",
)


class Edge(NamedTuple):
    """One import: who imports what, where, and the names that are taken from it."""

    importer: str
    imported: str
    line: int
    names: tuple[str, ...]
    inside: bool  # of a function


@cache
def modules() -> dict[str, Path]:
    """Every module of both packages by its dotted name."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    """The source of a module."""
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


@cache
def edges() -> list[Edge]:
    """Every import of one of our modules by another, under TYPE_CHECKING and inside functions, too.

    The two roots name everything for type checkers, so what they import there is left out;
    `test_nothing_imports_names_from_the_root` makes sure that no circle runs through them.
    """
    found = [edge for name in modules() if name not in FOLDERS for edge in imports_of(name)]
    return [edge for edge in found if edge.importer != edge.imported]


def loads() -> list[Edge]:
    """The same, with what Python loads besides: ``import a.b.c`` runs the packages ``a.b`` and ``a`` first."""
    found = list(edges())
    for edge in edges():
        package = edge.imported.rpartition(".")[0]
        while package not in ("", *FOLDERS) and not f"{edge.importer}.".startswith(f"{package}."):
            found.append(edge._replace(imported=package, names=()))
            package = package.rpartition(".")[0]
    return found


def imports_of(name: str) -> Iterator[Edge]:
    """What one module imports of ours."""
    package = name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]
    for node, inside in statements(tree(name)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in FOLDERS:
                    yield Edge(name, _module(alias.name), node.lineno, (), inside)
        elif isinstance(node, ast.ImportFrom):
            start = _base(package, node)
            if start.split(".")[0] in FOLDERS:
                for alias in node.names:
                    target = _module(f"{start}.{alias.name}")
                    taken = () if target == f"{start}.{alias.name}" else (alias.name,)
                    yield Edge(name, target, node.lineno, taken, inside)


def statements(parent: ast.AST, inside: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it stands inside a function."""
    for node in ast.iter_child_nodes(parent):
        yield node, inside
        yield from statements(node, inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def _base(package: str, node: ast.ImportFrom) -> str:
    """The module after ``from``, as a whole name."""
    if not node.level:
        return node.module or ""
    above = package.split(".")
    above = above[: len(above) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _module(name: str) -> str:
    """The longest beginning of a dotted name that is a module of ours."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name


def closing_edges(graph: list[Edge]) -> list[str]:
    """Each circle of imports as one line, with the import that closes it in front. Empty if there is none.

    >>> one, two = Edge("a", "b", 3, (), False), Edge("b", "a", 9, (), True)
    >>> closing_edges([one]), closing_edges([one, two])
    ([], ['b imports a (line 9, inside a function) and so closes the circle a -> b -> a'])
    """
    out: dict[str, list[Edge]] = {}
    for edge in graph:
        out.setdefault(edge.importer, []).append(edge)
    found: list[str] = []
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        for edge in out.get(name, []):
            if edge.imported in path:
                circle = " -> ".join([*path[path.index(edge.imported) :], edge.imported])
                found.append(f"{shown(edge)} and so closes the circle {circle}")
            elif edge.imported not in done:
                visit(edge.imported, [*path, edge.imported])
        done.add(name)

    for name in sorted(out):
        if name not in done:
            visit(name, [name])
    return found


def shown(edge: Edge) -> str:
    """An import in words."""
    return f"{edge.importer} imports {edge.imported} (line {edge.line}{', inside a function' * edge.inside})"


def layer(name: str) -> int:
    """The place of a module in `LAYERS`, counted from below.

    Raises:
        LookupError: it is in no layer.
    """
    for place, starts in enumerate(LAYERS):
        if any(name == start or name.startswith(f"{start}.") for start in starts):
            return place
    raise LookupError(f"{name} is in no layer; write it into LAYERS in tests/imports.py")


def upward(graph: list[Edge]) -> list[str]:
    """Imports from a lower layer of a higher one."""
    return [shown(edge) for edge in graph if layer(edge.imported) > layer(edge.importer)]


def private(graph: list[Edge]) -> list[str]:
    """Names that begin with an underscore and are imported from another module."""
    taken = [(edge, name) for edge in graph for name in edge.names]
    return [f"{shown(edge)}: {name}" for edge, name in taken if name.startswith("_") and not name.startswith("__")]


def foreign(package: str, *, late: bool = True) -> dict[str, list[str]]:
    """Packages by their top names, each with our modules that import it; ``late``: also those inside functions."""
    found: dict[str, list[str]] = {}
    for name in modules():
        if name.split(".")[0] != package:
            continue
        for node, inside in statements(tree(name)):
            if inside and not late:
                continue
            tops = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                tops = [node.module or ""]
            for top in tops:
                found.setdefault(top.split(".")[0], []).append(name)
    return found


def lines(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())
