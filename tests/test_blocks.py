"""PEDAL in blocks against the plain formula, its gradient, its limits, and the memory that it holds."""

import functools
import math
import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.blocks import pedal_in_blocks
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
@pytest.mark.parametrize("block", [2, 7, 20, 64, 65, 1000])
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


@pytest.mark.parametrize("block", [2, 4, 100])
def test_equal_points_reach_the_upper_bound(block: int) -> None:
    x, w = torch.ones(2, 3, 8) / 8**0.5, torch.ones(10, 3, 8) / 8**0.5
    value, slope = value_and_slope(
        lambda x: pedal_in_blocks(x, w, torch.tensor([0, 9]), scale=15.0, k=3, block=block), x
    )
    assert float(value) == pytest.approx(math.log(9 / 3), abs=1e-5) and slope.abs().max() < 1e-5


@pytest.mark.parametrize("block", [2, 5, 12, 13])
@pytest.mark.parametrize("row", [0, 4, 5, 10, 12])
def test_the_own_row_never_counts(block: int, row: int) -> None:
    """Wherever it lies: in the first block, at the end of one, alone behind the last."""
    x, w, _ = drawn(13, 1, 2, 8)

    def way(x: Tensor) -> Tensor:
        return pedal_in_blocks(x, w, torch.tensor([row]), scale=5.0, k=4, block=block)

    before = value_and_slope(way, x)
    w[row] = 100.0
    after = value_and_slope(way, x)
    assert torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])
    assert_same(way, (x, w, torch.tensor([row])), 5.0, 4, EXACT[torch.float64])


def test_a_long_last_block_keeps_its_last_row() -> None:
    """65 rows in blocks of 8 leave one over, which here is the nearest of all."""
    x, w, _ = drawn(65, 3, 2, 8)
    w[64] = x[1]
    case = x, w, torch.tensor([3, 9, 60])
    way = functools.partial(pedal_in_blocks, memory=w, index=case[2], scale=5.0, k=3, block=8)
    assert_same(way, case, 5.0, 3, EXACT[torch.float64])
    assert float(way(x[1:2], index=case[2][1:2])) != float(way(x[1:2], index=torch.tensor([64])))


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
    (slope,) = torch.autograd.grad(way(x), x, create_graph=True)
    assert not slope.requires_grad  # there is no second derivative


def test_the_memory_gets_no_gradient_and_is_not_changed() -> None:
    x, w, index = drawn(17, 3, 2, 4)
    before = w.clone()
    w.requires_grad_()
    pedal_in_blocks(x.requires_grad_(), w, index, scale=5.0, k=3, block=5).backward()
    assert w.grad is None and torch.equal(w, before)
    assert not pedal_in_blocks(x.detach(), w, index, scale=5.0, k=3).requires_grad


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
        ({"block": 1}, r"found block = 1; expected 2 rows or more"),
        ({"scale": 0.0}, r"found scale = 0.0; expected a number over 0"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    given = {"memory": torch.zeros(9, 3, 4), "index": torch.arange(2), "scale": 1.0, "k": 1}
    with pytest.raises(InputError, match=message):
        pedal_in_blocks(torch.zeros(2, 3, 4), **{**given, **change})  # type: ignore[arg-type]


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
