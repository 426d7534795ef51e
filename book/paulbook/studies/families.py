"""All comparisons of a study, whose p values are corrected together."""

from __future__ import annotations

from dataclasses import replace

from .lines import TITLES, Line, compare_trials, seed_tests
from .receipts import Receipt
from .significance import corrected_in_family
from .studies import ALL, Study

Pair = tuple[str, str]  # the arm to subtract, and the arm
CONTROLS = ("batch_norm", "direct", "camera_mean", "batch_norm_camera_mean", "batch_norm_by_camera")


def comparisons(receipt: Receipt) -> list[Pair]:
    """The pairs of arms that a study compares, as far as both were run: its family, for Holm's correction.

    Every arm with the base, unless the study's arms live in worlds of their own (``Study.apart``); where arms have
    controls beside them, each arm with these; and what the study names besides.

    >>> from paulbook.studies.receipts import read
    >>> comparisons(read("v1/surrogates"))
    [('heavy', 'none'), ('heavy', 'jitter'), ('heavy', 'rotation'), ('heavy', 'crop')]
    """
    study = ALL.get(receipt.study)
    worlds = [arm for arm in receipt.arms if any(f"{arm}/{control}" in receipt.arms for control in CONTROLS)]
    against_base = own_arms(receipt) if worlds else list(receipt.arms)
    pairs = [] if study and study.apart else [(base_of(receipt), arm) for arm in against_base]
    if worlds:
        pairs += [(control, arm) for arm in own_arms(receipt) for control in _controls(receipt, arm, study)]
    pairs += list(study.more) if study else []
    done = [arm for arm in receipt.arms if receipt.of(arm)]
    return [(a, b) for a, b in dict.fromkeys(pairs) if a != b and a in done and b in done]


def own_arms(receipt: Receipt) -> list[str]:
    """The arms of a study with controls that are no control themselves."""
    return [arm for arm in receipt.arms if "method" not in receipt.arms[arm].get("changes", {})]


def base_of(receipt: Receipt) -> str:
    """The arm that the others are compared with."""
    study = ALL.get(receipt.study)
    return study.base if study and receipt.of(study.base) else next(arm for arm in receipt.arms if receipt.of(arm))


def primary_score(study: str) -> str:
    """The score that decides in a study; of a record of one's own, mAP."""
    return ALL[study].score if study in ALL else Study.score


def lines_of(receipt: Receipt, base: str, arm: str) -> dict[str, Line]:
    """An arm minus another by score, with p values corrected over all comparisons of the study, and this one.

    Raises:
        InputError: as `compare_trials`.

    >>> from paulbook.studies.receipts import read
    >>> line = lines_of(read("v1/ablation"), "batch_norm", "paul")["map_step"]
    >>> round(line.p, 3), round(line.corrected, 3), line.family, line.verdict()
    (0.023, 0.096, 7, 'not significant')
    """
    lines = {line.score: line for line in compare_trials(receipt.of(base), receipt.of(arm))}
    family = comparisons(receipt)
    place = next((i for i, pair in enumerate(family) if set(pair) == {base, arm}), len(family))
    family = family if place < len(family) else [*family, (base, arm)]
    tests = [seed_tests(receipt.of(a), receipt.of(b)) for a, b in family]
    for score in TITLES:
        p_values, size = corrected_in_family([test.p if (test := found[score]) else None for found in tests])
        if p_values[place] is not None:
            lines[score] = replace(lines[score], corrected=p_values[place], family=size)
    return lines


def _controls(receipt: Receipt, arm: str, study: Study | None) -> list[str]:
    """The controls in an arm's world: beside it, or, where it changes phase 2 alone, those of the usual world."""
    usual = set(receipt.arms[arm].get("changes", {})) <= {"adapt"}
    places = [(f"{arm}/{control}", control) for control in CONTROLS]
    return [own if own in receipt.arms else control for own, control in places if own in receipt.arms or usual]
