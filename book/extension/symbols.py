"""Links from a page to code, tests and chapters. What they name is looked up while the book is built.

{symbol}`losses.pedal`, {symbol}`paulbook.check`
    a name below ``paullite``, or a whole name in ``paulbook``: links to its entry in the API, else to the line of the
    repository that defines it.
{test}`tests/test_losses.py::test_pedal_is_the_loop`
    a test: links to its line.
{chapter}`04_patches_that_move#stripes-for-any-p`
    a notebook, or a heading in it.

A name that is not there is a warning, and the book is built with warnings as errors. Lines are those of the branch that
``_config.yml`` names, which is what the book is built from.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole

LIBRARY, BOOK = "paullite", "paulbook"
FOLDERS = {LIBRARY: "", BOOK: "book/"}  # where the packages lie in the repository
FENCE = re.compile(r"```.*?```", re.DOTALL)
NOT_IN_A_SLUG = re.compile(r"[^\w\u4e00-\u9fff\- ]")

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where something is defined: its whole name, the file from the repository's root, the line."""

    name: str
    path: str
    line: int


class Heading(NamedTuple):
    """A place in a chapter: the notebook without its ending, the chapter's number, the heading's slug and text."""

    notebook: str
    number: int
    slug: str
    text: str


def find_symbol(name: str) -> Place:
    """A module, class, function, field or constant: by its name below the library, or its whole name in the book.

    Raises:
        LookupError: nothing there has that name.

    >>> find_symbol("losses.pedal")[:2]
    ('paullite.losses.pedal', 'paullite/losses.py')
    >>> find_symbol("paulbook.check")[:2]
    ('paulbook.checking.check', 'book/paulbook/checking.py')
    """
    package = BOOK if name.startswith(f"{BOOK}.") else LIBRARY
    module, rest = _module_of((name if package == BOOK else f"{LIBRARY}.{name}").split("."))
    if rest:
        if rest[0] not in dir(module):
            raise LookupError(f"found no {rest[0]!r} in {module.__name__}{_nearest(rest[0], dir(module))}")
        thing = getattr(module, rest[0])
        home = getattr(thing, "__module__", None)  # functions and classes know where they were written
        if isinstance(home, str) and home.startswith(package) and getattr(thing, "__qualname__", "") == rest[0]:
            module = importlib.import_module(home)
    file = Path(str(module.__file__))
    line = _line(parsed(file), rest, module.__name__)
    root = Path(str(importlib.import_module(package).__file__)).parent.parent
    path = FOLDERS[package] + file.relative_to(root).as_posix()
    return Place(".".join([module.__name__, *rest]), path, line)


def find_test(name: str, root: Path) -> Place:
    """A test that pytest collects, by its file and name; a parameter in brackets at the end is not looked at.

    Raises:
        LookupError: no such file, no such test, or a name that pytest passes over.
    """
    path, *rest = name.split("[")[0].split("::")
    if not rest or not re.fullmatch(r"(.*/)?test_\w+\.py", path):
        raise LookupError(f"found {name!r}; expected tests/test_FILE.py::test_NAME")
    if not (root / path).is_file():
        raise LookupError(f"found no file {path}")
    *classes, function = rest
    if not function.startswith("test_") or any(not part.startswith("Test") for part in classes):
        raise LookupError(f"found {name!r}, which pytest does not collect")
    return Place(function, path, _line(parsed(root / path), rest, path))


def find_heading(name: str, root: Path) -> Heading:
    """A chapter by its notebook's name, and a heading in it after a #.

    Raises:
        LookupError: no such notebook, or no such heading.
    """
    notebook, _, slug = name.partition("#")
    path = root / "notebooks" / f"{notebook}.ipynb"
    if not path.is_file() or not notebook[:2].isdigit():
        raise LookupError(f"found no chapter {notebook!r}")
    known = dict(headings(path))
    if slug and slug not in known:
        raise LookupError(f"found no heading {slug!r} in {notebook}{_nearest(slug, list(known))}")
    return Heading(f"notebooks/{notebook}", int(notebook[:2]), slug, known.get(slug, ""))


def headings(path: Path) -> Iterator[tuple[str, str]]:
    """Slug and text of a notebook's headings, by the rule of MyST, which is GitHub's."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    seen: dict[str, int] = {}
    for title in re.findall(r"^#{1,3} +(.+?) *$", FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"[`*$]", "", title)
        slug = NOT_IN_A_SLUG.sub("", plain.lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        yield (f"{slug}-{seen[slug]}" if seen[slug] else slug), plain


@cache
def parsed(path: Path) -> ast.Module:
    """A file of Python; many links lead into the same few."""
    return ast.parse(path.read_text(encoding="utf-8"))


def _module_of(parts: list[str]) -> tuple[ModuleType, list[str]]:
    """The longest beginning of a dotted name that is a module, and what comes after it."""
    for end in range(len(parts), 0, -1):
        wanted = ".".join(parts[:end])
        try:
            return importlib.import_module(wanted), parts[end:]
        except ModuleNotFoundError as error:
            if not f"{wanted}.".startswith(f"{error.name}."):
                raise
    raise LookupError(f"found no package {parts[0]}")


def _line(tree: ast.Module, names: list[str], where: str) -> int:
    """The line that defines a name, or a name inside a class of that name."""
    body: list[ast.stmt] = tree.body
    line = 1
    for name in names:
        found = [node for node in body if name in _defined(node)]
        if not found:
            raise LookupError(f"found no {name!r} in {where}{_nearest(name, [n for b in body for n in _defined(b)])}")
        body, line = getattr(found[0], "body", []), found[0].lineno
    return line


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"; nearest: {close[0]}" if close else ""


def address(config: Config, place: Place) -> str:
    """Of a line in the repository, as ``repository`` in ``_config.yml`` says."""
    theme = config.html_theme_options
    repository, branch = str(theme.get("repository_url", "")).rstrip("/"), theme.get("repository_branch", "main")
    return f"{repository}/blob/{branch}/{place.path}#L{place.line}"


class CheckedRole(ReferenceRole):
    """Looks a name up; if it is not there, the text stands without a link, and the build says so."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            return [self.link()], []
        except LookupError as error:
            log.warning("%s: %s", self.name, error.args[0], location=self.get_location(), type="symbols")
            return [nodes.literal(self.title, self.title)], []

    def link(self) -> nodes.Node:
        """The link that the role stands for, or a LookupError."""
        raise NotImplementedError


class Symbol(CheckedRole):
    """A name of the package; what the API page does not list is found in the repository, see `to_repository`."""

    def link(self) -> nodes.Node:
        place = find_symbol(self.target)
        place_at = address(self.config, place)
        facts = {"refdoc": self.env.docname, "py:module": None, "py:class": None, "in_repository": place_at}
        kind = {"refdomain": "py", "reftype": "obj", "reftarget": place.name, "refexplicit": True}
        return addnodes.pending_xref("", nodes.literal(self.title, self.title), **kind, **facts)


class Test(CheckedRole):
    """A test of the repository, shown by its name alone."""

    __test__ = False

    def link(self) -> nodes.Node:
        place = find_test(self.target, Path(self.env.srcdir))
        shown = self.title if self.has_explicit_title else self.target.split("::")[-1]
        return nodes.reference("", "", nodes.literal(shown, shown), refuri=address(self.config, place))


class Chapter(CheckedRole):
    """A chapter by its number, with the text of the heading if one is named."""

    def link(self) -> nodes.Node:
        found = find_heading(self.target, Path(self.env.srcdir))
        shown = f"chapter {found.number}" + (f", {found.text}" if found.text else "")
        text = nodes.inline("", self.title if self.has_explicit_title else shown)
        where = {"reftarget": found.notebook, "reftargetid": found.slug or None, "refdoc": self.env.docname}
        return addnodes.pending_xref("", text, refdomain="doc", reftype="myst", refexplicit=True, **where)


def to_repository(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, text: nodes.TextElement
) -> nodes.Element | None:
    """The link of a symbol without an entry in the API."""
    place = node.get("in_repository")
    return nodes.reference("", "", text, refuri=place) if place else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    for name, role in (("symbol", Symbol()), ("test", Test()), ("chapter", Chapter())):
        app.add_role(name, role)
    app.connect("missing-reference", to_repository, priority=400)
    app.setup_extension("settings_list")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
