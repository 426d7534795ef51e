"""The figure of chapter 10: a run among a record's seeds and intervals, against paullite's own statistics."""

import random

import numpy as np
from paulbook.studies.receipts import read
from paulbook.studies.significance import seeds_needed
from paulbook.studies.statistics import Interval, prediction_interval, seed_difference

YOURS, CONTROL, SEEDS, SPREAD = "your mean mAP", "your control's", "seeds", "standard deviation of the differences"
MOST = 30


def settings(rng: random.Random) -> list[dict[str, float]]:
    """Twenty places of the four sliders, on their steps; one seed, equal scores and no spread among them."""
    found = [
        {
            YOURS: 0.5 * rng.randint(0, 200),
            CONTROL: 0.5 * rng.randint(0, 200),
            SEEDS: float(rng.randint(1, 20)),
            SPREAD: 0.5 * rng.randint(0, 60),
        }
        for _ in range(20)
    ]
    found[3][SEEDS], found[7][SPREAD], found[11][CONTROL] = 1.0, 0.0, found[11][YOURS]
    for close in found[12:]:  # where the verdict may go either way
        close[CONTROL] = min(max(close[YOURS] + 0.5 * rng.randint(-30, 30), 0.0), 100.0)
    return found


def over_seeds(now: dict[str, float], seeds: int) -> Interval | None:
    """The interval of the differences of two arms that have this mean and spread on so many seeds."""
    wave = np.arange(seeds) - (seeds - 1) / 2
    apart = now[SPREAD] * wave / wave.std(ddof=1) if seeds > 1 else np.zeros(1)
    control = np.full(seeds, now[CONTROL])
    return seed_difference(control.tolist(), (now[YOURS] + apart).tolist(), paired=True)


def signed(value: float) -> str:
    """A sign always, and never a minus before zero."""
    text = f"{value:+.1f}"
    return "+0.0" if text == "-0.0" else text


def expected(history: list[dict[str, float]], data: dict) -> dict[str, str]:
    """The read-outs for the last setting; the seeds of PAUL are read from the receipt again."""
    now = history[-1]
    paul = [100 * trial.scores["map_step"] for trial in read("ablation").of("paul")]
    next_run, yours = prediction_interval(paul, high=100), over_seeds(now, int(now[SEEDS]))
    needed = seeds_needed(now[YOURS] - now[CONTROL], now[SPREAD], most=MOST)
    if now[SEEDS] < 3:
        said = "cannot be said with fewer than three seeds"
    else:
        said = "significant, as a single comparison" if yours.leaves_out_zero() else "not significant"
    return {
        "place": f"{sum(value < now[YOURS] for value in paul)} of {len(paul)}",
        "inside": "yes" if next_run.low <= now[YOURS] <= next_run.high else "no",
        "difference": f"{signed(now[YOURS] - now[CONTROL])} points",
        "interval": f"{signed(yours.low)} to {signed(yours.high)}" if yours else "none",
        "verdict": said,
        "needed": f"{needed}" if needed else f"more than {MOST}",
    }
