"""Receipts are read as they were written; intervals against loops, tables and known truths; comparisons in words."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from paulbook.studies import receipts
from paulbook.studies.compare import compare, compare_trials
from paulbook.studies.receipts import Receipt, Trial, people_of, settings_of
from paulbook.studies.statistics import bootstrap, seed_difference, seed_interval, seed_test, spearman, t_quantile
from scipy import stats

import paullite as pl
from paullite.errors import InputError
from paullite.evaluation import average_precision, score_ranking


def trial(arm: str, seed: int, shares: Sequence[float], world: str | None = None, queries: int = 5) -> Trial:
    """People whose queries hit, and are ranked, as well as the shares say."""
    hits = [round(queries * share) for share in shares]
    precisions = [round(queries * share * 0.9, 6) for share in shares]
    total = queries * len(shares)
    scores = {"rank1": round(sum(hits) / total, 6), "map_step": round(sum(precisions) / total, 6)}
    pids, each = list(range(len(shares))), [queries] * len(shares)
    people: dict[str, list[Any]] = {"pids": pids, "queries": each, "hits": hits, "precisions": precisions}
    return Trial(arm, seed, scores, people, {"adapt": 1.5}, {"source": "s", "target": world or f"world {seed}"})


def arm_of(name: str, mean: float, seeds: Sequence[int], world: str | None = None, spread: float = 0.02) -> list[Trial]:
    """An arm on several seeds: 40 people, whose shares lie about a mean that the seed moves a little."""
    found = []
    for seed in seeds:
        people = np.random.default_rng(seed).normal(0, 0.15, 40)  # the same for every arm
        moved = mean + np.random.default_rng([seed, sum(map(ord, name))]).normal(0, spread)
        found.append(trial(name, seed, np.clip(moved + people, 0, 1).tolist(), world))
    return found


def receipt(trials: list[Trial], study: str = "toy", **changes: Any) -> Receipt:
    arms = {name: {"title": f"the arm {name}", "changes": {}} for name in dict.fromkeys(t.arm for t in trials)}
    facts: dict[str, Any] = {
        "study": study,
        "question": "Does it help?",
        "command": f"paulbook experiment {study}",
        "settings": {"method": "adapt", "target": {"identities": 64}, "adapt": {"lr": 0.15, "weight_decay": 5e-7}},
        "arms": arms,
        "versions": {"torch": "2.15.0"},
        "machine": {"cores": 2},
        "trials": trials,
    }
    return Receipt(**{**facts, **changes})


def file_of(folder: Path, name: str, trials: list[Trial], **changes: Any) -> str:
    return str(receipts.write(receipt(trials, name, **changes), folder))


# ---- receipts


def test_a_receipt_is_read_as_it_was_written(tmp_path: Path) -> None:
    whole = receipt(arm_of("on", 0.6, [1, 0]) + arm_of("off", 0.5, [0]))
    path = receipts.write(whole, tmp_path / "new")
    assert path == tmp_path / "new" / "toy.json"
    assert receipts.read(path) == whole == receipts.read(str(path))
    assert [t.seed for t in whole.of("on")] == [0, 1] and whole.of("none") == []
    assert sorted(p.name for p in path.parent.iterdir()) == ["toy.csv", "toy.json"]  # nothing half-written stays
    table = (tmp_path / "new" / "toy.csv").read_text().splitlines()
    assert table[0] == "arm,seed,rank1,map_step,seconds_adapt" and len(table) == 4


def test_each_trial_is_one_line_and_only_trials_are_rounded(tmp_path: Path) -> None:
    one = trial("on", 0, [0.2, 0.4])
    one.scores["rank1"], one.people["precisions"][0] = 1 / 3, np.float64(2 / 3)
    path = receipts.write(receipt([one, trial("on", 1, [0.2, 0.4])]), tmp_path)
    lines = [line for line in path.read_text().splitlines() if line.startswith('  {"arm"')]
    assert len(lines) == 2 and '"rank1": 0.333333' in lines[0] and "0.666667" in lines[0]
    assert receipts.read(path).settings["adapt"]["weight_decay"] == 5e-7


def test_a_receipt_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = receipts.write(receipt(arm_of("on", 0.6, [0])), tmp_path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        receipts.write(receipt(arm_of("on", 0.6, [0]), settings={"lr": float("nan")}), tmp_path)
    assert path.read_bytes() == before and not list(tmp_path.glob("*.part"))


def test_history_by_epoch(tmp_path: Path) -> None:
    rows = [{"arm": "on", "seed": 0, "epoch": 1, "loss": 0.12345678}, {"arm": "2", "seed": 1, "epoch": 2, "rank1": 1.0}]
    path = receipts.write(receipt(arm_of("on", 0.6, [0])), tmp_path, rows)
    assert (tmp_path / "toy-history.csv").is_file()
    found = receipts.history(path)
    assert found == [{**rows[0], "loss": 0.123457}, rows[1]]
    assert isinstance(found[1]["arm"], str) and isinstance(found[0]["epoch"], int)
    with pytest.raises(InputError, match=r"found no file .*other-history\.csv; expected the history beside"):
        receipts.history(receipts.write(receipt([], "other"), tmp_path))


def test_shipped_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ablation", "patches"):
        file_of(tmp_path, name, arm_of("on", 0.6, [0]))
    monkeypatch.setattr(receipts, "SHIPPED", tmp_path)
    assert receipts.names() == ["ablation", "patches"]
    assert receipts.read("patches").study == "patches"
    with pytest.raises(
        InputError, match="found no receipt 'ablaton'; expected .*ablation, patches; nearest: ablation$"
    ):
        receipts.read("ablaton")
    assert "A  ablation:on" in compare("ablation", "patches:on")


@pytest.mark.parametrize("name", [*receipts.names(), *receipts.names("v1")])
def test_a_comparison_of_shipped_arms_says_their_means_and_differences(name: str) -> None:
    """Of the first two arms of each receipt that ships, computed again from the trials themselves."""
    found = receipts.read(name)
    bare = name.removeprefix("v1/")
    assert found.study == bare and found.command.startswith(
        (f"paulbook experiment {bare}", f"python -m tests.benchmarks.{bare}")
    )
    a, b = list(found.arms)[:2]
    text = compare(f"{name}:{a}", f"{name}:{b}")
    for shown, score in (("rank-1", "rank1"), ("mAP", "map_step")):
        both = [{t.seed: 100 * t.scores[score] for t in found.of(arm)} for arm in (a, b)]
        seeds = both[0].keys() & both[1].keys()
        means = [sum(scores[seed] for seed in seeds) / len(seeds) for scores in both]
        row = next(line.split() for line in text.splitlines() if line.startswith(f"{shown} "))
        assert [float(number) for number in row[1:4]] == pytest.approx([*means, means[1] - means[0]], abs=0.051)


def spoil(change: Callable[[dict[str, Any]], Any]) -> Callable[[str], str]:
    def spoiled(text: str) -> str:
        facts = json.loads(text)
        change(facts)
        return json.dumps(facts)

    return spoiled


SPOILED = {
    "found format 0 in .*; expected a receipt of format 1; make it again": spoil(lambda f: f.update(format=0)),
    "found format None in .*; expected a receipt of format 1; give the NAME.json": spoil(lambda f: f.pop("format")),
    "cannot read .*; expected a receipt in JSON; give NAME.json": lambda text: text[:-9],
    "found format None": lambda text: "[1, 2]",
    "with a field missing or unknown .'question'": spoil(lambda f: f.pop("question")),
    "with a field missing or unknown .*colour": spoil(lambda f: f["trials"][0].update(colour=1)),
    "found trials of b, c in .*; expected only arms": spoil(
        lambda f: [f["trials"][i].update(arm="cb"[i]) for i in (0, 1)]
    ),
    "found arm 'on' with seed 0 twice in .*; expected one trial of each": spoil(
        lambda f: f["trials"][1].update(seed=0)
    ),
}


@pytest.mark.parametrize("message", SPOILED)
def test_no_other_file_is_read_as_a_receipt(message: str, tmp_path: Path) -> None:
    path = receipts.write(receipt(arm_of("on", 0.6, [0, 1])), tmp_path)
    path.write_text(SPOILED[message](path.read_text()))
    with pytest.raises(InputError, match=message):
        receipts.read(path)


def test_settings_of_an_arm_touch_nothing_else() -> None:
    changes = {"method": "direct", "adapt": {"lr": 0.3}, "cluster": {"eps": 0.5}}
    one = receipt([], arms={"a": {"changes": changes}, "plain": {"title": "no changes"}})
    before = json.dumps(one.settings)
    found = settings_of(one, "a")
    assert found["method"] == "direct" and found["adapt"] == {"lr": 0.3, "weight_decay": 5e-7}
    assert found["target"] == {"identities": 64} and found["cluster"] == {"eps": 0.5}
    assert settings_of(one, "plain") == one.settings and json.dumps(one.settings) == before
    with pytest.raises(InputError, match="found no arm 'plan' in the receipt 'toy'; expected one of: a, plain; plain"):
        settings_of(one, "plan")


def test_people_add_up_to_the_scores() -> None:
    rng = np.random.default_rng(0)
    q_pids, g_pids = rng.integers(0, 6, 30), rng.integers(1, 6, 50)  # person 0 has no match
    q, g = rng.normal(size=(30, 4)), rng.normal(size=(50, 4))
    scores = score_ranking(q, g, q_pids, g_pids, rng.integers(0, 2, 30), rng.integers(0, 2, 50))
    people = people_of(scores, q_pids)
    assert people["pids"] == [1, 2, 3, 4, 5] and sum(people["queries"]) == scores.queries < 30
    assert sum(people["hits"]) / scores.queries == pytest.approx(scores.rank1)
    assert sum(people["precisions"]) / scores.queries == pytest.approx(scores.map_step, abs=1e-6)
    for i, pid in enumerate(people["pids"]):
        mine = (q_pids == pid) & (scores.first_ranks > 0)
        assert people["queries"][i] == mine.sum() and people["hits"][i] == (scores.first_ranks[mine] == 1).sum()
        assert people["precisions"][i] == pytest.approx(scores.precisions[mine].sum(), abs=1e-6)
    assert people_of(scores, torch.tensor(q_pids)) == people == json.loads(json.dumps(people))
    with pytest.raises(InputError, match="found 29 identities of queries; expected 30"):
        people_of(scores, q_pids[1:])


def test_people_of_one_query() -> None:
    scores = score_ranking(torch.eye(3)[:1], torch.eye(3), [7], [5, 7, 7])
    assert people_of(scores, [7]) == {
        "pids": [7],
        "queries": [1],
        "hits": [0],
        "precisions": [round(average_precision(np.array([2, 3])), 6)],
    }
    assert isinstance(scores, pl.Scores)


# ---- intervals


def test_bootstrap_is_the_loop() -> None:
    rng = np.random.default_rng(3)
    a: list[Trial] = []
    b: list[Trial] = []
    for seed, world in [(0, "x"), (1, "y"), (2, "y")]:  # two worlds, of seven and nine people
        for arm, side in (("a", a), ("b", b)):
            count = {"x": 7, "y": 9}[world]
            one = trial(arm, seed, rng.random(count).tolist(), world)
            one.people["queries"] = np.random.default_rng(count).integers(5, 9, count).tolist()
            side.append(one)
    places = np.random.default_rng(11)
    drawn = {"x": places.integers(7, size=(50, 7)), "y": places.integers(9, size=(50, 9))}
    for score, column in (("rank1", "hits"), ("map_step", "precisions")):
        values = []
        for draw in range(50):
            means = []
            for side in (a, b):
                shares = []
                for one in side:
                    people = drawn[one.data["target"]][draw]
                    top = sum(one.people[column][i] for i in people)
                    shares.append(top / sum(one.people["queries"][i] for i in people))
                means.append(sum(shares) / len(shares))
            values.append(means)
        for found, loop in [
            (bootstrap(a, draws=50, seed=11), [one for one, _ in values]),
            (bootstrap(a, b, draws=50, seed=11), [two - one for one, two in values]),
        ]:
            assert (found[score].low, found[score].high) == pytest.approx(np.percentile(loop, [2.5, 97.5]), abs=1e-6)


def test_bootstrap_covers_a_known_truth() -> None:
    """Of people whose true shares are 0.6 on average, 95 % intervals hold 0.6 about 95 times in 100."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(300):
        hits = rng.binomial(4, rng.beta(3, 2, 40))  # queries of one person go together
        found = bootstrap([trial("a", 0, (hits / 4).tolist(), queries=4)], draws=300, seed=int(rng.integers(2**31)))
        inside += found["rank1"].low <= 0.6 <= found["rank1"].high
    assert 0.90 <= inside / 300 <= 0.98


def test_bootstrap_keeps_the_queries_of_a_person_together() -> None:
    """Twice as many queries of the same people, answered alike, teach nothing new."""
    shares = np.random.default_rng(1).random(30).round(1).tolist()
    few, many = (bootstrap([trial("a", 0, shares, queries=n)])["rank1"] for n in (10, 20))
    assert few == many


def test_bootstrap_pairs_what_is_paired() -> None:
    a, b = arm_of("a", 0.5, [0, 1, 2], spread=0), arm_of("b", 0.52, [0, 1, 2], spread=0)
    apart = [Trial(t.arm, t.seed, t.scores, t.people, t.seconds, {"target": t.data["target"] + "'"}) for t in b]
    paired, unpaired = bootstrap(a, b)["map_step"], bootstrap(a, apart)["map_step"]
    assert paired.leaves_out_zero() and not unpaired.leaves_out_zero()
    assert paired.mean == unpaired.mean
    assert unpaired.high - unpaired.low > 3 * (paired.high - paired.low)


def test_one_test_set_on_many_seeds_counts_once() -> None:
    once = arm_of("a", 0.5, [0], "market")
    same, apart = (
        [Trial("a", seed, once[0].scores, once[0].people, {}, {"target": world}) for seed, world in enumerate(worlds)]
        for worlds in (["market"] * 4, "wxyz")
    )
    assert bootstrap(same) == bootstrap(once)  # four looks at one test set tell nothing more of people
    width = lambda found: found["map_step"].high - found["map_step"].low  # noqa: E731
    assert width(bootstrap(apart)) == pytest.approx(width(bootstrap(once)) / 2, rel=0.1)


def test_bootstrap_swaps_signs_and_nothing_else() -> None:
    a, b = arm_of("a", 0.5, [0, 1]), arm_of("b", 0.6, [0, 1, 5])
    for score, there in bootstrap(a, b).items():
        back = bootstrap(b, a)[score]
        assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low), abs=2e-6)
    assert bootstrap(a, b) == bootstrap(a, b) != bootstrap(a, b, seed=1)


def test_t_is_that_of_the_table() -> None:
    """Two-sided 95 % points of Student's t as every printed table has them."""
    table = """12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228 2.201 2.179 2.160 2.145 2.131 2.120 2.110
        2.101 2.093 2.086 2.080 2.074 2.069 2.064 2.060 2.056 2.052 2.048 2.045 2.042""".split()
    assert [f"{t_quantile(df):.3f}" for df in range(1, 31)] == table
    assert t_quantile(4) > t_quantile(4.5) > t_quantile(5)
    assert t_quantile(120) == pytest.approx(1.97993, abs=1e-5)
    assert t_quantile(float("inf")) == pytest.approx(1.95996, abs=1e-5)


@pytest.mark.parametrize("paired", [True, False])
def test_the_t_test_is_scipys(paired: bool) -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.5, 0.1, 6), rng.normal(0.6, 0.2, 6)
    found = seed_test(a.tolist(), b.tolist(), paired=paired)
    scipys = stats.ttest_rel(b, a) if paired else stats.ttest_ind(b, a, equal_var=False)
    ends = scipys.confidence_interval(0.95)
    assert found and found.p == pytest.approx(scipys.pvalue, abs=1e-6)
    assert (found.interval.low, found.interval.high) == pytest.approx((ends.low, ends.high), abs=1e-6)
    assert found.deviation == (pytest.approx((b - a).std(ddof=1)) if paired else None)


def test_the_t_test_of_what_does_not_vary() -> None:
    same, moved = [0.1, 0.2, 0.3], [0.2, 0.3, 0.4]  # 0.3 - 0.2 and 0.4 - 0.3 differ in the last bit
    for paired, p in ((True, 0.0), (False, None)):
        found = seed_test(same, moved, paired=paired)
        assert found and (p is None or found.p == p)
    nothing = seed_test(same, same, paired=True)
    assert nothing and nothing.p == 1 and not nothing.interval.leaves_out_zero()


@pytest.mark.parametrize("kind", ["one", "paired", "welch"])
def test_seed_intervals_cover_a_known_truth(kind: str) -> None:
    rng, inside = np.random.default_rng(2), 0
    for _ in range(600):
        world, a, b = rng.normal(0, 3, 5), rng.normal(0, 1, 5), rng.normal(0.5, 1, 5)
        if kind == "welch":
            found = seed_difference(rng.normal(0, 3, 4).tolist(), b.tolist(), paired=False)
        elif kind == "paired":
            found = seed_difference((world + a).tolist(), (world + b).tolist(), paired=True)
        else:
            found = seed_interval(b.tolist())
        assert found is not None
        inside += found.low <= 0.5 <= found.high
    assert 0.925 <= inside / 600 <= 0.98


def test_seed_intervals_by_hand() -> None:
    found = seed_interval([1.0, 2.0, 3.0])
    assert found is not None and (found.mean, found.low) == pytest.approx((2, 2 - 4.30265 / 3**0.5), abs=1e-4)
    # Welch: variances 1 and 4 over n = 3 and 3: se^2 = 5 / 3, df = (5/3)^2 / ((1/3)^2/2 + (4/3)^2/2) = 2.941
    welch = seed_difference([1, 2, 3], [3, 5, 7], paired=False)
    assert welch is not None and welch.mean == 3
    assert welch.high - 3 == pytest.approx(t_quantile(2.941176) * (5 / 3) ** 0.5, abs=1e-5)
    flat = seed_difference([1, 1], [2, 2], paired=False)
    assert flat is not None and (flat.low, flat.high) == (1, 1)
    assert seed_difference([1], [2, 3], paired=False) is None and seed_difference([1], [2], paired=True) is None


def test_spearman() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 20).tolist(), rng.integers(0, 6, 20).tolist()  # many ties
    ranks = [[sum(v < x for v in c) + (sum(v == x for v in c) + 1) / 2 for x in c] for c in (a, b)]
    assert spearman(a, b) == pytest.approx(np.corrcoef(ranks)[0, 1], abs=1e-6)
    assert spearman([1, 2, 3], [1, 8, 27]) == 1 and spearman([1, 2, 3], [3, 2, 1]) == -1
    assert spearman([1, 1, 1], [3, 2, 1]) is None


def test_what_statistics_refuse() -> None:
    with pytest.raises(InputError, match="found an arm without trials; expected one or more"):
        bootstrap([])
    with pytest.raises(InputError, match="found an arm without trials"):
        bootstrap(arm_of("a", 0.5, [0]), [])
    with pytest.raises(InputError, match="found 1 test people; expected two or more"):
        bootstrap([trial("a", 0, [0.5])])
    with pytest.raises(InputError, match="found no numbers; expected one for each seed"):
        seed_interval([])
    with pytest.raises(InputError, match="found 2 and 1 numbers; expected pairs; use paired=False"):
        seed_difference([1, 2], [1], paired=True)
    with pytest.raises(InputError, match="found 2 and 1 numbers; expected as many of each"):
        spearman([1, 2], [1])


# ---- comparisons


def test_a_planted_gain_is_found(tmp_path: Path) -> None:
    path = file_of(tmp_path, "gain", arm_of("off", 0.5, range(5)) + arm_of("on", 0.6, range(5)))
    text = compare(f"{path}:off", f"{path}:on")
    assert text.count(", significant") == 2 and "not" not in text and "two" not in text
    assert "corrected by Holm" not in text  # the only comparison of this record
    assert "A  gain:off, the arm off\nB  gain:on, the arm on\n" in text
    assert "seeds 0, 1, 2, 3, 4: same test people and queries" in text
    for line in compare_trials(arm_of("off", 0.5, range(5)), arm_of("on", 0.6, range(5))):
        assert line.seeds and line.seeds.mean == pytest.approx(line.b - line.a, abs=2e-6) and line.b > line.a
    back = compare(f"{path}:on", f"{path}:off")
    assert back.count(", significant") == 2 and "-" in back.split("rank-1")[-1]


def test_no_gain_is_not_found(tmp_path: Path) -> None:
    """Of two arms that differ by chance alone, about one in twenty is called significant."""
    found = 0
    for world in range(20):
        seeds = range(5 * world, 5 * world + 5)
        found += any(line.significant for line in compare_trials(arm_of("a", 0.5, seeds), arm_of("c", 0.5, seeds)))
    assert found <= 3


def test_a_receipt_and_itself(tmp_path: Path) -> None:
    path = file_of(tmp_path, "toy", arm_of("a", 0.5, [0, 1]) + arm_of("b", 0.6, [0, 1]))
    text = compare(path, path)
    assert text.count("settings, A (now B): none differs") == 2 and "versions" not in text
    assert text.count("+0.0   +0.0 .. +0.0       +0.0 .. +0.0       cannot be said") == 4
    assert text.count("2 seeds: from 3 on") == 2


def test_people_alone_are_not_enough_and_seeds_alone_only_where_each_has_a_test_of_its_own() -> None:
    steady, moved = arm_of("a", 0.5, range(4), spread=0), arm_of("b", 0.53, range(4), spread=0)
    line = compare_trials(steady, moved)[1]
    assert line.verdict() == "significant" and not line.one_test
    jumps = [
        trial("b", s, np.clip(np.array(t.people["hits"]) / 5 + d, 0, 1).tolist())
        for s, t, d in zip(range(4), steady, [0.6, 0.0, 0.4, 0.0], strict=True)
    ]
    line = compare_trials(steady, jumps)[0]
    assert line.people.leaves_out_zero() and line.seeds and not line.seeds.leaves_out_zero()
    assert line.verdict() == "not significant"
    for world, said in (("one world", "not significant"), (None, "significant")):
        few = [[trial(arm, s, [0.2, 0.8, share], world) for s in range(3)] for arm, share in (("a", 0.2), ("b", 0.8))]
        line = compare_trials(*few)[0]
        assert line.seeds and line.seeds.leaves_out_zero() and line.p == 0
        assert line.one_test == (world is not None) and line.verdict() == said
        assert world is None or not line.people.leaves_out_zero()


def test_two_seeds_that_agree_decide_nothing() -> None:
    two = [[trial(arm, s, [share] * 30) for s in range(2)] for arm, share in (("a", 0.2), ("b", 0.8))]
    line = compare_trials(*two)[0]
    assert line.p == 0 and line.seeds and line.seeds.low == line.seeds.high
    assert line.verdict() == "cannot be said" and not line.significant


def test_one_training_cannot_tell(tmp_path: Path) -> None:
    path = file_of(tmp_path, "once", arm_of("off", 0.3, [0]) + arm_of("on", 0.9, [0]) + arm_of("many", 0.9, [1, 2]))
    text = compare(f"{path}:off", f"{path}:on")
    assert text.count("cannot be said") == 2 and "one training each: the interval covers the test people only" in text
    assert "people, 95 % CI" in text and "seeds, 95 %" not in text
    assert "one training on one side" in compare(f"{path}:off", f"{path}:many")


def test_other_people_are_drawn_apart(tmp_path: Path) -> None:
    a = file_of(tmp_path, "mild", arm_of("paul", 0.5, range(3)))
    b = file_of(tmp_path, "severe", [*arm_of("paul", 0.9, range(4), "rain")])
    text = compare(a, b)
    assert "different test data: the queries are not of the same people" in text
    assert "seeds of A 0, 1, 2; of B 0, 1, 2, 3; seeds are not paired" in text
    assert text.count(", significant") == 2
    assert "different test data" not in compare(a, a)


def test_a_test_is_known_by_its_own_fingerprint() -> None:
    """Trained on other images, yet paired; the same training images and another test, yet not."""
    old = arm_of("paul", 0.5, range(3))
    ours, own = (
        [Trial(t.arm, t.seed, t.scores, t.people, {}, {"target": images, "test": f"test {t.seed}"}) for t in old]
        for images in ("study", "mine")
    )
    assert compare_trials(ours, own)[0].deviation == 0  # paired
    other = [Trial(t.arm, t.seed, t.scores, t.people, {}, {**t.data, "test": "another"}) for t in ours]
    assert compare_trials(ours, other)[0].deviation is None
    assert compare_trials(old, old)[0].deviation == 0  # records from before it was noted
    assert compare_trials(old, ours)[0].deviation is None


def test_seeds_without_a_partner_are_left_out(tmp_path: Path) -> None:
    a = file_of(tmp_path, "long", arm_of("paul", 0.5, range(5)))
    b = file_of(tmp_path, "short", arm_of("pedal", 0.5, [1, 2, 9]))
    text = compare(a, b)
    assert "seeds 1, 2: same test people and queries" in text
    assert "left out: seeds 0, 3, 4 of A" in text and "left out: seeds 9 of B" in text
    used = [t for t in arm_of("paul", 0.5, range(5)) if t.seed in (1, 2)]
    assert f"rank-1{100 * np.mean([t.scores['rank1'] for t in used]):7.1f}" in text


def test_what_differs_is_said(tmp_path: Path) -> None:
    other = arm_of("paul", 0.5, range(3))
    other = [Trial(t.arm, t.seed, t.scores, t.people, {}, {**t.data, "source": "few"}) for t in other]
    long = {f"a_setting_with_a_long_name_{i}": i for i in range(12)}
    a = file_of(tmp_path, "a", arm_of("paul", 0.5, range(3)))
    b = file_of(tmp_path, "b", other, versions={"torch": "9"}, machine={"cores": 4}, settings={"adapt": long})
    text = compare(a, b)
    for words in ("torch 2.15.0 (now 9)", "cores 2 (now 4)", "adapt.lr 0.15 (now None)", "different source images"):
        assert words in text.replace("\n  ", "")
    assert max(map(len, text.splitlines())) <= 100


def heads(*given: str) -> list[str]:
    """Which arms a comparison sets side by side."""
    return [line[3:].split(",")[0] for line in compare(*given).splitlines() if line[:3] in ("A  ", "B  ")]


def test_arms_are_found(tmp_path: Path) -> None:
    seeds = range(2)
    two = file_of(tmp_path, "two", arm_of("a", 0.5, seeds) + arm_of("b", 0.5, seeds))
    three = file_of(tmp_path, "three", arm_of("b", 0.5, seeds) + arm_of("c", 0.5, seeds) + arm_of("a", 0.5, seeds))
    one = file_of(tmp_path, "one", arm_of("z", 0.5, seeds))
    colon = file_of(tmp_path, "with:colon", arm_of("a", 0.5, seeds))
    assert heads(two, three) == ["two:a", "three:a", "two:b", "three:b"]
    assert heads(one, colon) == ["one:z", "with:colon:a"]
    assert heads(f"{two}:a", one) == ["two:a", "one:z"] == heads(f"{two}:a", f"{one}:z")
    assert heads(f"{two}:b", three) == ["two:b", "three:b"] and heads(one, f"{three}:c") == ["one:z", "three:c"]
    for given, message in {
        (f"{two}:d", two): "found no arm 'd' in the receipt 'two'; expected one of: a, b",
        (f"{three}:c", two): "found no arm 'c' in the receipt 'two'",
        (two, one): "found no arm with trials in both 'two' and 'one'; .* FILE:ARM twice; A has a, b; B has z",
        (two, "nowhere.json:a"): "found no receipt 'nowhere.json'",
        (two, "nowhere.json"): "found no receipt 'nowhere.json'",
    }.items():
        with pytest.raises(InputError, match=message):
            compare(*given)


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    begun = receipt(arm_of("a", 0.5, [0]))
    begun.arms["later"] = {"title": "not yet run", "changes": {}}
    path = receipts.write(begun, tmp_path)
    with pytest.raises(InputError, match="no trial of arm 'later' .*; run it to its end: paulbook experiment toy"):
        compare(f"{path}:a", f"{path}:later")
    assert compare(str(path), str(path)).count("rank-1") == 1  # only what was run
    begun.trials[0].scores["rank1"] += 0.1
    path = receipts.write(begun, tmp_path / "doctored")
    with pytest.raises(InputError, match="found people who do not add up to the rank1 of their trials"):
        compare(f"{path}:a", f"{tmp_path / 'toy.json'}:a")
