"""What many tests share: a folder for drawn pictures that is made once, small data, a small network."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import paullite as pl

DATA = Path(__file__).parent / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Drawn pictures of the tests and the doctests go to a folder of their own, which is removed at the end.

    Processes of pytest-xdist inherit the folder of the process that starts them, so that each picture is drawn once.
    Ctrl-C stops a run, also where the shell that started the tests ignores it, as for a job in the background.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="paullite-tests-")
        config.add_cleanup(folder.cleanup)
        os.environ["PAULLITE_CACHE"] = folder.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The pages first, then modules with long tests: with two processes, what begins last leaves the other one idle."""

    def modules(*markers: str) -> set[Path]:
        return {item.path for item in items if any(map(item.get_closest_marker, markers))}

    pages, long = modules("browser"), modules("kernel", "slow")
    items.sort(key=lambda item: (item.path not in pages, item.path not in long))


@pytest.fixture(scope="session")
def dolls() -> pl.data.PaperDolls:
    """A few drawn people of the target."""
    return pl.data.PaperDolls("target", identities=5, test_identities=4, distractors=2, junk=3)


@pytest.fixture(scope="session")
def source() -> pl.data.PaperDolls:
    """A few drawn people of the source."""
    return pl.data.PaperDolls("source", identities=5, test_identities=3)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch computes on one thread, as the processes of `tests.runs` do: a run knows how many it began with."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def net() -> pl.PatchNet:
    """A small PatchNet with classifiers, untrained."""
    torch.manual_seed(0)
    return pl.PatchNet(
        "test_resnet", patches=4, feature_dim=16, embedding_dim=8, identities=5, pretrained=False, size=(128, 64)
    )


def cases(name: str) -> list[dict[str, torch.Tensor]]:
    """The test vectors of one file, a dictionary of tensors for each case."""
    arrays = np.load(DATA / f"{name}.npz")
    numbers = sorted({key.split("_")[0] for key in arrays.files})
    return [
        {key.split("_", 1)[1]: torch.tensor(arrays[key]) for key in arrays.files if key.startswith(f"{n}_")}
        for n in numbers
    ]
