"""The bands that chapters compare with: made from the receipts, of the present settings, and out of reach untrained."""

import json

import paulbook as pb
import pytest
from paulbook.bands import Band, measured
from paulbook.chapters import chapter9
from paulbook.chapters.chapter5 import PEOPLE, settings
from paulbook.studies.receipts import read
from paulbook.studies.settings import Settings
from paulbook.studies.statistics import which_test
from paulbook.studies.trial import source_of

import paullite as pl
from paullite.pretraining import build_net
from paullite.runs.provenance import fingerprint
from tests.benchmarks.bands import CHAPTER5, DEMO_SEEDS, SEEDS, asked, bands
from tests.benchmarks.trainings import TRAININGS


def test_bands_are_those_of_the_receipts() -> None:
    assert measured() == bands(), "run: make bands"
    for name, values in measured().items():
        assert len(values) == len(DEMO_SEEDS if name.startswith("demo_") else SEEDS), name


# The bands are still those of version 1.0.0, which had one setting more in phase 2 and lacked two
NEWER, OLDER = {"image_memory", "crop_form"}, {"shard_memory"}


def known_to_both(settings: object) -> object:
    """Settings without those that only one of the two versions has."""
    if not isinstance(settings, dict):
        return settings
    return {name: known_to_both(value) for name, value in settings.items() if name not in NEWER | OLDER}


def test_chapter_5_was_measured_with_its_settings() -> None:
    receipt = json.loads(CHAPTER5.read_text())
    measured_with = [known_to_both(report["settings"]) for report in receipt["reports"]]
    assert measured_with == [known_to_both(asked(seed)) for seed in SEEDS], "run: make bands"


@pytest.mark.slow
def test_an_untrained_network_is_outside_the_band_of_chapter_5() -> None:
    """On the very test people of the chapter; those of the training split need not be drawn for it."""
    test = pl.data.PaperDolls("source", identities=2, test_identities=50).first_people(PEOPLE)
    for seed in range(3):
        untrained = pl.evaluate(build_net(settings(seed), PEOPLE), test)
        for column, value in untrained.headline().items():
            assert 100 * value < pb.band("chapter5", column).low, (seed, column, value)


def test_a_band_is_a_prediction_interval_and_stays_within_0_and_100() -> None:
    """Mean, and t(2) = 4.303 times the deviation times the root of 1 + 1/3 to either side."""
    half = 4.302653 * 5 * (4 / 3) ** 0.5
    assert (Band((0.45, 0.5, 0.55)).low, Band((0.45, 0.5, 0.55)).high) == pytest.approx((50 - half, 50 + half))
    assert (Band((0.9, 1.0, 0.95)).high, Band((0.01, 0.1)).low) == (100, 0)
    with pytest.raises(pl.InputError, match="found one number"):
        print(Band((0.5,)).low)


def test_an_unknown_band_names_the_nearest() -> None:
    with pytest.raises(pl.InputError, match="chapter5/rank1"):
        pb.band("chapter5", "rank_1")


def test_the_range_of_the_gain_leaves_out_what_does_not_train() -> None:
    """Chapter 9 compares with it. A control's gain over the best control is 0 at most, so no control is inside."""
    runs = chapter9.earlier_runs()
    found = chapter9.range_of(chapter9.gain_over_best(runs, "paul"))
    assert 0 < found.low < found.high
    for control in chapter9.CONTROLS:
        assert max(chapter9.gain_over_best(runs, control)) <= 0


def test_a_band_of_a_study_is_that_of_its_receipt() -> None:
    values = tuple(trial.scores["map_step"] for trial in read("v1/ablation").of("pedal"))
    assert pb.study_band("v1/ablation", "pedal", "map_step") == Band(values)
    for wrong, words in {
        ("ablatoin", "paul", "rank1"): "ablation",
        ("v1/ablation", "pual", "rank1"): "paul",
        ("v1/ablation", "paul", "rank_1"): "rank1",
        ("market1501", "dolls/direct", "rank1"): "expected two or more",
    }.items():
        with pytest.raises(pl.InputError, match=words):
            pb.study_band(*wrong)


def test_trainings_of_one_world_are_those_of_the_ablation() -> None:
    """The record of `tests.benchmarks.trainings`: the present settings, one test, and seed 0 as in the study."""
    record, ablation = read("trainings"), read("ablation")
    arms = {name: {"title": arm.title, "changes": dict(arm.changes)} for name, arm in TRAININGS.arms.items()}
    assert record.arms == arms and record.settings == ablation.settings
    assert len({which_test(trial) for trial in record.trials}) == 1
    for arm in record.arms:
        assert [trial.seed for trial in record.of(arm)] == [*range(len(record.of(arm)))]
        first, same = record.of(arm)[0], ablation.of(arm)[0]
        assert which_test(first) == which_test(same) and first.data == same.data
        assert first.scores["map_step"] == pytest.approx(same.scores["map_step"], abs=0.02)


def test_settings_may_fix_the_world_while_the_seed_starts_the_training() -> None:
    fixed, free = ({"source": {"identities": 2, "test_identities": 2, **world}} for world in ({"seed": 3}, {}))
    sources = [source_of(Settings().changed(s), seed) for s, seed in ((fixed, 3), (fixed, 7), (free, 3), (free, 7))]
    one, two, three, four = (fingerprint(source.train) for source in sources)
    assert one == two == three != four
