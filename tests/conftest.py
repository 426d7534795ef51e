"""What many tests share: a folder for drawn pictures that is made once, small data, a small network."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import paullite as pl

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Drawn pictures of the tests and doctests go to a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAULLITE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def dolls() -> pl.data.PaperDolls:
    """A few drawn people of the target."""
    return pl.data.PaperDolls("target", identities=5, test_identities=4, distractors=2, junk=3)


@pytest.fixture(scope="session")
def source() -> pl.data.PaperDolls:
    """A few drawn people of the source."""
    return pl.data.PaperDolls("source", identities=5, test_identities=3)


@pytest.fixture
def net() -> pl.PatchNet:
    """A small PatchNet with classifiers, untrained."""
    torch.manual_seed(0)
    return pl.PatchNet("test_resnet", 4, 16, 8, 5, pretrained=False, size=(128, 64))


def cases(name: str) -> list[dict[str, torch.Tensor]]:
    """The test vectors of one file, a dictionary of tensors for each case."""
    arrays = np.load(DATA / f"{name}.npz")
    numbers = sorted({key.split("_")[0] for key in arrays.files})
    return [
        {key.split("_", 1)[1]: torch.tensor(arrays[key]) for key in arrays.files if key.startswith(f"{n}_")}
        for n in numbers
    ]
