"""The search of the preset goes from setting to setting and keeps what is worth it; its table says what was tried."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import paullite as pl
from paullite.config import Preset
from tests.benchmarks import choosing
from tests.benchmarks.choosing import CONFIRMED, ROUNDS, START, TRIED, WORTH, changed, choose, trial

ROOT = Path(__file__).parent.parent


def score(preset: Preset) -> float:
    """A made-up world: a heavy IPFL is worth 3 points, a learning rate of 0.3 just less than what counts."""
    return 50 + 3 * (preset.adapt.ipfl_weight == 2.0) + 0.9 * WORTH * (preset.adapt.lr == 0.3)


def test_a_value_is_kept_if_it_is_worth_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[Any, ...]] = []

    def made_up(presets: Sequence[Preset], phase: str, seeds: Sequence[int], *_: Any) -> list[list[dict[str, float]]]:
        asked.append((len(presets), phase, tuple(seeds), presets[-1].adapt))
        return [[{"rank1": 60.0, "map": score(preset), "followed": 0.5} for _ in seeds] for preset in presets]

    monkeypatch.setattr(choosing, "try_all", made_up)
    lines = choose(tmp_path).splitlines()
    chosen = [line.split("|")[2].strip() for line in lines if line.endswith("| chosen |")]
    assert chosen[1] == "ipfl_weight 2.0" and "lr 0.15" in chosen  # the last but one is worth too little
    assert len(lines) == 2 + sum(1 + len(one.values) for one in ROUNDS) + 2 and "53.0" in lines[-1]
    assert [seeds for _, _, seeds, _ in asked] == [TRIED] * len(ROUNDS) + [CONFIRMED]
    assert asked[-1][3] == replace(START.adapt, ipfl_weight=2.0)


def test_every_value_that_is_tried_is_a_setting_that_differs() -> None:
    for one in ROUNDS:
        tried = [START, *(changed(START, one.phase, values) for values in one.values)]
        assert len({repr(preset) for preset in tried}) == len(tried), one.title


def test_a_trial_is_read_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small = dict(identities=6, test_identities=3, distractors=1, junk=2, cache=tmp_path)
    drawn = lambda domain, seed: pl.data.PaperDolls(domain, seed=seed, **small)  # noqa: E731
    monkeypatch.setattr(choosing, "PaperDolls", drawn)
    preset = Preset(
        replace(START.pretrain, epochs=1, batch=8, generator_epochs=(0, 1)),
        replace(START.adapt, epochs=1, batch=8, k=3),
    )
    found = [trial(preset, 0, phase, tmp_path) for phase in ("pretrain", "adapt")]
    assert all(0 <= one["map"] <= one["rank1"] + 100 for one in found) and found[0] != found[1]
    monkeypatch.setattr(choosing, "pretrain", None)  # nothing is trained any more
    assert [trial(preset, 0, phase, tmp_path) for phase in ("pretrain", "adapt")] == found
    assert len([path for path in tmp_path.glob("*.json") if "map" in json.loads(path.read_text())]) == 2


def test_chapter_4_quotes_the_table() -> None:
    """Its table of schedules and the numbers in its text are those of choosing.md."""
    committed = (Path(choosing.__file__).parent / "choosing.md").read_text(encoding="utf-8").splitlines()
    page = (ROOT / "notebooks" / "04_patches_that_move.ipynb").read_text(encoding="utf-8")
    rows = [[part.strip() for part in line.split("|")] for line in committed if "generator_epochs" in line]
    assert len(rows) == 4
    for row in rows:
        (rank1, score), followed = row[3].split(" / "), row[4].lstrip("+")
        assert f"| {rank1} | {score} | {followed} |" in page, row
    assert all(number in page for number in ("was 43.6 %", "was 45.5 %", "body's was 0.27"))
