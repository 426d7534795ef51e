"""The page of results put together, and written."""

from __future__ import annotations

from pathlib import Path

from paulbook.studies.studies import STUDIES

from .choosing import choosing
from .drawing import Drawing
from .failing import failing, real
from .findings import claims, found, many, missing
from .inside import diagnostics
from .shelf import Shelf
from .studies import Block, hurts, study_section

ROOT = Path(__file__).parent.parent.parent.parent
PAGE = Path("book/reference/results.md")
PICTURES = Path("book/assets/results")

NOTE = "% Written by `python -m book.tools.results` from receipts. Change the receipts or the tool, not this page."
INTRO = (
    "What the studies of this book found, with every number taken from a *receipt*: a file that holds settings, "
    "versions, seeds and scores of what was run. The receipts are in `book/paulbook/studies/receipts`. `paulbook "
    "compare A B` says how two differ. No number and no verdict on this page was typed in."
)
SHORT = (
    "All scores but those under [Real people](#results-market1501) are of drawn people, whom nobody trained on. They "
    "are in percent; differences are in points. Square brackets hold 95 % intervals over seeds. *More than chance* is "
    "said only if two intervals leave out zero: that over seeds, and that over the test people. More under [How to "
    "read this page](#results-reading). mAP is mAP (step)."
)
SETTINGS = (
    "The studies use a shortened training, `paulbook.studies.settings.STUDY`. The whole schedule of the demo "
    "reaches more; its table is in the README and in `tests/benchmarks/bar.md`. The rivals were tuned less than PAUL: "
    "a few trials on one seed, told in `paulbook.studies.rivals`."
)
WORDS = (
    "**Arm**: one way of training. **PAUL**: both losses, PEDAL on patches and IPFL on whole images. **Direct "
    "transfer**: the network of the source as it is. **Batch-norm statistics only**: the same network with its "
    "statistics taken anew from the target, and nothing learned. That is the control to beat, because it is nearly "
    "free. The other words are in the [glossary](glossary.md)."
)
READING = """- **A seed** draws the world, that is its people, clothes, cameras and pictures, and starts the training
  on it. The interval over seeds covers both together. It does not cover other kinds of data, other networks or longer
  trainings.
- **The interval over people** draws the test people again and keeps the networks. It covers who happened to be in
  the test. It is not shown in the tables, but the verdict needs it, too. `paulbook compare` prints it.
- **Pairs.** Arms with the same seed and the same test are compared seed by seed. What makes a seed hard for both then
  drops out, so a difference can be surer than either score.
- **Not more than chance** does not mean *equal*. Look at the interval: it holds all differences that these seeds do
  not rule out.
- **Few seeds.** With three seeds an interval is wide, and it leans on the scores being roughly normal."""
HOLD = "Hidden labels are used in this section for counting. Nothing that learns sees them."
STUDY_INTRO = "A base has no difference to itself. Click the folded lines for mAP and for the numbers behind a figure."


def build(shelf: Shelf, root: Path = ROOT) -> tuple[str, list[Drawing]]:
    """The page as text, and its figures."""
    sections: list[tuple[str, list[Block]]] = [
        ("# Results", [INTRO, SHORT, SETTINGS]),
        ("## What we found", [*found(shelf), missing(shelf, list(STUDIES))]),
        ("## What that means", list(claims(shelf))),
        ("## The studies", [WORDS, STUDY_INTRO, *_studies(shelf)]),
        ("## Where PAUL hurts", [*study_section(shelf, "harm"), "### All worlds together", *hurts(shelf)]),
        ("## What the losses do inside", [HOLD, *diagnostics(shelf)]),
        ("## Where it fails", list(failing(shelf, root))),
        ("## Choosing settings without labels", list(choosing(shelf))),
        ("(results-market1501)=\n## Real people", list(real(shelf))),
    ]
    sections.append(("(results-reading)=\n## How to read this page", [READING, f"**Many comparisons.** {many(shelf)}"]))
    blocks = [block for title, body in sections for block in (title, *body)]
    text = "\n\n".join(block.markdown() if isinstance(block, Drawing) else block for block in blocks)
    return f"{NOTE}\n\n{text}\n", [block for block in blocks if isinstance(block, Drawing)]


def _studies(shelf: Shelf) -> list[Block]:
    return [block for study in STUDIES if study != "harm" for block in study_section(shelf, study)]


def write(shelf: Shelf, root: Path = ROOT) -> Path:
    """Write page and figures; figures that the page no longer shows are removed."""
    text, drawings = build(shelf, root)
    folder = root / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    kept = {drawing.save(folder) for drawing in drawings}
    for path in set(folder.glob("*.svg")) - kept:
        path.unlink()
    (root / PAGE).write_text(text, encoding="utf-8")
    return root / PAGE
