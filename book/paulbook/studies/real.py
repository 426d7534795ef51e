"""Real people: the same comparison on Market-1501, from weights and folders that the user brings.

Only numbers leave this module: scores, and what each test identity adds to them. No picture is copied or drawn.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from paullite import controls
from paullite.adaptation import adapt
from paullite.app.demo import Clock
from paullite.config import PRESETS, AdaptConfig, Preset, PretrainConfig
from paullite.data import PaperDolls
from paullite.data.items import ReIDDataset
from paullite.data.readers import load_dataset
from paullite.errors import InputError
from paullite.evaluation import evaluate
from paullite.files import writable_folder
from paullite.models import PatchNet
from paullite.networks import network_of
from paullite.pretraining import build_net, pretrain
from paullite.runs.provenance import versions

from .receipts import Receipt, Trial, fingerprints, people_of, write

Say = Callable[[str], None]

_MARKET = PRESETS["market1501"]
CPU = Preset(
    replace(
        _MARKET.pretrain,
        backbone="mobilenetv2_100",
        backbone_options={"pad_type": "same"},
        pretrained=False,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        size=(128, 64),
        epochs=6,
        generator_epochs=(2, 4),
        decay_epoch=4,
        evaluate_every=0,
    ),
    replace(_MARKET.adapt, epochs=3, decay_epoch=2, lr=2e-3, evaluate_every=0),
)
"""For a CPU: MobileNetV2 on 128x64, a twentieth of the reference's epochs, so a larger rate in phase 2. Set before any
score was seen."""
GPU = Preset(
    replace(CPU.pretrain, size=(256, 128), epochs=60, generator_epochs=(25, 40), decay_epoch=40),
    replace(_MARKET.adapt, evaluate_every=0),
)
"""For a GPU: the same backbone on 256x128, the reference's whole schedule in both phases."""


@dataclass(frozen=True)
class Real:
    """What is compared.

    Attributes:
        target: a data set with an official test.
        weights: file with the backbone's ImageNet weights.
        source: CSV of a small labelled set of real people; "" leaves its arms out.
        preset: settings of both phases.
        people: of the target's training set, the first so many are adapted to; 0: all. The test is always whole.
        seed: of the training.
    """

    target: ReIDDataset
    weights: str
    source: str = ""
    preset: Preset = CPU
    people: int = 0
    seed: int = 0

    def pretrain(self, folder: Path) -> PretrainConfig:
        """The settings of phase 1."""
        return replace(self.preset.pretrain, weights=self.weights, seed=self.seed, output=str(folder))

    def adapt(self, folder: Path) -> AdaptConfig:
        """The settings of phase 2."""
        return replace(self.preset.adapt, seed=self.seed, output=str(folder))

    def sources(self) -> dict[str, ReIDDataset]:
        """The labelled sets by name."""
        drawn: dict[str, ReIDDataset] = {"dolls": PaperDolls("source", seed=self.seed)}
        return drawn | ({"real": load_dataset("csv", self.source)} if self.source else {})

    def images(self) -> ReIDDataset:
        """The target with the training images that are adapted to."""
        if not self.people:
            return self.target
        train = self.target.first_people(self.people).train
        return ReIDDataset(self.target.name, train, self.target.query, self.target.gallery)


TITLES = {
    "features": "ImageNet features alone",
    "direct": "source-pretrained on {}",
    "batch_norm": "{}, batch-norm statistics only",
    "paul": "{}, PAUL",
}
NAMES = {"dolls": "drawn people", "real": "a small real source"}


def run_real(real: Real, folder: str | Path, *, command: str, say: Say = print) -> Path:
    """Run what is missing of the comparison, then write its receipt, ``market1501.json``.

    Phases go on from their checkpoints. Networks that are judged on the whole official test are kept.

    Args:
        real: what is compared.
        folder: of networks, checkpoints and the receipt.
        command: what the receipt names as the way to make it again.
        say: is given a line for each arm.

    Returns:
        The receipt's JSON file.

    Raises:
        InputError: no weights, no test, or a folder that cannot be written.
    """
    if not Path(real.weights).is_file():
        found = f"found no file {real.weights!r}"
        raise InputError(found, "expected ImageNet weights of mobilenetv2_100 from timm", "give --weights FILE")
    folder, target, trials = writable_folder(folder), real.images(), []
    data = fingerprints(target)
    for arm, make in arms(real, target, folder):
        clock = Clock()
        with clock("train"):
            net = make()
        with clock("judge"):
            scores = evaluate(net, target, workers=real.preset.adapt.workers)
        say(f"{arm}: {scores}")
        people = people_of(scores, target.query.pids or ())
        people["pids"] = list(range(len(people["pids"])))  # who they are stays with the data set
        trials.append(Trial(arm, real.seed, scores.headline(), people, clock.seconds, data))
    return write(receipt_of(real, trials, command), folder)


def arms(real: Real, target: ReIDDataset, folder: Path) -> Iterable[tuple[str, Callable[[], PatchNet]]]:
    """The arms in order, each with what makes its network. A network that is there already is read."""
    yield "features", lambda: bare(real.pretrain(folder))
    for name, source in real.sources().items():
        yield from zip(
            (f"{name}/{method}" for method in ("direct", "batch_norm", "paul")),
            stages(real, source, target, folder / f"{name}-pretrain", folder / f"{name}-adapt"),
            strict=True,
        )


def stages(
    real: Real, source: ReIDDataset, target: ReIDDataset, first: Path, second: Path
) -> tuple[Callable[[], PatchNet], ...]:
    """What makes the network of phase 1, that with new batch-norm statistics, and that of phase 2."""

    def direct() -> PatchNet:
        return kept(first) or pretrain(real.pretrain(first), source, resume=True).net

    def batch_norm() -> PatchNet:
        return controls.batch_norm(direct(), target, seed=real.seed)

    def paul() -> PatchNet:
        return kept(second) or adapt(real.adapt(second), target, start=direct(), resume=True).net

    return direct, batch_norm, paul


def kept(folder: Path) -> PatchNet | None:
    """The network of a run that is over."""
    done = folder / "run.safetensors"
    return network_of(done) if done.is_file() else None


def bare(config: PretrainConfig) -> PatchNet:
    """The backbone alone: its map averaged over P stripes, without reduction; a control for everything learned."""
    wide = replace(config, feature_dim=1, embedding_dim=1)
    channels = build_net(wide, None).backbone.channels
    net = build_net(replace(wide, feature_dim=channels), None)
    with torch.no_grad():
        net.reduction.weight.copy_(torch.eye(channels).expand_as(net.reduction.weight))
        net.reduction.bias.zero_()
    return net


def receipt_of(real: Real, trials: list[Trial], command: str) -> Receipt:
    """The receipt; it names no folder of this machine."""
    settings: dict[str, Any] = {
        "pretrain": asdict(real.preset.pretrain) | {"weights": Path(real.weights).name},
        "adapt": asdict(real.preset.adapt),
        "target": {"name": real.target.name, **_size(real.images()), "all_people": real.target.train.identities},
        "source": {name: _size(source) for name, source in real.sources().items()},
    }
    described = {trial.arm: {"title": _title(trial.arm), "changes": {"method": trial.arm}} for trial in trials}
    return Receipt(
        study="market1501",
        question="Does PAUL help on real people, in a short training on a small backbone?",
        command=command,
        settings={"method": "paul", **settings},
        arms=described,
        versions=versions(),
        machine={
            "device": "cuda" if torch.cuda.is_available() else "cpu",
            "threads": torch.get_num_threads(),
            "cores": os.cpu_count(),
        },
        trials=trials,
    )


def _size(dataset: ReIDDataset) -> dict[str, int]:
    return {"people": dataset.train.identities, "images": len(dataset.train)}


def _title(arm: str) -> str:
    source, _, method = arm.rpartition("/")
    title = TITLES[method].format(NAMES.get(source, ""))
    return title[0].upper() + title[1:]
