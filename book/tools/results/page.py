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
    "are in percent, and differences are in points. Square brackets hold 95 % confidence intervals of the mean over "
    "seeds. Each study has one primary comparison and one primary score, which is mAP (step) throughout. A difference "
    "is called *significant* if its p value is below 5 %. That p value comes from a paired t-test over seeds and is "
    "corrected by Holm's method over all comparisons of its study. With fewer than three seeds nothing is called "
    "significant or not. More under [How to read this page](#results-reading)."
)
SETTINGS = (
    "The studies use a shortened training, `paulbook.studies.settings.STUDY`. The whole schedule of the demo "
    "reaches more; its table is in the README and in `tests/benchmarks/bar.md`. The rivals were tuned less than PAUL: "
    "a few trials on one seed, told in `paulbook.studies.rivals`."
)
WORDS = (
    "**Arm**: one way of training. **PAUL**: both losses, PEDAL on patches and IPFL on whole images. **Direct "
    "transfer**: the network of the source as it is. **Batch-norm statistics only**: the same network with its "
    "statistics re-estimated on the target, and nothing learned. That is the control to beat, because it is nearly "
    "free. The other words are in the [glossary](glossary.md)."
)
READING = """- **A seed** draws the world, that is its people, clothes, cameras and pictures, and starts the training
  on it. The confidence interval over seeds covers both together. It does not cover other kinds of data, other networks
  or longer trainings.
- **A confidence interval** says where the mean over many more seeds would lie. It does not say where the next seed will
  lie, which is the business of a prediction interval and much less certain. Intervals of scores are computed on the
  logit scale, so they stay between nothing and all.
- **The interval over people** comes from a cluster bootstrap: it draws the test people again, each with all their
  queries, and keeps the networks and the gallery. `paulbook compare` prints it. Here every seed has test people of its
  own, so the interval over seeds covers them as well. Where all seeds share one test, as on Market-1501, the interval
  over people has to leave out zero too.
- **Pairs.** Arms with the same seed and the same test are compared seed by seed, by a paired t-test. What makes a seed
  hard for both then drops out, so a difference can be surer than either score.
- **Interval and p value.** The interval is that of one comparison alone, whereas the p value is corrected over all
  comparisons of the study. For this reason an interval may leave out zero although the difference is not significant.
- **Power.** Each study says which true difference it would find with 80 % power. Smaller differences may well exist.
- **Not significant** does not mean *equal*. Look at the interval, which holds all differences that these seeds do not
  rule out.
- **The primary comparison** is written down in the study's definition before it runs. For the studies of this page it
  was written down when the records were there already, so it is corrected like every other comparison."""
HOLD = "Hidden labels are used in this section for counting. Nothing that learns sees them."
STUDY_INTRO = (
    "A base has no difference to itself. Click the folded lines for rank-1 and for the numbers behind a figure. The "
    "figures show rank-1."
)


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
