"""PEDAL in blocks and in shards against the plain formula, its gradient, its limits, and the memory that it holds."""

import functools
import math
import re
from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from paullite.pedal_blocks import Partial, look, look_in_blocks, loss_of, merge, pedal_in_blocks, pedal_of_shard
from torch import Tensor

from paullite.errors import InputError
from paullite.losses import pedal
from tests.benchmarks import memory_rows
from tests.benchmarks.pooling import peak_mebibytes
from tests.conftest import cases

EXACT = {torch.float32: 4e-6, torch.float64: 1e-11}  # in float32 the plain formula itself is no nearer to float64
Case = tuple[Tensor, Tensor, Tensor]


def drawn(n: int, b: int, p: int, d: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Case:
    """Features, a memory whose rows are shorter than 1, and the places of the images in it."""
    torch.manual_seed(seed)
    x, w = F.normalize(torch.randn(b, p, d), dim=-1), 0.9 * F.normalize(torch.randn(n, p, d), dim=-1)
    return x.to(dtype), w.to(dtype), torch.randperm(n)[:b]


def value_and_slope(way: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.detach().clone().requires_grad_()
    loss = way(x)
    (slope,) = torch.autograd.grad(loss, x)
    return loss.detach(), slope


def assert_same(way: Callable[[Tensor], Tensor], case: Case, scale: float, k: int, exact: float) -> None:
    """Value and gradient of the plain formula; the gradient relative to its largest number."""
    x, w, index = case
    value, slope = value_and_slope(way, x)
    expected, plain = value_and_slope(lambda x: pedal(x, w, index, scale=scale, k=k), x)
    assert value.dtype == expected.dtype and slope.dtype == plain.dtype
    assert float(value) == pytest.approx(float(expected), rel=exact, abs=exact)
    assert (slope - plain).abs().max() <= exact * max(float(plain.abs().max()), 1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("block", [1, 7, 20, 64, 65, 1000])
@pytest.mark.parametrize(("n", "b", "p", "d", "k"), [(65, 4, 3, 8, 10), (64, 1, 1, 5, 1), (21, 9, 2, 16, 19)])
def test_blocks_are_the_plain_formula(n: int, b: int, p: int, d: int, k: int, block: int, dtype: torch.dtype) -> None:
    case = drawn(n, b, p, d, dtype, seed=block)
    for scale in (0.1, 5.0, 15.0):
        way = functools.partial(pedal_in_blocks, memory=case[1], index=case[2], scale=scale, k=k, block=block)
        assert_same(way, case, scale, k, EXACT[dtype])


def test_the_tolerance_would_notice_a_wrong_row() -> None:
    x, w, index = drawn(65, 4, 3, 8)
    wrong = functools.partial(pedal_in_blocks, memory=w, index=(index + 1) % 65, scale=5.0, k=3, block=7)
    with pytest.raises(AssertionError):
        assert_same(wrong, (x, w, index), 5.0, 3, EXACT[torch.float64])


@pytest.mark.parametrize("block", [3, 4096])
@pytest.mark.parametrize("case", cases("pedal"))
def test_blocks_are_the_reference(case: dict[str, Tensor], block: int) -> None:
    scale, k = float(case["scale"]), int(case["k"])
    way = functools.partial(pedal_in_blocks, memory=case["memory"], index=case["index"], scale=scale, k=k, block=block)
    value, slope = value_and_slope(way, case["features"])
    assert float(value) == pytest.approx(float(case["loss"]), abs=5e-6)
    assert torch.allclose(slope, case["grad"], atol=2e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_all_others_near_gives_zero(dtype: torch.dtype) -> None:
    x, w, index = drawn(30, 4, 2, 8, dtype)
    value, slope = value_and_slope(lambda x: pedal_in_blocks(x, w, index, scale=5.0, k=29, block=7), x)
    assert 0 <= value < 2e-6 and slope.abs().max() < 2e-6


def test_no_gradient_where_clamped() -> None:
    one, row = torch.ones(1, 1), torch.ones(1, 1, 2)
    below_zero = Partial(0 * one, 0.9 * one, row, torch.zeros(1, 1, 1), 5 * row[:, :, None])  # log 0.9 - log 1
    value, slope = value_and_slope(functools.partial(loss_of, whole=below_zero, scale=5.0), row)
    assert value == 0 and (slope == 0).all()


@pytest.mark.parametrize("block", [1, 4, 100])
def test_equal_points_reach_the_upper_bound(block: int) -> None:
    x, w = torch.ones(2, 3, 8) / 8**0.5, torch.ones(10, 3, 8) / 8**0.5
    value, slope = value_and_slope(
        lambda x: pedal_in_blocks(x, w, torch.tensor([0, 9]), scale=15.0, k=3, block=block), x
    )
    assert float(value) == pytest.approx(math.log(9 / 3), abs=1e-5) and slope.abs().max() < 1e-5


@pytest.mark.parametrize("block", [1, 5, 13])
def test_the_own_row_never_counts(block: int) -> None:
    x, w, index = drawn(13, 1, 2, 8)

    def way(x: Tensor) -> Tensor:
        return pedal_in_blocks(x, w, index, scale=5.0, k=4, block=block)

    before = value_and_slope(way, x)
    w[index] = 100.0
    after = value_and_slope(way, x)
    assert torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_finite_and_the_plain_formula_in_every_precision(dtype: torch.dtype) -> None:
    x, w, index = drawn(30, 6, 2, 8, dtype)
    w[7] = x[0]
    way = functools.partial(pedal_in_blocks, memory=w, index=index, scale=100.0, k=3, block=8)
    value, slope = value_and_slope(way, x)
    assert value.dtype == (torch.float64 if dtype == torch.float64 else torch.float32) and slope.dtype == dtype
    assert torch.isfinite(value) and torch.isfinite(slope).all()
    rounding = max(torch.finfo(dtype).eps, 1e-5)  # the gradient is rounded to the input's precision; s = 100 magnifies
    assert_same(way, (x, w, index), 100.0, 3, rounding)


def test_autocast_changes_nothing() -> None:
    x, w, index = drawn(30, 6, 2, 8, torch.float32)
    way = functools.partial(pedal_in_blocks, memory=w, index=index, scale=5.0, k=3, block=8)
    plain = value_and_slope(way, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = value_and_slope(way, x)
    assert torch.equal(plain[0], cast[0]) and torch.equal(plain[1], cast[1])


def test_nan_is_not_hidden() -> None:
    x, w, index = drawn(12, 4, 2, 3)
    x[1] = torch.nan
    value, slope = value_and_slope(lambda x: pedal_in_blocks(x, w, index, scale=5.0, k=2, block=5), x)
    assert torch.isnan(value) and torch.isnan(slope[1]).all()


def test_the_gradient_flows_on() -> None:
    x, w, index = drawn(30, 4, 2, 8)
    slopes: list[Tensor] = []
    for way in (pedal, functools.partial(pedal_in_blocks, block=7)):
        raw = (2 * x).requires_grad_()
        loss = way(F.normalize(raw, dim=-1), w, index, scale=5.0, k=3)
        (3 * loss + loss.square()).backward()
        assert raw.grad is not None
        slopes.append(raw.grad)
    assert slopes[0].abs().max() > 1e-3
    assert torch.allclose(slopes[0], slopes[1], rtol=1e-9, atol=1e-12)


def test_the_gradient_is_the_slope_of_the_value() -> None:
    x, w, index = drawn(17, 3, 2, 4)
    way = functools.partial(pedal_in_blocks, memory=w, index=index, scale=5.0, k=3, block=5)
    assert torch.autograd.gradcheck(way, (x.requires_grad_(),))
    with pytest.raises(InputError, match="expected first derivatives only; use losses.pedal"):
        torch.autograd.grad(way(x), x, create_graph=True)


def test_the_memory_gets_no_gradient_and_is_not_changed() -> None:
    x, w, index = drawn(17, 3, 2, 4)
    before = w.clone()
    w.requires_grad_()
    pedal_in_blocks(x.requires_grad_(), w, index, scale=5.0, k=3, block=5).backward()
    assert w.grad is None and torch.equal(w, before)
    assert not pedal_in_blocks(x.detach(), w, index, scale=5.0, k=3).requires_grad


def shards(n: int, sizes: list[int]) -> Iterator[slice]:
    assert sum(sizes) == n
    for size, start in zip(sizes, [sum(sizes[:i]) for i in range(len(sizes))], strict=True):
        yield slice(start, start + size)


@pytest.mark.parametrize("sizes", [[12, 1, 7], [1, 19, 0], [0, 0, 20], [2, 2, 16], [1] * 20])
@pytest.mark.parametrize("k", [1, 5, 18])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shards_are_the_plain_formula(sizes: list[int], k: int, dtype: torch.dtype) -> None:
    x, w, index = drawn(20, 4, 3, 8, dtype)
    index[0] = 12  # for the first sizes the shard of one row is the own row of an image: nothing of it may count
    places = list(shards(20, sizes))
    parts = [look(x, w[place], index - place.start, 5.0, k) for place in places]
    for rank, place in enumerate(places):

        def everyone(mine: Partial, rank: int = rank) -> Partial:
            assert torch.equal(mine.top, parts[rank].top) or len(w[places[rank]]) > 3
            return functools.reduce(merge, [*parts[:rank], mine, *parts[rank + 1 :]])

        settings = {"first": place.start, "total": 20, "everyone": everyone, "block": 3}
        way = functools.partial(pedal_of_shard, shard=w[place], index=index, scale=5.0, k=k, **settings)
        assert_same(way, (x, w, index), 5.0, k, EXACT[dtype])


def test_processes_with_images_of_their_own() -> None:
    x, w, index = drawn(20, 6, 3, 8)
    parts = [look_in_blocks(x, w[s], index - s.start, 5.0, 4, 3) for s in shards(20, [5, 1, 14])]
    whole = functools.reduce(merge, parts)
    for mine in (slice(0, 2), slice(2, 6)):
        of_mine = Partial(**{name: tensor[mine] for name, tensor in vars(whole).items()})
        assert_same(functools.partial(loss_of, whole=of_mine, scale=5.0), (x[mine], w, index[mine]), 5.0, 4, 1e-11)


def test_merge_is_associative_and_free_of_order() -> None:
    x, w, index = drawn(20, 4, 3, 8)
    a, b, c, none = (look(x, w[s], index - s.start, 5.0, 6) for s in shards(20, [3, 16, 1, 0]))
    for one, two in (
        (merge(merge(a, b), c), merge(a, merge(b, c))),
        (merge(a, b), merge(b, a)),
        (merge(a, none), a),
        (merge(none, none), none),
    ):
        for name, found in vars(one).items():
            seen = one.top[..., None] > -torch.inf if name == "top_rows" else torch.tensor(True)
            assert torch.allclose(found * seen, vars(two)[name] * seen, rtol=1e-12), name


def test_k_may_be_more_than_a_piece_holds() -> None:
    x, w, index = drawn(20, 4, 3, 8)
    part = look(x, w[:2], torch.full_like(index, -1), 5.0, 6)
    assert part.top.shape == (4, 3, 6) and part.top_rows.shape == (4, 3, 6, 8)
    assert torch.isinf(part.top[..., 2:]).all() and torch.isfinite(part.top[..., :2]).all()


@pytest.mark.parametrize("k", [0, 12, 13])
def test_refuses_k(k: int) -> None:
    x, w, index = drawn(12, 2, 1, 4)
    with pytest.raises(InputError, match=r"k = \d+ .* N - 1 = 11"):
        pedal_in_blocks(x, w, index, scale=1.0, k=k)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"memory": torch.zeros(9, 2, 4)}, r"found features \(2, 3, 4\), memory \(9, 2, 4\)"),
        ({"index": torch.arange(3)}, r"index \(3,\); expected"),
        ({"index": torch.tensor([0, 9])}, r"found index 0..9; expected rows in 0..8"),
        ({"index": torch.tensor([-1, 2])}, r"found index -1..2; expected"),
        ({"block": 0}, r"found block = 0; expected 1 or more"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    given = {"memory": torch.zeros(9, 3, 4), "index": torch.arange(2), "scale": 1.0, "k": 1}
    with pytest.raises(InputError, match=message):
        pedal_in_blocks(torch.zeros(2, 3, 4), **{**given, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize("first", [-1, 4])
def test_a_shard_outside_the_memory_is_named(first: int) -> None:
    x, w, index = drawn(6, 2, 1, 4)
    with pytest.raises(InputError, match=rf"shard of rows {first}..{first + 5}; expected rows in 0..8"):
        pedal_of_shard(x, w, index, scale=1.0, k=1, first=first, total=9, everyone=lambda mine: mine)


def test_temporaries_do_not_grow_with_the_memory() -> None:
    blocks = functools.partial(pedal_in_blocks, block=500)
    drawings = [drawn(n, 8, 3, 16, torch.float32) for n in (2_000, 20_000)]
    small, large = (peak_mebibytes(functools.partial(memory_rows.step, blocks, x, w)) for x, w, _ in drawings)
    assert 0 < large < 1.1 * small
    plain, plain_large = (peak_mebibytes(functools.partial(memory_rows.step, pedal, x, w)) for x, w, _ in drawings)
    assert plain_large > 5 * plain and plain_large > 20 * large


def test_the_benchmark_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_rows, "SIZES", {60 * 6: 1, 600 * 6: 1})
    assert memory_rows.run().count("holds ") == 4
    monkeypatch.setattr(memory_rows, "free_mebibytes", lambda device: 4.0)  # room for the second memory, not for plain
    assert re.search(r"plain +does not fit: [\d,]+ MiB more", memory_rows.run())
