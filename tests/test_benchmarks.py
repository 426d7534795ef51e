"""The slow twin that `make bench` measures against computes the same numbers."""

import pytest
import torch

from .benchmarks import pooling
from .benchmarks.loss_step import Step
from .benchmarks.timing import medians, table


def test_slow_twin_has_our_values() -> None:
    step = Step(n=60, b=8)
    for _ in range(3):  # the memories move alike, too
        assert float(step.ours()) == pytest.approx(float(step.published()), abs=1e-5)
    assert torch.allclose(step.memory.features, step.rows.stacked(), atol=1e-6)


def test_attention_holds_less_memory() -> None:
    feature_map, theta = torch.randn(4, 256, 24, 8), pooling.stripes(6).expand(4, -1, -1, -1)
    ours, theirs = (
        pooling.peak_mebibytes(lambda way=way: way(feature_map, theta)) for way in (pooling.attended, pooling.resampled)
    )
    assert theirs >= 6 * feature_map.nbytes / 2**20 > 2 * ours > 0


def test_medians_and_table() -> None:
    seconds = medians({"a": lambda: None, "b": lambda: sum(range(1000))}, 3)
    assert set(seconds) == {"a", "b"} and "ratio" in table("t", seconds, "a")
