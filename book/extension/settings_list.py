"""Settings on the map: meaning and values come from ``paullite/config.py``, nothing of it is typed by hand.

````
```{settings} AdaptConfig
scale | losses.pedal | tests/test_losses.py::test_pedal_is_the_loop | 07_pedal
```
````

A line for each setting: its name, the symbols that use it, the tests that prove it, the chapters that teach it, and a
remark if need be. ``training#precision`` in place of a chapter is a section of that page. A setting without a line is a
warning, and so is a line without a setting.

{setting}`AdaptConfig.scale` writes the values of one setting into a sentence.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields
from itertools import pairwise
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from paullite import config as settings
from paullite.config import PRESETS

PHASES = {"PretrainConfig": "pretrain", "AdaptConfig": "adapt"}
CLASSES = {"RunConfig": settings.RunConfig, **{name: getattr(settings, name) for name in PHASES}}
USUAL, REFERENCE = "market1501", "market1501-reference"
OTHERS = {"duke": "DukeMTMC", "paperdolls": "drawn people"}
UNTOLD = "The reference: nothing to compare"

log = logging.getLogger(__name__)


def names_of(kind: str) -> list[str]:
    """The settings that a class adds to its base.

    >>> names_of("AdaptConfig")[:3]
    ['batch', 'lr', 'decay_epoch']
    """
    return [
        node.target.id for node in source(kind) if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]


def source(kind: str) -> list[ast.stmt]:
    """The body of a class as written; Sphinx adds what is inherited to the class itself."""
    (written,) = ast.parse(inspect.getsource(CLASSES[kind])).body
    return list(getattr(written, "body", []))


def meanings(kind: str) -> dict[str, str]:
    """What stands below each setting in the source."""
    body, found = source(kind), {}
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            found[field.target.id] = " ".join(ast.literal_eval(below.value).split())
    return found


def values(kind: str, name: str) -> dict[str, list[Any]]:
    """The value of a setting in each preset, one for each phase that has it: two if the phases differ."""
    phases = [phase for owner, phase in PHASES.items() if name in {f.name for f in fields(CLASSES[owner])}]
    if kind != "RunConfig":
        phases = [PHASES[kind]]
    found = {preset: [getattr(getattr(both, phase), name) for phase in phases] for preset, both in PRESETS.items()}
    return {preset: both[:1] if both[0] == both[-1] else both for preset, both in found.items()}


def shown(found: list[Any]) -> str:
    """Values as a reader would type them, phase 1 before phase 2 where they differ.

    >>> shown([(0.7, 0.95)]), shown([10, 12]), shown([None])
    ('`0.7, 0.95`', '`10` and `12` (phases 1 and 2)', '`none`')
    """
    words = [", ".join(map(str, v)) if isinstance(v, tuple) else "none" if v in (None, {}) else str(v) for v in found]
    return " and ".join(f"`{word}`" for word in words) + (" (phases 1 and 2)" if len(words) > 1 else "")


def sentence(kind: str, name: str, remark: str = "") -> str:
    """Default, other data sets, and the reference, in one line of Markdown.

    >>> sentence("AdaptConfig", "scale")
    'Default `15.0`; DukeMTMC `5.0`; drawn people `2.0`. Reference: 15 for Market-1501, 5 for DukeMTMC.'
    >>> sentence("AdaptConfig", "no_negative")
    'Default `skip`. Reference preset: `pull`.'
    """
    found, meaning = values(kind, name), meanings(kind)[name]
    parts = [f"Default {shown(found[USUAL])}"]
    parts += [f"{words} {shown(found[preset])}" for preset, words in OTHERS.items() if found[preset] != found[USUAL]]
    published = meaning.partition("Reference: ")[2]
    if not published and not remark:
        compares = "reference" in meaning or found[USUAL] != found[REFERENCE]
        remark = f"Reference preset: {shown(found[REFERENCE])}" if compares else UNTOLD
    return f"{'; '.join(parts)}. " + (f"Reference: {published.rstrip('.')}." if published else f"{remark}.")


def kind_of(name: str) -> str:
    """The class that has a setting of its own: ``AdaptConfig.lr`` -> AdaptConfig, ``AdaptConfig.seed`` -> RunConfig.

    Raises:
        LookupError: there is no such setting.
    """
    kind, _, field = name.partition(".")
    for owner in (kind, "RunConfig"):
        if kind in CLASSES and field in names_of(owner):
            return owner
    raise LookupError(f"found no setting {name!r}")


def roles(kind: str, written: str) -> str:
    """Names with commas between them, each as a role.

    >>> roles("test", "a::b, c::d")
    '{test}`a::b`, {test}`c::d`'
    """
    return ", ".join(f"{{{kind}}}`{name.strip()}`" for name in written.split(",") if name.strip())


def lessons(written: str) -> str:
    """Chapters, and sections of the page on training.

    >>> lessons("07_pedal, training#precision")
    '{chapter}`07_pedal`, [Training](training.md#precision)'
    """
    names = [name.strip() for name in written.split(",")]
    return ", ".join(roles("chapter", name) if name[:1].isdigit() else page(*name.split("#")) for name in names)


def page(name: str, section: str) -> str:
    """A link to a section of a page beside the map."""
    return f"[{name.capitalize()}]({name}.md#{section})"


def entry(kind: str, line: str) -> str:
    """One setting as an entry of a Markdown definition list.

    Raises:
        LookupError: there is no such setting. ValueError: too few columns.
    """
    name, code, tests, chapters, *remark = [part.strip() for part in line.split("|")]
    kind_of(f"{kind}.{name}")
    meaning = meanings(kind)[name].partition("Reference: ")[0].strip()
    where = f"Code: {roles('symbol', code)}. Tests: {roles('test', tests)}."
    where += f" Taught in {lessons(chapters)}."
    head = f"{{symbol}}`{name} <config.{kind}.{name}>`"
    return f"{head}\n: {meaning} {sentence(kind, name, *remark)}\n\n  {where}\n"


class Settings(SphinxDirective):
    """The list of the settings of one class."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        kind, text, seen = self.arguments[0], [], []
        for line in filter(str.strip, self.content):
            seen.append(line.split("|")[0].strip())
            try:
                text.append(entry(kind, line))
            except (LookupError, ValueError) as error:
                self.warn(f"{error} in {line!r}")
        for name in sorted(set(names_of(kind)) - set(seen)):
            self.warn(f"the setting {kind}.{name} is missing")
        self.env.note_dependency(str(settings.__file__))
        holder = nodes.container(classes=["settings"])
        self.state.nested_parse(StringList("\n".join(text).splitlines(), self.get_source_info()[0]), 0, holder)
        return [holder]

    def warn(self, message: str) -> None:
        log.warning("settings: %s", message, location=self.get_location(), type="symbols")


class Setting(SphinxRole):
    """The values of one setting, in the middle of a text: {setting}`AdaptConfig.scale`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        kind, _, name = self.text.partition(".")
        try:
            text = f"{{symbol}}`{name} <config.{kind_of(self.text)}.{name}>`: {compared(kind, name)}"
        except LookupError as error:
            log.warning("setting: %s", error.args[0], location=self.get_location(), type="symbols")
            return [nodes.literal(self.text, self.text)], []
        return self.inliner.parse(text, self.lineno, self.inliner, self.inliner.parent)


def compared(kind: str, name: str) -> str:
    """Default and reference preset of a setting.

    >>> compared("AdaptConfig", "no_negative"), compared("AdaptConfig", "nearest")
    ('`skip`, in the reference preset `pull`', '`3` in both')
    """
    ours, reference = (values(kind, name)[preset] for preset in (USUAL, REFERENCE))
    return (
        f"{shown(ours)} in both" if ours == reference else f"{shown(ours)}, in the reference preset {shown(reference)}"
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("settings", Settings)
    app.add_role("setting", Setting())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
