"""How Sphinx reads the docstrings of ``paullite``: what `name` links to, and where a colon is just a colon."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

INLINE = ("attribute", "data", "property")


def keep_colons(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """napoleon takes a field's "Momentum. Reference: 0.9." for "type: description"; an empty comment prevents it."""
    if what in INLINE:
        lines[0:0] = ["..", ""]


def join_names(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Two arguments described together, "query, gallery: ...", are two names; Sphinx takes the first for a type."""
    lines[:] = [plain_return(re.sub(r"^:(?:param|ivar) [^:]*:", lambda m: join(m[0]), line)) for line in lines]


def join(field: str) -> str:
    """The head of a field with its names in one word.

    >>> join(":param query, gallery:"), join(":param batch:")
    (':param query,gallery:', ':param batch:')
    """
    return field.replace(", ", ",")


def plain_return(line: str) -> str:
    """What is returned is said in words, types stand in the signature: nothing before a colon is a type.

    >>> plain_return(":returns: *The mean* -- a scalar.")
    ':returns: The mean: a scalar.'
    """
    return re.sub(r"^:returns: \*(.+?)\* -- ", r":returns: \1: ", line)


def look_everywhere(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.Element | None:
    """`Scores` in a docstring links to the one object of that name, whatever module it lives in."""
    if node.get("refdomain") != "py" or node.get("refspecific"):
        return None
    node["refspecific"] = True
    return env.get_domain("py").resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], node["reftarget"], node, text
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", keep_colons, priority=100)  # before napoleon
    app.connect("autodoc-process-docstring", join_names, priority=900)  # after it
    app.connect("missing-reference", look_everywhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
