"""One arm on one seed: draw the world, take or make the network of phase 1, do what the arm says, judge."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from paullite.adaptation import adapt
from paullite.app.demo import Clock
from paullite.config import AdaptConfig, PretrainConfig
from paullite.controls import batch_norm, batch_norm_by_camera, camera_mean
from paullite.data import PaperDolls
from paullite.data.items import ReIDDataset
from paullite.data.transforms import seeded
from paullite.diagnostics import Diagnosis
from paullite.evaluation import evaluate
from paullite.files import Row, replacing
from paullite.losses import paul
from paullite.models import PatchNet
from paullite.networks import network_of, save
from paullite.pretraining import build_net, pretrain
from paullite.run import Run
from paullite.runs.provenance import digest, fingerprint, versions

from .receipts import fingerprints, people_of
from .rivals import discriminate_instances, learn_clusters
from .settings import Settings
from .units import image_level

Outcome = dict[str, Any]  # what a trial's file holds
KEPT = ("adapt", "instance", "cluster")  # their networks are looked at again, for what they get wrong


def run_trial(settings: Settings, seed: int, folder: Path) -> Outcome:
    """The outcome of a trial, from its file if it was run before.

    Args:
        settings: the arm.
        seed: draws the world, unless the settings fix its seed, and starts the training.
        folder: holds ``trials`` and ``nets``, named by what they depend on; delete it to start anew.
    """
    path = folder / "trials" / f"{key_of(settings.facts(), seed)}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        outcome = carry_out(settings, seed, folder, path.stem)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(outcome), encoding="utf-8")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def carry_out(settings: Settings, seed: int, folder: Path, key: str) -> Outcome:
    """Run a trial. A network that learned here is kept under the trial's key."""
    clock = Clock()
    with clock("draw"):
        target = PaperDolls("target", **{"seed": seed, **settings.target})
    start = source_net(settings, seed, folder)
    with clock(settings.method):
        net, history = learned(settings, seed, start, target, folder)
    with clock("judge"):
        scores = evaluate(net, target, control=CONTROLS[settings.control](net, target, seed))
    if history and history[0]["epoch"]:  # that of another arm's training has row 0 already
        history = [before(settings, start, target), *history]
    if settings.method in KEPT and settings.control == "none":
        save(net, folder / "nets" / f"{key}.safetensors")
    return {
        "settings": settings.facts(),
        "seed": seed,
        "scores": scores.headline(),
        "people": people_of(scores, target.query.pids or ()),
        "history": history,
        "seconds": clock.seconds,
        "data": {"source": fingerprint(source_of(settings, seed).train), **fingerprints(target)},
        "versions": versions(),
    }


def learned(settings: Settings, seed: int, start: PatchNet, target: PaperDolls, folder: Path) -> Made:
    """The network of an arm, with its history. With a control, what learned without it is judged again."""
    if settings.method not in KEPT or settings.control == "none":
        return METHODS[settings.method](settings, seed, start, target)
    plain = replace(settings, control="none")
    history = run_trial(plain, seed, folder)["history"]
    return network_of(folder / "nets" / f"{key_of(plain.facts(), seed)}.safetensors"), history


def key_of(facts: Mapping[str, Any], seed: int) -> str:
    """A short name for all that a result depends on: settings, seed, versions."""
    return digest({}, [json.loads(json.dumps(facts)), seed, versions()])[:16]


def source_of(settings: Settings, seed: int) -> PaperDolls:
    """The labelled world; of the seed in the settings, if they fix one."""
    return PaperDolls("source", **{"seed": seed, **settings.source})


def source_net(settings: Settings, seed: int, folder: Path) -> PatchNet:
    """The network of phase 1, made once for each seed and all that it depends on."""
    path = folder / "nets" / f"{source_key(settings, seed)}.safetensors"
    if not path.is_file():
        source = source_of(settings, seed)
        net = pretrain(phase1(settings, seed), source, start=begin(settings, seed, source.train.identities)).net
        path.parent.mkdir(parents=True, exist_ok=True)
        save(net, path)
    return network_of(path)


def source_key(settings: Settings, seed: int) -> str:
    """The name of a network of phase 1."""
    facts = {"pretrain": asdict(settings.pretrain), "source": settings.source, "patches": settings.patches}
    return key_of(json.loads(json.dumps(facts)), seed)


def phase1(settings: Settings, seed: int) -> PretrainConfig:
    """The settings of phase 1; patches that stay where they start are those of a generator that never learns."""
    window = settings.pretrain.generator_epochs if settings.patches == "learned" else (0, 0)
    return replace(settings.pretrain, seed=seed, generator_epochs=window, evaluate_every=0)


def phase2(settings: Settings, seed: int) -> AdaptConfig:
    """The settings of phase 2 on a seed."""
    return replace(settings.adapt, seed=seed)


def begin(settings: Settings, seed: int, identities: int) -> PatchNet:
    """The untrained network, its patches where the arm wants them."""
    net = build_net(phase1(settings, seed), identities)
    if settings.patches == "random":
        bias = next(layer for layer in list(net.generator.modules())[::-1] if isinstance(layer, torch.nn.Linear)).bias
        with torch.no_grad():
            bias.copy_(random_boxes(net.patches, seed).flatten())
    return net


def with_labels(config: PretrainConfig, start: PatchNet, target: PaperDolls) -> PatchNet:
    """The network of phase 1, trained on as in phase 1 with the labels of the target: what labels would reach."""
    net = copy.deepcopy(start)
    net.reset_classifier(target.train.identities)
    return pretrain(config, target, start=net).net


def random_boxes(patches: int, seed: int) -> Tensor:
    """P boxes drawn anywhere inside the picture: half to all of its width, one to two stripes high; (P, 2, 3).

    >>> boxes = random_boxes(6, seed=0)
    >>> bool((boxes[:, 1, 1] + boxes[:, 1, 2].abs() <= 1 + 1e-6).all())
    True
    """
    with seeded(seed, "random boxes"):
        width, height = torch.rand(patches) / 2 + 0.5, (torch.rand(patches) + 1).div(patches).clamp(max=1)
        across, down = torch.rand(2, patches) * 2 - 1  # -1..1, of the room that is left
    theta = torch.zeros(patches, 2, 3)
    theta[:, 0, 0], theta[:, 0, 2] = width, across * (1 - width)
    theta[:, 1, 1], theta[:, 1, 2] = height, down * (1 - height)
    return theta


def before(settings: Settings, start: PatchNet, target: ReIDDataset) -> Row:
    """Row 0 of the history: the scores at the start, and what neighbours drawn at random would be."""
    diagnosis = Diagnosis(target, settings.adapt)
    by_chance = chance(diagnosis, diagnosis.heights(start))
    return {"epoch": 0, **evaluate(start, target).headline(), **{f"{k}_chance": v for k, v in by_chance.items()}}


def chance(diagnosis: Diagnosis, heights: Sequence[float]) -> Row:
    """What the columns of a diagnosis would be for neighbours drawn at random from the other images.

    >>> dolls = PaperDolls("target", identities=3, test_identities=2)
    >>> found = chance(Diagnosis(dolls, AdaptConfig(k=2)), [0.4])       # a patch on the chest
    >>> found["same_person"] > 0.2 and found["same_garment"] >= found["same_person"]
    True
    """
    found = {} if diagnosis.pids is None else {"same_person": alike(diagnosis.pids)}
    if diagnosis.cameras is not None:
        found["other_camera"] = 1 - alike(diagnosis.cameras)
    if diagnosis.garments:
        worn = torch.tensor(diagnosis.garments(heights))
        found["same_garment"] = sum(alike(column) for column in worn.T) / worn.shape[1]
    return {name: round(value, 6) for name, value in found.items()}


def alike(values: Tensor) -> float:
    """Chance that two places hold the same value."""
    counts = values.unique(return_counts=True)[1].double()
    return float((counts * (counts - 1)).sum() / (len(values) * (len(values) - 1)))


Made = tuple[PatchNet, list[Row]]
LOSSES = {"patches": paul, "image": image_level}
CONTROLS: dict[str, Callable[[PatchNet, PaperDolls, int], Any]] = {
    "none": lambda net, target, seed: None,
    "camera_mean": lambda net, target, seed: camera_mean(net, target),
    "batch_norm_by_camera": lambda net, target, seed: batch_norm_by_camera(net, target, seed=seed),
}


def _learned(run: Run) -> Made:
    return run.net, run.history


METHODS: dict[str, Callable[[Settings, int, PatchNet, PaperDolls], Made]] = {
    "direct": lambda s, seed, start, target: (start, []),
    "batch_norm": lambda s, seed, start, target: (batch_norm(start, target, seed=seed), []),
    "adapt": lambda s, seed, start, target: _learned(adapt(phase2(s, seed), target, start=start, loss=LOSSES[s.unit])),
    "supervised": lambda s, seed, start, target: (with_labels(phase1(s, seed), start, target), []),
    "instance": lambda s, seed, start, target: _learned(
        discriminate_instances(phase2(s, seed), target, start=start, **s.rival)
    ),
    "cluster": lambda s, seed, start, target: _learned(learn_clusters(phase2(s, seed), target, start=start, **s.rival)),
}
