"""The evaluation against a loop, against the reference's numbers, and on its rules one by one."""

import tracemalloc
import warnings
from dataclasses import asdict
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms import v2

import paullite as pl
from paullite.errors import InputError
from paullite.evaluation import score_ranking, threshold
from paullite.features import extract
from tests import textbook
from tests.conftest import cases


@pytest.mark.parametrize("case", cases("ranking"))
def test_ranking_is_the_reference(case: dict[str, torch.Tensor]) -> None:
    columns = [case[name] for name in ("query_pids", "gallery_pids", "query_camids", "gallery_camids")]
    scores = score_ranking(case["query"], case["gallery"], *columns, chunk=7)
    assert scores.map_trapezoid == pytest.approx(float(case["mAP_trapezoid"]), abs=1e-6)
    assert scores.cmc[:20] == pytest.approx(case["cmc"].numpy(), abs=1e-6)
    assert scores.queries == int(case["valid"].sum())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("cameras", [True, False])
def test_ranking_is_the_loop(seed: int, cameras: bool) -> None:
    rng = np.random.RandomState(seed)
    q, g = rng.randn(12, 4), np.eye(4)[rng.randint(0, 4, 60)]  # four kinds of gallery image, so many ties
    q_pids, g_pids = rng.randint(-1, 9, 12), rng.randint(-1, 7, 60)  # junk, distractors, lone queries
    q_cams, g_cams = (rng.randint(0, 3, 12), rng.randint(0, 3, 60)) if cameras else (None, None)
    own = None if cameras else rng.randint(-1, 60, 12)
    expected = textbook.ranking(q, g, q_pids, g_pids, q_cams, g_cams, own)
    found = score_ranking(q, g, q_pids, g_pids, q_cams, g_cams, own, chunk=5)
    assert found.cmc == pytest.approx(expected["cmc"])
    for name in ("map_step", "map_trapezoid", "minp", "queries", "lone_queries"):
        assert getattr(found, name) == pytest.approx(expected[name]), name


def toy(g_pids: list[int], g_cams: list[int] | None = None) -> pl.Scores:
    """One query of person 5 by camera 0, a gallery in the order that is given."""
    g = torch.stack([torch.cos(torch.arange(len(g_pids)) / 10), torch.sin(torch.arange(len(g_pids)) / 10)], 1)
    cameras = (None, None) if g_cams is None else ([0], g_cams)
    return score_ranking(torch.tensor([[1.0, 0.0]]), g, [5], g_pids, *cameras)


def test_rules_one_by_one() -> None:
    assert toy([5, 6], [1, 1]).rank1 == 1
    assert toy([6, 5], [1, 1]).rank1 == 0
    assert toy([5, 6, 5], [0, 1, 1]).rank1 == 0  # same person, same camera: left out
    assert toy([-1, 5], [1, 1]).rank1 == 1  # junk: left out
    assert toy([0, 5], [1, 1]).rank1 == 0  # a distractor counts
    assert toy([6, 5], [0, 1]).rank1 == 0  # another person by the same camera counts
    assert toy([5, 6]).rank1 == 1  # no cameras known: nothing is left out


def test_identity_zero_is_a_person_where_it_is_queried() -> None:
    s = score_ranking(torch.eye(2)[:1], torch.eye(2), [0], [0, 1], [0], [1, 1])
    assert s.rank1 == 1 and s.lone_queries == 0


def test_the_own_file_is_looked_up_in_the_gallery() -> None:
    query = pl.data.Split(("b.jpg", "x.jpg"), (5, 6), (0, 0))
    gallery = pl.data.Split(("c.jpg", "a.jpg", "b.jpg"), (5, 6, 5), (1, 1, 1))
    *_, own = pl.evaluation.ranking_columns(query, gallery)
    assert np.asarray(own).tolist() == [[2], [-1]]


def test_two_definitions_of_ap() -> None:
    s = toy([6, 5], [1, 1])
    assert (s.map_step, s.map_trapezoid, s.minp) == (0.5, 0.25, 0.5)


def test_tensors_arrays_and_scale_do_not_matter() -> None:
    torch.manual_seed(0)
    q, g = torch.randn(5, 4), torch.randn(20, 4)
    pids = torch.arange(5), torch.arange(20) % 5
    a = score_ranking(q, g, *pids)
    b = score_ranking(3 * q.numpy(), g.double(), pids[0].tolist(), pids[1].numpy())
    c = score_ranking(q.clone().requires_grad_(), g.numpy()[::-1][::-1], *pids)
    read_only = g.numpy().copy()
    read_only.flags.writeable = False
    d = score_ranking(q, read_only, torch.arange(5, dtype=torch.int32), pids[1].numpy().astype(np.uint16))
    assert a.headline() == b.headline() == c.headline() == d.headline() and "queries" in str(a)
    assert str(a) in repr(a) and "\n" not in repr(a)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64])
def test_any_dtype(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    q, g = torch.randint(-4, 5, (5, 4)).to(dtype), torch.randint(-4, 5, (20, 4)).to(dtype)
    pids = range(5), [i % 5 for i in range(20)]
    expected = score_ranking(q.float(), g.float(), *pids)
    assert score_ranking(q, g, *pids).map_step == pytest.approx(expected.map_step, abs=1e-6)
    assert threshold(q, g, *pids, false_accept=0.1).impostors == 80


@pytest.mark.slow
@pytest.mark.parametrize("judge", [score_ranking, threshold])
def test_q_times_g_is_never_held(judge) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    q, g = rng.standard_normal((4000, 2), dtype=np.float32), rng.standard_normal((3000, 2), dtype=np.float32)
    pids = rng.integers(0, 5, 4000), rng.integers(0, 5, 3000)
    judge(q[:30], g[:30], pids[0][:30], pids[0][:30])
    tracemalloc.start()
    judge(q, g, *pids, chunk=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    table = len(q) * len(g) * 4
    assert peak < table * (0.5 if judge is score_ranking else 2.5)  # the counters alone are 4 tables of 2,000,001


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1], [2, 2], [0], [1, 1]), "none of the 1 queries has a match"),
        (([1], [1], [0], [1, 1]), r"found gallery_pids of shape \(1,\); expected \(2,\)"),
        (([1], [1, 1, 1], [0], [1, 1]), r"found gallery_pids of shape \(3,\); expected \(2,\)"),
        (([1], [[1, 1], [1, 1]], [0], [1, 1]), r"found gallery_pids of shape \(2, 2\); expected \(2,\)"),
        (([1], [1, 1], [0], None), "one side only"),
    ],
)
def test_bad_columns(columns: tuple[list[int], ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score_ranking(torch.ones(1, 2), torch.ones(2, 2), *columns)


def test_people_and_cameras_may_be_names() -> None:
    """As every other library's users pass them, with features that still want a gradient."""
    torch.manual_seed(0)
    q, g = torch.randn(4, 8, requires_grad=True), torch.randn(12, 8, requires_grad=True)
    pids, cameras = ([0, 1, 2, 0], [i % 4 - 1 for i in range(12)]), ([0, 0, 1, 1], [i % 3 for i in range(12)])
    expected = score_ranking(q, g, *pids, *cameras)
    names = {-1: "-1", 0: "eve", 1: "adam", 2: "20240101120000000010"}
    named = [[names[pid] for pid in part] for part in pids]
    words = [[f"camera {c}" for c in part] for part in cameras]
    large = [[pid if pid == -1 else 2**70 + pid for pid in part] for part in pids]
    for columns in ((*named, *words), (*map(np.array, named), *cameras), (*large, *words)):
        assert score_ranking(q, g, *columns).headline() == expected.headline()
    floats = [np.array(part, dtype=float) for part in pids]  # as pandas keeps a column with gaps
    assert score_ranking(q, g, *floats, *cameras).headline() == expected.headline()
    assert score_ranking(torch.eye(2)[:1], torch.eye(2), [1.0], [1.7, 1.0]).rank1 == 0
    for missing in (None, np.nan, "", float("nan")):
        with pytest.raises(InputError, match="found images without a label"):
            score_ranking(q, g, ["eve", missing, "adam", "eve"], named[1])
    with pytest.raises(InputError, match=r"query_pids of shape \(0,\); expected \(1,\)"):
        threshold(torch.ones(1, 2), torch.ones(3, 2), gallery_pids=[1, 2, 3])


def test_nan_and_empty_features() -> None:
    with pytest.raises(InputError, match="NaN or infinity in 1 of 2 gallery features"):
        score_ranking(torch.ones(1, 2), torch.tensor([[1.0, 1.0], [torch.nan, 0.0]]), [1], [1, 1])
    with pytest.raises(InputError, match="query features"):
        score_ranking(torch.ones(0, 2), torch.ones(2, 2), [], [1, 1])


def test_evaluate_leaves_the_network_alone(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    net.train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    scores = pl.evaluate(net, dolls)
    assert net.training and all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert 0 < scores.map_step <= 1 and len(scores.cmc) == len(dolls.gallery)


def test_evaluate_needs_a_test(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    empty = dolls.query.take([])
    with pytest.raises(InputError, match="0 query"):
        pl.evaluate(net, pl.data.ReIDDataset("toy", dolls.train, empty, empty))


def test_near_ties_hold_in_double() -> None:
    """Two cosines that float32 takes for equal, and would leave in the order of the gallery."""
    query, gallery = torch.tensor([[1.0, 0.0]]).double(), torch.tensor([[1.0, 2e-5], [1.0, 1e-5]]).double()
    columns = ([5], [6, 5], [0], [1, 1])
    assert score_ranking(query, gallery, *columns).rank1 == 1
    assert score_ranking(query.float(), gallery.float(), *columns).rank1 == 0
    assert score_ranking(query, gallery.float(), *columns).rank1 == 1


def test_each_query_by_itself() -> None:
    """Query 0 is right at rank 2 of two, query 1 has nobody, query 2 is right at once."""
    q, g = torch.eye(3), torch.tensor([[0.9, 0.0, 0.1], [1.0, 0.0, 0.0], [0.1, 0.0, 1.0]])
    s = score_ranking(q, g, [1, 7, 3], [1, 2, 3])
    assert s.first_ranks.tolist() == [2, 0, 1] and s.precisions[[0, 2]].tolist() == [0.5, 1.0]
    assert np.isnan(s.precisions[1]) and np.nanmean(s.precisions) == pytest.approx(s.map_step)
    assert (s.first_ranks[s.first_ranks > 0] == 1).mean() == s.rank1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cameras", [True, False])
@pytest.mark.parametrize("kind", ["spread", "ties", "collapsed"])
def test_threshold_is_the_loop(seed: int, cameras: bool, kind: str) -> None:
    rng = np.random.RandomState(seed)
    q, g = rng.randn(12, 4), rng.randn(60, 4)
    if kind == "ties":
        q, g = np.eye(4)[rng.randint(0, 4, 12)], np.eye(4)[rng.randint(0, 4, 60)]
    if kind == "collapsed":
        q, g = 1 + 1e-3 * q, 1 + 1e-3 * g
    q_pids, g_pids = rng.randint(-1, 9, 12), rng.randint(-1, 7, 60)
    columns = (q_pids, g_pids, *((rng.randint(0, 3, 12), rng.randint(0, 3, 60)) if cameras else (None, None)))
    own = None if cameras else rng.randint(-1, 60, 12)
    for wanted in (0.0, 0.05, 0.29, 0.999):
        found = threshold(q, g, *columns, own, false_accept=wanted, chunk=5)
        expected = textbook.threshold(q, g, *columns, own, false_accept=wanted)
        for name, value in expected.items():
            assert getattr(found, name) == pytest.approx(value, abs=1e-12), name
        assert asdict(found).keys() == expected.keys()
        assert found.false_accept <= wanted


def test_threshold_lets_equal_cosines_pass_or_fail_together() -> None:
    q, g = np.eye(2)[:1], np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 7)
    found = threshold(q, g, [5], [5, *range(6, 15)], false_accept=0.2)  # two of nine impostors have cosine 1
    assert (found.cosine, found.false_accept, found.false_reject) == (1.0, 0.0, 1.0)
    found = threshold(q, g, [5], [5, *range(6, 15)], false_accept=0.3)
    assert (found.cosine, found.false_accept, found.false_reject) == (0.0, 2 / 9, 0.0)


def test_threshold_falls_as_more_is_accepted() -> None:
    torch.manual_seed(0)
    q, g = torch.randn(30, 8), torch.randn(90, 8)
    pids = torch.arange(30) % 10, torch.arange(90) % 10
    rows = [threshold(q, g, *pids, false_accept=a) for a in (0.0, 0.01, 0.1, 0.5)]
    assert all(a.cosine > b.cosine and a.false_reject >= b.false_reject for a, b in pairwise(rows))
    arrays = threshold(3 * q.numpy(), g.clone().requires_grad_(), pids[0].tolist(), pids[1].numpy(), false_accept=0.1)
    assert arrays == rows[2]
    assert rows[2].genuine + rows[2].impostors == 30 * 90


@pytest.mark.parametrize(
    ("pids", "wanted", "message"),
    [
        (([5], [5, 5, -1]), 0.1, "2 pairs of one person and 0 of two"),
        (([5], [6, 7, 8]), 0.1, "0 pairs of one person and 3 of two"),
        (([-1], [5, 6, -1]), 0.1, "0 pairs of one person and 0 of two"),
        (([5], [5, 6, 7]), 0.1, "1 pairs of one person and 2 of two people; expected 10 of two people or more"),
        (([5], [5, 6, 7]), 1.0, "false_accept = 1.0"),
        (([5], [5, 6, 7]), float("nan"), "false_accept = nan"),
        (([5], [5, 6, 7]), -0.1, "false_accept = -0.1"),
    ],
)
def test_threshold_without_pairs(pids: tuple[list[int], list[int]], wanted: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        threshold(torch.ones(1, 2), torch.ones(3, 2), *pids, false_accept=wanted)


def test_a_network_evaluated_twice_gives_the_same_scores(net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    """Nothing random is in the evaluation, and a random flip would be noticed."""

    def twice(transform: object = None) -> bool:
        first, again = (pl.evaluate(net, dolls, transform=transform).precisions for _ in range(2))
        return bool(np.array_equal(first, again, equal_nan=True))

    assert twice()
    assert not twice(v2.Compose([v2.RandomHorizontalFlip(0.5), net.transform]))


def test_evaluate_leaves_every_flag(net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    """Also a frozen batch-norm in a network that is training, and after an image that cannot be read."""
    net.train()
    net.norm.eval()
    flags = [module.training for module in net.modules()]
    pl.evaluate(net, dolls)
    assert [module.training for module in net.modules()] == flags
    with pytest.raises(ZeroDivisionError):
        pl.evaluate(net, dolls, transform=lambda image: 1 / 0)
    assert [module.training for module in net.modules()] == flags


class Colours(nn.Module):
    """A network of another kind: the mean colours of a grid, and no transform."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(self.norm(images), (6, 1))  # B 3 6 1


TO_TENSOR = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])


def test_any_module_with_a_transform(dolls: pl.data.PaperDolls) -> None:
    net = Colours().train()
    scores = pl.evaluate(net, dolls, transform=TO_TENSOR)
    assert net.training and scores.queries == len(dolls.query) and scores.first_ranks.min() > 0
    x = [torch.stack([TO_TENSOR(item.image) for item in split]) for split in (dolls.query, dolls.gallery)]
    q, g = (net.eval()(images).flatten(1) for images in x)
    expected = score_ranking(q, g, *pl.evaluation.ranking_columns(dolls.query, dolls.gallery))
    assert scores.map_step == pytest.approx(expected.map_step, abs=1e-6)
    net.transform = TO_TENSOR
    assert pl.evaluate(net, dolls).map_step == scores.map_step


def test_what_evaluate_does_not_take(net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    with pytest.raises(InputError, match=r"found a Colours .* pass transform="):
        pl.evaluate(Colours(), dolls)
    with pytest.raises(InputError, match=r"found Scores; .* pass run\.net"):
        pl.evaluate(pl.evaluate(net, dolls), dolls)  # type: ignore[arg-type]
    for other in (dolls.query, torch.utils.data.TensorDataset(torch.zeros(2)), [1, 2]):
        with pytest.raises(InputError, match=rf"found {type(other).__name__}; expected a data set with query"):
            pl.evaluate(net, other)  # type: ignore[arg-type]


def unit(net: pl.PatchNet, split: pl.data.Split) -> np.ndarray:
    """Features of length 1."""
    return nn.functional.normalize(extract(net, split).flatten(1), dim=1).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["source", "adapted"])
def test_a_threshold_holds_for_strangers(name: Literal["source", "adapted"]) -> None:
    """Drawn people: the bar is set with one half of them; the others, who have no picture in the gallery, look for it.

    The share of their pairs that passes lies within the interval, for each of ten halves.
    """
    dolls = pl.data.PaperDolls("target", identities=2, test_identities=60, distractors=0, junk=0, seed=3)
    net = pl.shipped_net(name)
    q, g = unit(net, dolls.query), unit(net, dolls.gallery)
    pids, cameras = zip(*((np.array(s.pids), np.array(s.camids)) for s in (dolls.query, dolls.gallery)), strict=True)
    people, searches = np.unique(pids[0]), []
    for seed in range(10):
        known = np.random.RandomState(seed).permutation(people)[:30]
        mine, theirs = (np.isin(column, known) for column in pids)
        columns = pids[0][mine], pids[1][theirs], cameras[0][mine], cameras[1][theirs]
        found = threshold(q[mine], g[theirs], *columns, false_accept=0.01)
        strangers = q[~mine] @ g[theirs].T > found.cosine
        low, high = found.false_accept_interval
        assert 0 < low < found.false_accept <= 0.01 < high < 0.03
        assert low <= strangers.mean() <= high
        assert found.false_reject_interval[0] < found.false_reject <= found.false_reject_interval[1]
        searches.append((found.strangers, strangers.any(1).mean()))
    said, measured = np.mean(searches, axis=0)  # a pair in a hundred, and yet many a stranger finds somebody
    assert said == pytest.approx(measured, abs=0.1) and measured > 0.1


def test_few_pairs_are_said_not_to_be_trusted() -> None:
    rng = np.random.RandomState(0)
    q, g = rng.randn(20, 4), rng.randn(400, 4)
    few = "of two people, 20 in all, for a false-accept rate of 0.01; 30 people and 30 / rate pairs of two"
    with pytest.warns(UserWarning, match=few):
        threshold(q, g, np.arange(20), np.arange(400) % 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = threshold(rng.randn(40, 4), g, query_pids=np.arange(40), gallery_pids=np.arange(400) % 40)
    assert f"threshold {found.cosine:.6f}: 1.000% of 15,600 pairs of two people pass (95 %: " in str(found)


def test_a_list_ends_where_the_ranking_does(net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    """What is left out of a ranking, junk or the same camera, does not fill its last places."""
    one = pl.data.ReIDDataset("one", dolls.train, dolls.query[:1], dolls.gallery)
    (ranked,) = pl.evaluation.ranked_lists(net, one, top=len(dolls.gallery))
    query, shown = dolls.query[0], [dolls.gallery[place] for place, _ in ranked]
    assert len(shown) < len(dolls.gallery)
    assert not any(item.pid == -1 or (item.pid, item.camid) == (query.pid, query.camid) for item in shown)


def test_an_own_image_may_stand_in_several_places() -> None:
    q, g = torch.eye(3)[:1], torch.tensor([[1.0, 0, 0], [0.9, 0.1, 0], [1.0, 0, 0], [0.5, 0.5, 0]])
    once = score_ranking(q, g, [5], [5, 6, 5, 5], own=[0])
    twice = score_ranking(q, g, [5], [5, 6, 5, 5], own=np.array([[0, 2]]))
    padded = score_ranking(q, g, [5], [5, 6, 5, 5], own=np.array([[2, -1]]))
    assert (once.rank1, padded.rank1, twice.rank1, twice.first_ranks.tolist()) == (1, 1, 0, [2])
    with pytest.raises(InputError, match="own of shape"):
        score_ranking(q, g, [5], [5, 6, 5, 5], own=np.array([[[0]]]))
