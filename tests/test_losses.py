"""Each loss against its loop, against the reference's numbers, and on degenerate input."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.blocks import pedal_in_blocks
from paullite.cyclic import cyclic_ranking
from paullite.errors import InputError
from paullite.losses import BatchTripletLoss, IpflLoss, PedalLoss, batch_triplet, ipfl, pedal
from tests import textbook
from tests.conftest import cases


def unit(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape), dim=-1)


def assert_same(loss: Tensor, given: Tensor, case: dict[str, Tensor]) -> None:
    """Value and gradient of a reference case; its own precision is float32 with a small epsilon."""
    loss.backward()
    assert loss.item() == pytest.approx(float(case["loss"]), abs=5e-6)
    assert given.grad is not None and torch.allclose(given.grad, case["grad"], atol=2e-6)


@pytest.mark.parametrize("case", cases("pedal"))
def test_pedal_is_the_reference(case: dict[str, Tensor]) -> None:
    x = case["features"].requires_grad_()
    assert_same(pedal(x, case["memory"], case["index"], scale=float(case["scale"]), k=int(case["k"])), x, case)


@pytest.mark.parametrize("case", cases("ipfl"))
def test_ipfl_is_the_reference(case: dict[str, Tensor]) -> None:
    e = case["embeddings"].requires_grad_()
    settings = {name: int(case[name]) for name in ("nearest", "max_candidates")}
    loss = ipfl(e, case["centers"], case["owner"], margin=float(case["margin"]), no_negative="pull", **settings)
    assert_same(loss, e, case)


@pytest.mark.parametrize("case", cases("triplet"))
def test_triplet_is_the_reference(case: dict[str, Tensor]) -> None:
    e = case["embeddings"].requires_grad_()
    assert_same(batch_triplet(e, case["labels"], margin=float(case["margin"])), e, case)


@pytest.mark.parametrize(("b", "p", "d", "n"), [(4, 3, 8, 20), (2, 5, 3, 7), (1, 2, 4, 3), (6, 1, 5, 11)])
def test_pedal_is_the_loop(b: int, p: int, d: int, n: int) -> None:
    """No two sizes are equal, so that no axis can stand in for another."""
    torch.manual_seed(n)
    x, w, index = unit(b, p, d), 0.9 * unit(n, p, d), torch.randperm(n)[:b]
    for scale, k in ((5.0, 1), (15.0, n // 2), (0.1, n - 1)):
        expected = textbook.pedal(x.numpy(), w.numpy(), index.tolist(), scale, k)
        assert float(pedal(x, w, index, scale=scale, k=k)) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(("b", "views", "e_size"), [(9, 2, 6), (4, 3, 7), (2, 5, 3), (13, 1, 4)])
@pytest.mark.parametrize("no_negative", ["skip", "pull"])
def test_ipfl_is_the_loop(b: int, views: int, e_size: int, no_negative: str) -> None:
    torch.manual_seed(b)
    c = torch.randn(b, e_size)
    e, owner = (c + 0.5 * torch.randn(views, b, e_size)).flatten(0, 1), torch.arange(b).repeat(views)
    for nearest, most in ((3, 15), (1, 2), (5, 3), (9, 15)):
        expected = textbook.ipfl(e.numpy(), c.numpy(), owner.tolist(), 2.0, nearest, most, no_negative)
        settings = {"nearest": nearest, "max_candidates": most}
        found = ipfl(e, c, owner, no_negative=no_negative, **settings)
        assert float(found) == pytest.approx(expected, abs=1e-5)
        before = ipfl(e, c, owner, no_negative=no_negative, ranking=cyclic_ranking(e, c, owner, **settings))
        assert torch.equal(found, before)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("positive", ["nearest", "hardest"])
def test_triplet_is_the_loop(seed: int, positive: str) -> None:
    torch.manual_seed(seed)
    e, labels = torch.randn(12, 5), torch.randint(5, (12,))
    expected = textbook.batch_triplet(e.numpy(), labels.tolist(), 0.7, positive)
    assert float(batch_triplet(e, labels, margin=0.7, positive=positive)) == pytest.approx(expected, abs=1e-5)


def test_pedal_bounds_and_own_entry() -> None:
    torch.manual_seed(0)
    x, w, index = unit(1, 2, 8), unit(12, 2, 8), torch.tensor([5])
    loss = pedal(x, w, index, scale=15.0, k=4)
    assert 0 <= loss <= math.log(11 / 4)
    assert pedal(x, w, index, scale=15.0, k=11) < 1e-6
    w[5] = x[0]  # the own entry never counts, wherever it is
    assert torch.equal(loss, pedal(x, w, index, scale=15.0, k=4))


def test_pedal_equal_points_reach_the_upper_bound() -> None:
    x, w = unit(1, 1, 8).expand(2, 3, 8), unit(1, 1, 8).expand(10, 3, 8)
    assert float(pedal(x, w, torch.tensor([0, 1]), scale=15.0, k=3)) == pytest.approx(math.log(9 / 3), abs=1e-5)


def test_pedal_gradient_pulls_to_the_nearest() -> None:
    w = torch.tensor([[[9.0, 9.0]], [[1.0, 0.0]], [[-1.0, 0.0]]])
    x = torch.tensor([[[0.1, 0.0]]], requires_grad=True)
    pedal(x, w, torch.tensor([0]), scale=1.0, k=1).backward()
    assert x.grad is not None and x.grad[0, 0, 0] < 0  # a step downhill goes right, to the nearest


@pytest.mark.parametrize("k", [0, 12, 13])
def test_pedal_refuses_k(k: int) -> None:
    with pytest.raises(ValueError, match=r"k = \d+ .* N - 1 = 11"):
        pedal(unit(2, 1, 4), unit(12, 1, 4), torch.tensor([0, 1]), scale=1.0, k=k)


def losses_of(dtype: torch.dtype, scale: float = 100.0) -> list[tuple[Tensor, Tensor]]:
    """All three losses on points of which some coincide, with the input that is differentiated."""
    torch.manual_seed(1)
    x, w = unit(6, 2, 8).to(dtype).requires_grad_(), unit(30, 2, 8).to(dtype)
    e, c = unit(6, 8).to(dtype).requires_grad_(), unit(3, 8).to(dtype)
    with torch.no_grad():
        w[7] = x[0]
        e[:3] = c
    t = unit(6, 8).to(dtype).requires_grad_()
    with torch.no_grad():
        t[1] = t[0]
    return [
        (pedal(x, w, torch.arange(6), scale=scale, k=3), x),
        (ipfl(e, c, torch.arange(3).repeat(2), nearest=1), e),
        (batch_triplet(t, torch.tensor([0, 0, 1, 1, 2, 2])), t),
    ]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_finite_in_every_precision(dtype: torch.dtype) -> None:
    for loss, given in losses_of(dtype):
        loss.backward()
        assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
        assert torch.isfinite(loss) and given.grad is not None and torch.isfinite(given.grad).all()


def test_autocast_changes_nothing() -> None:
    plain = [loss.item() for loss, _ in losses_of(torch.float32, scale=5.0)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = [loss.item() for loss, _ in losses_of(torch.float32, scale=5.0)]
    assert plain == cast


def float64_against_a_float32_memory(name: str) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """A loss of one float64 input, its memory in the precision that the library keeps."""
    torch.manual_seed(3)
    owner = torch.arange(3).repeat(2)
    given = {"pedal": unit(3, 2, 4), "ipfl": torch.randn(6, 5), "batch_triplet": torch.randn(6, 5)}[name].double()
    w, c = unit(7, 2, 4), torch.randn(3, 5)
    ways: dict[str, Callable[[Tensor], Tensor]] = {
        "pedal": lambda x: pedal(x, w, owner[:3], scale=5.0, k=2),
        "ipfl": lambda e: ipfl(e, c, owner, nearest=1),
        "batch_triplet": lambda e: batch_triplet(e, owner),
    }
    return ways[name], given.requires_grad_()


@pytest.mark.parametrize("name", ["pedal", "ipfl", "batch_triplet"])
def test_gradient_is_the_slope_in_float64(name: str) -> None:
    way, given = float64_against_a_float32_memory(name)
    assert way(given).dtype == torch.float64 and way(given) > 0.01
    assert torch.autograd.gradcheck(way, (given,))


def test_memory_and_centers_get_no_gradient() -> None:
    x, w = unit(3, 2, 8).requires_grad_(), unit(9, 2, 8).requires_grad_()
    pedal(x, w, torch.arange(3), scale=5.0, k=2).backward()
    assert x.grad is not None and x.grad.abs().sum() > 0 and w.grad is None
    e, c = torch.randn(6, 8, requires_grad=True), torch.randn(3, 8, requires_grad=True)
    ipfl(e, c, torch.arange(3).repeat(2), nearest=1).backward()
    assert e.grad is not None and e.grad.abs().sum() > 0 and c.grad is None


def test_an_index_may_stay_on_the_cpu() -> None:
    """On the meta device nothing is computed, but devices must fit as they must on a GPU."""
    x, w, index = torch.zeros(3, 2, 4, device="meta"), torch.zeros(9, 2, 4, device="meta"), torch.arange(3)
    assert pedal(x, w, index, scale=5.0, k=2).device.type == "meta"
    assert pedal_in_blocks(x, w, index, scale=5.0, k=2, block=4).device.type == "meta"
    assert ipfl(x[:, 0], x[:, 0], index).device.type == "meta"


def test_nan_is_not_hidden() -> None:
    bad = torch.full((4, 2, 3), torch.nan)
    assert torch.isnan(pedal(bad, unit(8, 2, 3), torch.arange(4), scale=5.0, k=2))
    assert torch.isnan(ipfl(bad[:, 0], unit(4, 3), torch.arange(4), nearest=1))
    assert torch.isnan(batch_triplet(bad[:, 0], torch.tensor([0, 0, 1, 1])))


def test_ipfl_at_its_own_center() -> None:
    """The distance's slope is not defined at 0; it counts as 0."""
    c = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    e = c.clone().requires_grad_()
    ipfl(e, c, torch.arange(2), margin=6.0, nearest=1).backward()  # each is pushed from the other alone
    assert e.grad is not None and torch.allclose(e.grad, torch.tensor([[0.3, 0.4], [-0.3, -0.4]]))
    e = c.clone().requires_grad_()
    ipfl(e, c, torch.arange(2), nearest=2, no_negative="pull").backward()  # nothing pushes, and nothing pulls
    assert e.grad is not None and (e.grad == 0).all()


def test_ipfl_without_negatives() -> None:
    e = torch.randn(2, 4, requires_grad=True)
    loss = ipfl(e, torch.randn(1, 4), torch.zeros(2, dtype=torch.long))
    loss.backward()
    assert loss == 0 and e.grad is not None and (e.grad == 0).all()
    assert ipfl(e, e[:1], torch.zeros(2, dtype=torch.long), no_negative="pull") >= 2


def test_ipfl_veto_skips_the_same_person() -> None:
    c = torch.tensor([[0.0], [0.1], [0.2], [50.0]])  # 0, 1, 2 in a knot; 3 far away
    owner = torch.arange(4)
    assert ipfl(c, c, owner, margin=10.0, nearest=3, max_candidates=3) == 0
    assert ipfl(c, c, owner, margin=10.0, nearest=1) > 5  # without the veto the knot is pushed apart


def test_a_center_leads_its_own_list_even_beside_its_double() -> None:
    c = torch.tensor([[0.0], [0.0], [9.0]])  # the same picture twice: each list of one names its own center
    ranking = cyclic_ranking(c, c, torch.arange(3), nearest=1)
    assert not ranking.vetoed.any() and ranking.negatives().tolist() == [1, 0, 0]
    assert ipfl(c, c, torch.arange(3), margin=1.0, nearest=1) == pytest.approx(2 / 3)


def test_triplet_leaves_out_lone_rows() -> None:
    e = torch.randn(3, 4)
    assert batch_triplet(e, torch.tensor([0, 1, 2])) == 0
    assert batch_triplet(e, torch.tensor([0, 0, 0])) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: pedal(torch.zeros(2, 3, 4), torch.zeros(9, 2, 4), torch.arange(2), scale=1.0, k=1),
        lambda: pedal(torch.zeros(0, 3, 4), torch.zeros(9, 3, 4), torch.arange(0), scale=1.0, k=1),
        lambda: pedal(torch.zeros(2, 3, 4), torch.zeros(9, 3, 4), torch.arange(2), scale=0.0, k=1),
        lambda: pedal(torch.zeros(2, 3, 4), torch.zeros(9, 3, 4), torch.arange(2), scale=-1.0, k=1),
        lambda: pedal(torch.zeros(2, 3, 4), torch.zeros(9, 3, 4), torch.arange(2), scale=math.nan, k=1),
        lambda: pedal(torch.zeros(2, 3, 4), torch.zeros(9, 3, 4), torch.tensor([0, 9]), scale=1.0, k=1),
        lambda: pedal(torch.zeros(2, 3, 4), torch.zeros(9, 3, 4), torch.tensor([-1, 0]), scale=1.0, k=1),
        lambda: ipfl(torch.zeros(0, 3), torch.zeros(0, 3), torch.arange(0)),
        lambda: ipfl(torch.zeros(2, 3), torch.zeros(2, 3), torch.arange(3)),
        lambda: batch_triplet(torch.zeros(0, 3), torch.arange(0)),
        lambda: ipfl(torch.zeros(2, 3), torch.zeros(2, 4), torch.arange(2)),
        lambda: ipfl(torch.zeros(2, 3), torch.zeros(2, 3), torch.arange(2), no_negative="push"),
        lambda: batch_triplet(torch.zeros(2, 3), torch.zeros(3)),
        lambda: batch_triplet(torch.zeros(2, 3), torch.zeros(2), positive="farthest"),
    ],
)
def test_wrong_arguments_are_named(wrong: Callable[[], Tensor]) -> None:
    with pytest.raises(InputError, match=r"\Afound [^\n]*; expected [^\n]*\Z"):
        wrong()


def test_modules_are_the_functions() -> None:
    torch.manual_seed(2)
    x, w, c, e = unit(3, 2, 8), unit(9, 2, 8), torch.randn(3, 8), torch.randn(6, 8)
    owner, labels = torch.arange(3).repeat(2), torch.tensor([0, 0, 1, 1, 2, 2])
    assert PedalLoss(5.0, 2)(x, w, owner[:3]) == pedal(x, w, owner[:3], scale=5.0, k=2)
    assert IpflLoss(1.0, 2, 3, "pull")(e, c, owner) == ipfl(
        e, c, owner, margin=1.0, nearest=2, max_candidates=3, no_negative="pull"
    )
    assert BatchTripletLoss(0.5, "hardest")(e, labels) == batch_triplet(e, labels, margin=0.5, positive="hardest")


def test_modules_say_their_settings() -> None:
    assert repr(PedalLoss(15.0, 10)) == "PedalLoss(scale=15.0, k=10)"
    assert repr(IpflLoss(1.0)) == "IpflLoss(margin=1.0, nearest=3, max_candidates=15, no_negative='skip')"
    assert repr(BatchTripletLoss()) == "BatchTripletLoss(margin=1.0, positive='nearest')"
