"""The memory against the reference's numbers and against its promises."""

import pytest
import torch

from paullite.errors import InputError
from paullite.memory import FeatureMemory
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
