"""The judge against a loop, against the reference's numbers, and on its rules one by one."""

import numpy as np
import pytest
import torch

import paullite as pl
from paullite.errors import InputError
from paullite.evaluation import score_ranking
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


def test_two_definitions_of_ap() -> None:
    s = toy([6, 5], [1, 1])
    assert (s.map_step, s.map_trapezoid, s.minp) == (0.5, 0.25, 0.5)


def test_tensors_arrays_and_scale_do_not_matter() -> None:
    torch.manual_seed(0)
    q, g = torch.randn(5, 4), torch.randn(20, 4)
    pids = torch.arange(5), torch.arange(20) % 5
    a = score_ranking(q, g, *pids)
    b = score_ranking(3 * q.numpy(), g.double(), pids[0].tolist(), pids[1].numpy())
    assert a.headline() == b.headline() and "queries" in str(a)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1], [2, 2], [0], [1, 1]), "none of the 1 queries has a match"),
        (([1], [1], [0], [1, 1]), "gallery_pids"),
        (([1], [1, 1], [0], None), "one side only"),
    ],
)
def test_bad_columns(columns: tuple[list[int], ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score_ranking(torch.ones(1, 2), torch.ones(2, 2), *columns)


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
