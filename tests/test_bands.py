"""The bands that chapters compare with: made from the receipts, of the present settings, and out of reach untrained."""

import json

import pytest

import paullite as pl
from paullite.pretraining import build_net
from paullite.teaching.bands import Band, measured
from paullite.teaching.chapter5 import PEOPLE, settings

from .benchmarks.bands import CHAPTER5, asked, bands
from .benchmarks.bar import SEEDS


def test_bands_are_those_of_the_receipts() -> None:
    assert measured() == bands(), "run: make bands"
    assert all(len(values) == len(SEEDS) for values in measured().values())


def test_chapter_5_was_measured_with_its_settings() -> None:
    receipt = json.loads(CHAPTER5.read_text())
    assert [report["settings"] for report in receipt["reports"]] == [asked(seed) for seed in SEEDS], "run: make bands"


def test_an_untrained_network_is_outside_the_band_of_chapter_5() -> None:
    """On the very test people of the chapter; those of the training split need not be drawn for it."""
    test = pl.data.PaperDolls("source", identities=2, test_identities=50).first_people(PEOPLE)
    for seed in range(3):
        untrained = pl.evaluate(build_net(settings(seed), PEOPLE), test)
        for column, value in untrained.headline().items():
            assert 100 * value < pl.teaching.band("chapter5", column).low, (seed, column, value)


def test_a_band_is_three_deviations_wide_and_stays_within_0_and_100() -> None:
    assert (Band((0.4, 0.5, 0.6)).low, Band((0.4, 0.5, 0.6)).high) == pytest.approx((20, 80))
    assert (Band((0.9, 1.0, 0.95)).high, Band((0.01, 0.1)).low) == (100, 0)


def test_an_unknown_band_names_the_nearest() -> None:
    with pytest.raises(pl.InputError, match="chapter5/rank1"):
        pl.teaching.band("chapter5", "rank_1")
