"""The page of results: what the records say, put into sentences by the templates beside this module."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from paulbook.studies.lines import Line
from paulbook.studies.receipts import SHIPPED
from paulbook.studies.studies import STUDIES

from .comparisons import LISTED, Group, groups_of
from .drawing import Curves, Forest, save
from .failures import failures_of
from .formats import FORMATS, ORDER, PRIMARY, SCORES, SPACE, WORDS, Kind, deciding, kind
from .losses import negatives_of, neighbours_of
from .real import real_of
from .records import Records
from .signals import choices_of
from .studies import not_run, section_of
from .worlds import World, best_control, gap_of, is_first_world, many_of, variation_of, worlds_of

ROOT = Path(__file__).parent.parent.parent.parent
ASIDE = ROOT / "runs" / "results"  # where the page of other records goes, so that the committed one stays
PAGE = Path("book/reference/results.md")
PICTURES = Path("book/assets/results")
WORST = Path("book/assets/worst.png")
TEMPLATES = Path(__file__).parent / "templates"


def facts_of(records: Records, root: Path = ROOT) -> dict[str, Any]:
    """All that the templates may use, by name."""
    groups, worlds, best = groups_of(records), worlds_of(records), best_control(records, "ablation", "paul")
    line = best and deciding(records.minus(("ablation", "paul"), best[1]) or {})
    return {
        "lead": _lead(line, groups, worlds),
        "forest": Forest("forest", tuple(groups.values())) if groups else None,
        "groups": groups,
        "best": best and LISTED["names"][best[0]],
        "best_line": line,
        "expected": [row for group in groups.values() for row in group.of("worse", "open", "unsaid") if row.idea],
        "gap": gap_of(records),
        "variation": variation_of(records),
        "paul": records.scores("ablation", "paul", PRIMARY),
        "worlds": worlds,
        "sections": {name: section for name in STUDIES if (section := section_of(records, name))},
        "not_run": not_run(records),
        "first_world": is_first_world(records),
        "neighbours": neighbours_of(records),
        "negatives": negatives_of(records),
        "failures": failures_of(records),
        "worst": (root / WORST).is_file(),
        "choices": choices_of(records),
        "real": real_of(records),
        "many": many_of(records),
        "primary": PRIMARY,
        "scores": SCORES,
        "order": ORDER,
    }


def _lead(line: Line | None, groups: dict[str, Group], worlds: list[World]) -> list[str]:
    """The five topics of the first lines, what speaks against the method first, and what was not run last."""
    kinds: dict[str, Kind | None] = {
        name: groups[name].kind if name in groups else None for name in ("parts", "rivals")
    }
    kinds = {"controls": kind(line) if line else None, **kinds}
    kinds["worlds"] = min((world.kind for world in worlds), key=ORDER.index) if len(worlds) > 1 else None
    kinds["labels"] = "better" if "labels" in groups else None
    return sorted(kinds, key=lambda name: ORDER.index(found) if (found := kinds[name]) else len(ORDER))


def environment(templates: Path = TEMPLATES) -> Environment:
    """Jinja2 with the ways in which numbers are written. A name that is misspelt in a template is an error."""
    spaces = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    found = Environment(loader=FileSystemLoader(templates), undefined=StrictUndefined, **spaces)
    found.filters.update({**FORMATS, **WORDS})
    return found


def render(facts: dict[str, Any], found: Environment) -> str:
    """The page as text, with one empty line between blocks."""
    text = found.get_template("page.md.jinja").render(facts)
    text = re.sub(r"(?<=\d) %", f"{SPACE}%", text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip() + "\n"


def build(records: Records, root: Path = ROOT, templates: Path = TEMPLATES) -> tuple[str, list[Curves | Forest]]:
    """The page as text, and the figures that it shows."""
    facts = facts_of(records, root)
    text = render(facts, environment(templates))
    return text, [drawing for drawing in _drawings(facts) if f"results/{drawing.name}.svg" in text]


def _drawings(facts: dict[str, Any]) -> Iterable[Curves | Forest]:
    inside = [*facts["neighbours"], facts["negatives"]]
    drawings = [facts["forest"], *(one.drawing for one in (*facts["sections"].values(), *inside) if one)]
    return [drawing for drawing in drawings if drawing]


def write(records: Records, root: Path | None = None) -> Path:
    """Write page and figures; figures that the page no longer shows are removed.

    Args:
        records: to write of.
        root: of the tree that is written into. If none is given, that of the book for the records that come with the
            package, and ``runs/results`` for any others.
    """
    root = root or (ROOT if records.folder.resolve() == SHIPPED.resolve() else ASIDE)
    text, drawings = build(records, root)
    for folder in (root / PICTURES, (root / PAGE).parent):
        folder.mkdir(parents=True, exist_ok=True)
    kept = {save(drawing, root / PICTURES) for drawing in drawings}
    for path in set((root / PICTURES).glob("*.svg")) - kept:
        path.unlink()
    (root / PAGE).write_text(text, encoding="utf-8")
    return root / PAGE
