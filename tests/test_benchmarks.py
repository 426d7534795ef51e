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


def test_attention_keeps_fewer_bytes() -> None:
    feature_map = torch.randn(2, 64, 24, 8, requires_grad=True)
    theta = pooling.stripes(6).expand(2, -1, -1, -1).clone().requires_grad_()
    long = pooling.bytes_kept(pooling.resampled, feature_map, theta)
    assert pooling.bytes_kept(pooling.attended, feature_map, theta) > 0 and long > 0


def test_medians_and_table() -> None:
    seconds = medians({"a": lambda: None, "b": lambda: sum(range(1000))}, 3)
    assert set(seconds) == {"a", "b"} and "ratio" in table("t", seconds, "a")
