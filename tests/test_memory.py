"""The memory against the reference's numbers and against its promises."""

import pytest
import torch

from paullite.errors import InputError
from paullite.memory import FeatureMemory
from tests import textbook
from tests.conftest import DATA


def test_memory_is_the_reference() -> None:
    import numpy as np

    arrays = np.load(DATA / "memory.npz")
    memory = FeatureMemory(7, 6, 8, momentum=float(arrays["momentum"]))
    for index, features in zip(arrays["index"], arrays["features"], strict=True):
        memory.update(torch.tensor(index), torch.tensor(features))
    visited = torch.tensor(arrays["index"]).unique()
    assert memory.filled.nonzero().flatten().tolist() == visited.tolist()
    assert torch.allclose(memory.features[visited], torch.tensor(arrays["final"])[visited], atol=1e-6)


def test_state_travels_in_a_state_dict() -> None:
    first, second = FeatureMemory(4, 2, 3), FeatureMemory(4, 2, 3)
    first.update(torch.tensor([2]), torch.randn(1, 2, 3))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.features, second.features) and second.filled.tolist() == [False, False, True, False]


def test_momentum_travels_too() -> None:
    first, second = FeatureMemory(4, 2, 3, momentum=0.3), FeatureMemory(4, 2, 3, momentum=0.1)
    assert all(isinstance(value, torch.Tensor) for value in first.state_dict().values())  # so that safetensors takes it
    second.load_state_dict(first.state_dict())
    assert second.momentum == 0.3 and "momentum=0.3" in repr(second)
    second.update(torch.tensor([1]), torch.zeros(1, 2, 3))
    second.update(torch.tensor([1]), torch.ones(1, 2, 3))
    assert torch.allclose(second.features[1], torch.full((2, 3), 0.3))


def test_memory_is_the_loop() -> None:
    """Momentum 1 keeps the newest; entries that were not visited stay."""
    generator = torch.Generator().manual_seed(0)
    for momentum in (0.1, 0.7, 1.0):
        memory, rows = FeatureMemory(6, 2, 3, momentum=momentum), [None] * 6
        for _ in range(4):
            index, x = torch.randperm(6, generator=generator)[:4], torch.randn(4, 2, 3, generator=generator)
            memory.update(index, x)
            for place, new in zip(index.tolist(), x.double().numpy(), strict=True):
                rows[place] = textbook.visited(rows[place], new, momentum)
        assert memory.filled.tolist() == [row is not None for row in rows]
        slow = torch.stack([torch.zeros(2, 3) if row is None else torch.tensor(row).float() for row in rows])
        assert torch.allclose(memory.features, slow, atol=1e-6)


def test_a_loop_that_watches_its_losses_may_store_nan() -> None:
    memory = FeatureMemory(3, 1, 2)
    memory.update(torch.tensor([1]), torch.full((1, 1, 2), torch.nan), check_finite=False)
    assert memory.filled.tolist() == [False, True, False] and memory.features[1].isnan().all()
    memory.update(torch.tensor([0]), torch.ones(1, 1, 2))  # other rows are no worse for it
    assert (memory.features[0] == 1).all()


def test_no_gradient_and_any_precision() -> None:
    memory, x = FeatureMemory(3, 1, 2), torch.randn(1, 1, 2, requires_grad=True, dtype=torch.float64)
    memory.update(torch.tensor([0]), x)
    memory.update(torch.tensor([0]), x.to(torch.bfloat16))
    assert not memory.features.requires_grad and memory.features.dtype == torch.float32


@pytest.mark.parametrize(
    ("index", "features", "message"),
    [
        ([1, 1], torch.zeros(2, 1, 2), "same row twice"),
        ([3], torch.zeros(1, 1, 2), "expected rows in 0..2"),
        ([-1], torch.zeros(1, 1, 2), "expected rows in 0..2"),
        ([0], torch.zeros(1, 2, 2), r"expected \(1, 1, 2\)"),
        ([0], torch.full((1, 1, 2), torch.nan), "NaN or infinity"),
    ],
)
def test_a_bad_update_changes_nothing(index: list[int], features: torch.Tensor, message: str) -> None:
    memory = FeatureMemory(3, 1, 2)
    with pytest.raises(InputError, match=message):
        memory.update(torch.tensor(index), features)
    assert not memory.filled.any() and not memory.features.any()


@pytest.mark.parametrize("momentum", [0.0, 1.5, -0.1])
def test_momentum_is_a_share(momentum: float) -> None:
    with pytest.raises(InputError, match="momentum"):
        FeatureMemory(3, 1, 2, momentum=momentum)
