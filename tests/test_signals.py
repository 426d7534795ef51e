"""Unlabelled signals are judged right: against slow loops, and on receipts in which a signal was planted."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paulbook.studies import receipts
from paulbook.studies.followed import SIGNALS, Facts, comparable, runs_of
from paulbook.studies.receipts import Receipt, Trial
from paulbook.studies.signals import across_epochs, across_settings, markdown
from paulbook.studies.statistics import t_quantile

from paullite.errors import InputError
from paullite.files import write_csv

ADAPT = {"k": 20, "scale": 4.0, "lr": 0.15, "margin": 1.0, "ipfl_weight": 0.3, "pedal_weight": 2.0, "nearest": 3}
RATES: dict[str, dict[str, Any]] = {"paul": {}, **{f"lr={v}": {"adapt": {"lr": v}} for v in (0.1, 0.2, 0.3, 0.4, 0.5)}}
Plant = Callable[[float, np.random.Generator], dict[str, float]]


def planted(score: float, rng: np.random.Generator) -> dict[str, float]:
    """PEDAL falls as the score rises, agreement rises with it, vetoes know nothing, negatives never change."""
    return {"pedal": 2 - score, "agreement": score**3, "vetoes": float(rng.normal()), "negatives": 1.0}


def made(
    folder: Path,
    arms: dict[str, dict[str, Any]] = RATES,
    seeds: range = range(5),
    epochs: int = 6,
    plant: Plant = planted,
    name: str = "toy",
) -> str:
    """A receipt with a history whose scores are noise, and whose columns are planted."""
    trials, rows = [], []
    for seed in seeds:
        for place, arm in enumerate(arms):
            rng = np.random.default_rng([seed, place])
            scores = rng.uniform(0.2, 0.8, epochs).round(6).tolist()
            rows.append({"arm": arm, "seed": seed, "epoch": 0, "map_step": 0.1, "same_person_chance": 0.5})
            rows += [
                {"arm": arm, "seed": seed, "epoch": e, "map_step": s, **plant(s, rng)}
                for e, s in enumerate(scores, start=1)
            ]
            people: dict[str, list[Any]] = {"pids": [], "queries": [], "hits": [], "precisions": []}
            trials.append(Trial(arm, seed, {"map_step": scores[-1]}, people, {}, {"target": f"world {seed}"}))
    told = {arm: {"title": arm, "changes": changes} for arm, changes in arms.items()}
    settings = {"method": "adapt", "target": {"identities": 64}, "adapt": ADAPT}
    return str(receipts.write(Receipt(name, "?", "", settings, told, {}, {}, trials), folder, rows))


def row_of(rows: list[Facts], signal: str) -> Facts:
    (row,) = (row for row in rows if row["signal"] == signal)
    return row


# ---- slow loops


def slow_rho(a: list[float], b: list[float]) -> float | None:
    def ranks(x: list[float]) -> list[float]:
        return [sum(o < v for o in x) + (sum(o == v for o in x) - 1) / 2 for v in x]

    x, y = ranks(a), ranks(b)
    mx, my = sum(x) / len(x), sum(y) / len(y)
    top = sum((p - mx) * (q - my) for p, q in zip(x, y, strict=True))
    below = (sum((p - mx) ** 2 for p in x) * sum((q - my) ** 2 for q in y)) ** 0.5
    return top / below if below else None


def mean(x: list[float]) -> float:
    return sum(x) / len(x)


def slow_interval(x: list[float]) -> list[float]:
    half = t_quantile(len(x) - 1) * (sum((v - mean(x)) ** 2 for v in x) / (len(x) - 1) / len(x)) ** 0.5
    return [mean(x), mean(x) - half, mean(x) + half]


def fishers(told: list[float]) -> list[float]:
    """The interval of a mean correlation on the scale of Fisher's z, whose slope is 1 / (1 - r^2), taken back."""
    r, half = told[0], told[2] - told[0]
    if abs(r) == 1:
        return [r, r, r]
    z = half / (1 - r**2)
    return [r, math.tanh(math.atanh(r) - z), math.tanh(math.atanh(r) + z)]


def slow_pick(points: dict[Any, list[tuple[float, float]]], seed_of: Callable[[Any], int], key: Any) -> float:
    """The score of the point with the best signal, where the other seeds say which end is the best."""
    others = [slow_rho([v for v, _ in p], [s for _, s in p]) for k, p in points.items() if seed_of(k) != seed_of(key)]
    told = [rho for rho in others if rho is not None]
    direction = round(sum(told), 5)
    own = points[key]
    if not direction:
        return mean([s for _, s in own])
    best = max(v for v, _ in own) if direction > 0 else min(v for v, _ in own)
    return mean([s for v, s in own if v == best])


def same(row: Facts, name: str, values: list[float]) -> None:
    told = fishers(slow_interval(values)) if name == "rho" else slow_interval(values)
    assert [row[name], row[f"{name}_low"], row[f"{name}_high"]] == pytest.approx(told, abs=3e-6)


@pytest.mark.parametrize("signal", ["pedal", "agreement", "vetoes", "negatives"])
def test_across_settings_is_what_a_loop_finds(tmp_path: Path, signal: str) -> None:
    path = made(tmp_path)
    history, receipt = receipts.history(path), receipts.read(path)
    points: dict[Any, list[tuple[float, float]]] = {}
    for trial in receipt.trials:
        (last,) = (r for r in history if (r["arm"], r["seed"], r["epoch"]) == (trial.arm, trial.seed, 6))
        points.setdefault(trial.seed, []).append((last[signal], trial.scores["map_step"]))
    row = row_of(across_settings(runs_of(path)), signal)
    rhos = [slow_rho([v for v, _ in p], [s for _, s in p]) for p in points.values()]
    told = [rho for rho in rhos if rho is not None]
    assert row["constant"] == rhos.count(None)
    if told:
        same(row, "rho", told)
        assert row["same_sign"] == sum((rho > 0) == (mean(told) > 0) and rho != 0 for rho in told) / len(rhos)
    picked = [slow_pick(points, lambda seed: seed, seed) for seed in points]
    best, default = [max(s for _, s in p) for p in points.values()], [t.scores["map_step"] for t in receipt.of("paul")]
    any_arm = [mean([s for _, s in p]) for p in points.values()]
    for name, column in {"picked": picked, "best": best, "default": default, "random": any_arm}.items():
        assert row[name] == pytest.approx(mean(column), abs=1e-6)
    same(row, "regret", [b - p for b, p in zip(best, picked, strict=True)])
    same(row, "gain_default", [p - d for p, d in zip(picked, default, strict=True)])
    same(row, "gain_random", [p - a for p, a in zip(picked, any_arm, strict=True)])


@pytest.mark.parametrize("signal", ["pedal", "agreement", "vetoes", "negatives", "epoch"])
def test_across_epochs_is_what_a_loop_finds(tmp_path: Path, signal: str) -> None:
    path = made(tmp_path)
    points: dict[Any, list[tuple[float, float]]] = {}
    for r in receipts.history(path):
        if r["epoch"]:
            points.setdefault((r["arm"], r["seed"]), []).append((r[signal], r["map_step"]))
    row = row_of(across_epochs(runs_of(path)), signal)
    assert (row["runs"], row["epochs"], row["seeds"]) == (30, 6, 5)
    rhos = {key: slow_rho([v for v, _ in p], [s for _, s in p]) for key, p in points.items()}
    told = {key: rho for key, rho in rhos.items() if rho is not None}
    assert row["constant"] == len(rhos) - len(told)
    if told:
        same(row, "rho", [mean([rho for (_, s), rho in told.items() if s == seed]) for seed in range(5)])
        side = mean(list(told.values())) > 0
        assert row["same_sign"] == sum((rho > 0) == side and rho != 0 for rho in told.values()) / len(rhos)
    picked = {key: slow_pick(points, lambda key: int(key[1]), key) for key in points}
    last, best = {key: p[-1][1] for key, p in points.items()}, {key: max(s for _, s in p) for key, p in points.items()}
    any_epoch = {key: mean([s for _, s in p]) for key, p in points.items()}
    for name, column in {"picked": picked, "best": best, "last": last, "random": any_epoch}.items():
        assert row[name] == pytest.approx(mean(list(column.values())), abs=1e-6)
    for name, more, less in (
        ("regret", best, picked),
        ("gain_last", picked, last),
        ("gain_random", picked, any_epoch),
    ):
        same(row, name, [mean([more[key] - less[key] for key in more if key[1] == seed]) for seed in range(5)])


# ---- planted signals


def test_a_planted_signal_is_found_whichever_way_it_points(tmp_path: Path) -> None:
    runs = runs_of(made(tmp_path))
    for rows in (across_settings(runs), across_epochs(runs)):
        for signal, rho in (("pedal", -1), ("agreement", 1)):
            row = row_of(rows, signal)
            assert (row["rho"], row["rho_low"], row["rho_high"], row["same_sign"]) == (rho, rho, rho, 1)
            assert row["picked"] == row["best"] and row["regret"] == 0 and row["gain_random"] > 0.1


def test_a_signal_that_knows_nothing_gains_nothing(tmp_path: Path) -> None:
    runs = runs_of(made(tmp_path, seeds=range(40)))
    for rows in (across_settings(runs), across_epochs(runs)):
        chance = row_of(rows, "vetoes")
        assert chance["rho_low"] < 0.1 and chance["rho_high"] > -0.1 and 0.3 < chance["same_sign"] < 0.7
        assert abs(chance["gain_random"]) < 0.05 and chance["regret"] > 0.1
        flat = row_of(rows, "negatives")
        assert flat["rho"] is None and flat["same_sign"] is None and flat["constant"] in (40, 240)
        assert flat["picked"] == flat["random"] and flat["gain_random"] == 0


def test_the_sign_comes_from_the_other_seeds(tmp_path: Path) -> None:
    def turning(score: float, rng: np.random.Generator) -> dict[str, float]:
        seed = int(rng.bit_generator.seed_seq.entropy[0])  # type: ignore[attr-defined]
        return {"pedal": -score if seed == 2 else score}

    runs = runs_of(made(tmp_path, plant=turning, seeds=range(3)))
    row = row_of(across_settings(runs), "pedal")
    picked = [
        (min if seed == 2 else max)(r.score for r in runs if r.seed == seed) for seed in range(3)
    ]  # 0 and 1 see one for it and one against: the mean of 1 and -1 says nothing
    picked[:2] = [mean([r.score for r in runs if r.seed == seed]) for seed in (0, 1)]
    assert row["picked"] == pytest.approx(mean(picked), abs=1e-6) and row["same_sign"] == pytest.approx(2 / 3)


def test_one_seed_has_no_sign_from_elsewhere(tmp_path: Path) -> None:
    runs = runs_of(made(tmp_path, seeds=range(1)))
    for rows, note in ((across_settings(runs), "few seeds"), (across_epochs(runs), "few epochs, few seeds")):
        row = row_of(rows, "agreement")
        assert row["rho"] == 1 and row["rho_low"] is None and row["note"] == note
        assert row["picked"] is None and row["regret"] is None and row["best"] >= row["random"]


def test_a_signal_that_mostly_rests_says_so(tmp_path: Path) -> None:
    def resting(score: float, rng: np.random.Generator) -> dict[str, float]:
        return {"pedal": score if rng.bit_generator.seed_seq.entropy[0] < 2 else 1.0}  # type: ignore[attr-defined]

    runs = runs_of(made(tmp_path, plant=resting))
    row = row_of(across_settings(runs), "pedal")
    assert (row["rho"], row["constant"], row["same_sign"], row["note"]) == (1, 3, 0.4, "3 constant")
    row = row_of(across_epochs(runs), "pedal")
    assert (row["rho"], row["constant"], row["same_sign"]) == (1, 18, 0.4) and row["note"] == "few epochs, 18 constant"


def test_no_correlation_lies_beyond_one(tmp_path: Path) -> None:
    def loose(score: float, rng: np.random.Generator) -> dict[str, float]:
        return {"pedal": score + 0.1 * rng.normal()}

    row = row_of(across_settings(runs_of(made(tmp_path, plant=loose, seeds=range(2)))), "pedal")
    assert -1 < row["rho_low"] < row["rho"] < row["rho_high"] <= 1


# ---- what may be compared


def test_only_what_measures_the_same_is_compared(tmp_path: Path) -> None:
    def all_columns(score: float, rng: np.random.Generator) -> dict[str, float]:
        return {signal: float(rng.normal()) for signal in SIGNALS}

    arms: dict[str, dict[str, Any]] = {
        "paul": {},
        "rate": {"adapt": {"lr": 0.3}},
        "k": {"adapt": {"k": 5}},
        "weight": {"adapt": {"ipfl_weight": 0.0}},
        "margin": {"adapt": {"margin": 2.0}},
        "list": {"adapt": {"nearest": 1}},
        "world": {"target": {"identities": 8}},
        "direct": {"method": "direct"},
        "rival": {"method": "instance"},
    }
    runs = runs_of(made(tmp_path, arms, plant=all_columns))
    assert {run.arm for run in runs} == arms.keys() - {"direct", "rival"}
    rows = across_settings(runs)
    assert all(row["of"] == 7 for row in rows)
    names = {row["signal"]: set(row["names"].split(", ")) for row in rows}
    assert len(rows) == len(SIGNALS)
    assert names["loss"] == {"paul", "rate"}
    assert names["pedal"] == names["agreement"] == names["other_camera"] == {"paul", "rate", "weight", "margin", "list"}
    assert names["ipfl"] == {"paul", "rate", "k", "weight"}
    assert names["vetoes"] == names["negatives"] == {"paul", "rate", "k", "weight", "margin"}
    assert row_of(rows, "loss")["note"] == "few arms" and row_of(rows, "pedal")["note"] == ""


def test_too_few_arms_and_unfinished_seeds_are_told(tmp_path: Path) -> None:
    lone = across_settings(runs_of(made(tmp_path / "lone", {"paul": {}, "k": {"adapt": {"k": 5}}})))
    row = row_of(lone, "pedal")
    assert (row["arms"], row["of"], row["note"]) == (1, 2, "few arms") and "rho" not in row
    runs = runs_of(made(tmp_path / "begun"))
    begun = [run for run in runs if (run.arm, run.seed) != ("lr=0.3", 4)]
    row = row_of(across_settings(begun), "pedal")
    assert (row["arms"], row["seeds"], row["of"]) == (5, 5, 6) and "lr=0.3" not in row["names"]


def test_a_default_that_cannot_be_compared_is_left_open(tmp_path: Path) -> None:
    arms = {"paul": {}, **{f"lr={v}": {"adapt": {"k": 5, "lr": v}} for v in (0.1, 0.2, 0.3)}}
    runs = runs_of(made(tmp_path, arms))
    assert [len(group) for group in comparable(runs, "pedal")] == [15, 5]  # the largest first
    row = row_of(across_settings(runs), "pedal")
    assert row["default"] is None and row["gain_default"] is None and row["picked"] == row["best"]


def test_two_studies_make_one_set_of_arms(tmp_path: Path) -> None:
    first, second = made(tmp_path, name="rates"), made(tmp_path, {"same": {}, "new": {"adapt": {"lr": 9.0}}}, name="b")
    runs = runs_of(first, second)
    assert {run.arm for run in runs} == {*(f"rates:{arm}" for arm in RATES), "b:new"}  # b:same was rates:paul
    assert {run.arm for run in runs if run.default} == {"rates:paul"}
    assert row_of(across_settings(runs), "pedal")["arms"] == 7
    (group,) = comparable(runs, "pedal")
    assert len(group) == 35


def test_other_images_of_the_same_name_are_refused(tmp_path: Path) -> None:
    path = made(tmp_path, seeds=range(2))
    receipt = receipts.read(path)
    receipt.trials[0].data["target"] = "elsewhere"
    receipts.write(receipt, tmp_path)
    with pytest.raises(InputError, match="different images in seed 0 of paul"):
        across_settings(runs_of(path))


# ---- what is written


def test_rows_go_to_csv_and_tables(tmp_path: Path) -> None:
    runs = runs_of(made(tmp_path))
    for rows in (across_settings(runs), across_epochs(runs)):
        write_csv(tmp_path / "rows.csv", rows)
        with open(tmp_path / "rows.csv", newline="") as file:
            found = list(csv.DictReader(file))
        assert [row["signal"] for row in found] == [row["signal"] for row in rows]
        assert float(row_of(found, "pedal")["rho"]) == -1
        lines = markdown(rows).splitlines()
        assert len(lines) == len(rows) + 2 and len({line.count("|") for line in lines}) == 1
    small = markdown(across_settings(runs), ("signal", "arms", "rho", "same_sign", "regret")).splitlines()
    assert small[0] == "| signal | arms | rank correlation | same sign | regret |"
    assert small[2] == "| pedal | 6 | -1.00 [-1.00, -1.00] | 100 % | +0.0 [+0.0, +0.0] |"
    assert "| negatives | 6 |  |  | " in "\n".join(small)
