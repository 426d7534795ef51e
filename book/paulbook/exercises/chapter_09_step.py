"""Exercise 9.2: the loss of one step of PAUL, repaired. `paulbook.chapters.chapter9.three_bugs` is what to repair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.config import PRESETS, AdaptConfig
from paullite.losses import ipfl, paul, pedal
from paullite.memory import FeatureMemory
from paullite.step import take_step

from ..agreement import Draw, agrees, sizes
from ..exercise import Exercise, expect

StepLoss = Callable[..., Any]


def step_loss(
    features: Tensor,
    embeddings: Tensor,
    index: Tensor,
    memory: FeatureMemory,
    centers: FeatureMemory,
    config: AdaptConfig,
) -> Tensor:
    """Both memories first, then both losses, by the library, so by every setting: the book's own answer.

    Args:
        features: of both views, all originals first, (2B, P, D).
        embeddings: likewise, (2B, E); those that ``image_embedding`` asks for.
        index: place of each image in the training set, (B,).
        memory, centers: of all images; up to date afterwards.
        config: settings of phase 2.
    """
    count = len(index)
    both = embeddings.unflatten(0, (2, count)).transpose(0, 1)  # B 2 E
    return paul(take_step(features[:count], both, index, memory, centers, config)).total


COUNT, IMAGES, PATCHES, SIZE, WIDE = 5, 12, 2, 4, 6


class Case(NamedTuple):
    """What a step is given."""

    features: Tensor
    embeddings: Tensor
    rows: Tensor
    memory: FeatureMemory
    centers: FeatureMemory
    config: AdaptConfig


ROWS = 7, 2, 11, 4, 9
FIRST_ROWS = 3, 0, 4, 1, 2  # in which a mix-up of rows and places in the batch is not out of bounds


def case(
    pedal_weight: float = 1.0,
    ipfl_weight: float = 1.0,
    seed: int = 0,
    gradient: bool = False,
    rows: tuple[int, ...] = ROWS,
    **changes: Any,
) -> Case:
    """A made-up step in the middle of a training: both memories are filled, and five of twelve images come again."""
    draws = torch.Generator().manual_seed(seed)
    memory = FeatureMemory(IMAGES, PATCHES, SIZE, momentum=0.1)
    memory.update(torch.arange(IMAGES), F.normalize(torch.randn(IMAGES, PATCHES, SIZE, generator=draws), dim=-1))
    centers = FeatureMemory(IMAGES, 1, WIDE, momentum=0.1)
    centers.update(torch.arange(IMAGES), torch.randn(IMAGES, 1, WIDE, generator=draws))
    features = F.normalize(torch.randn(2 * COUNT, PATCHES, SIZE, generator=draws), dim=-1)
    embeddings = torch.randn(2 * COUNT, WIDE, generator=draws)
    index = torch.tensor(rows)
    plain = PRESETS["paperdolls"].adapt
    config = replace(plain, pedal_weight=pedal_weight, ipfl_weight=ipfl_weight, k=3, scale=4.0, margin=3.0, **changes)
    if gradient:
        features, embeddings = features.requires_grad_(), embeddings.requires_grad_()
    return Case(features, embeddings, index, memory, centers, config)


def near(a: Any, b: Any) -> bool:
    """Equal, but for rounding."""
    return abs(float(a) - float(b)) < 1e-4


def without(given: Case, *skipped: str) -> tuple[Tensor, Tensor]:
    """Memory and centers as they would be if some of the updates were left out."""
    own = given.embeddings.unflatten(0, (2, COUNT)).mean(0)[:, None]
    if "memory" not in skipped:
        given.memory.update(given.rows, given.features[:COUNT])
    if "centers" not in skipped:
        given.centers.update(given.rows, own)
    return given.memory.features, given.centers.features[given.rows, 0]


def owner_counts_over_the_batch(answer: StepLoss) -> None:
    """An owner that counts over the data set stops, or falls on the wrong center."""
    try:
        answer(*case())
    except (IndexError, RuntimeError) as error:
        if "out of bounds" not in str(error):
            return  # the next property meets it again
        given = case(0.0, 1.0, rows=FIRST_ROWS)
        own = without(case(rows=FIRST_ROWS))[1]
        wanted = ipfl(given.embeddings, own, given.rows.repeat(2), margin=given.config.margin)
        expect(
            not near(answer(*given), wanted),
            "owner counts over the batch, not over the data set: it names a row of the centers that IPFL is given.",
        )


def gives_a_loss(answer: StepLoss) -> None:
    """One number with a gradient."""
    loss = answer(*case(gradient=True))
    tensor = isinstance(loss, Tensor) and loss.numel() == 1
    expect(tensor, "Hand back one tensor with one number, the total; not its parts, and no Python number.")
    expect(
        loss.requires_grad,
        "The loss has no gradient, so nothing would learn. Was something detached, or under no_grad?",
    )


def updates_the_memory(answer: StepLoss) -> None:
    """By the originals, once, without a gradient."""
    given, want = case(), case()
    answer(*given)
    before, (after, _) = want.memory.features.clone(), without(want)
    found = given.memory.features
    expect(not torch.allclose(found, before), "After the step the memory is as it was. Who brings it up to date?")
    twice = case()
    for _ in range(2):
        twice.memory.update(twice.rows, twice.features[:COUNT])
    expect(not torch.allclose(found, twice.memory.features, atol=1e-5), "The memory was updated twice in one step.")
    copies = case()
    copies.memory.update(copies.rows, copies.features[COUNT:])
    expect(
        not torch.allclose(found, copies.memory.features, atol=1e-5),
        "The memory holds features of the surrogates. Which half of the rows are the originals?",
    )
    mean = case()
    mean.memory.update(mean.rows, mean.features.unflatten(0, (2, COUNT)).mean(0))
    expect(
        not torch.allclose(found, mean.memory.features, atol=1e-5),
        "The memory holds the mean of both views. That is how the centers are made; the patch memory keeps originals.",
    )
    expect(
        torch.allclose(found, after, atol=1e-5),
        "The memory was updated, but not in the rows, or by the features, of index.",
    )


def updates_the_centers(answer: StepLoss) -> None:
    """By the mean of both views."""
    given, want = case(), case()
    answer(*given)
    before = want.centers.features.clone()
    without(want)
    found = given.centers.features
    expect(not torch.allclose(found, before), "After the step the centers are as they were. They are a memory, too.")
    for name, half in {"original": slice(None, COUNT), "surrogate": slice(COUNT, None)}.items():
        one = case()
        one.centers.update(one.rows, one.embeddings[half][:, None])
        expect(
            not torch.allclose(found, one.centers.features, atol=1e-5),
            f"The centers were made of the {name}s alone. A center is the mean of both views.",
        )
    expect(
        torch.allclose(found, want.centers.features, atol=1e-5),
        "The centers were updated, but not by the mean of the two views of each image. Which rows belong together?",
    )


def pedal_is_right(answer: StepLoss) -> None:
    """On the originals, after the update of the memory."""
    found, given = float(answer(*case(ipfl_weight=0.0))), case()
    x, c = given.features, given.config
    after, own = without(given)
    keywords: dict[str, Any] = {"scale": c.scale, "k": c.k}
    wanted = pedal(x[:COUNT], after, given.rows, **keywords)
    other = ipfl(given.embeddings, own, torch.arange(COUNT).repeat(2), margin=c.margin)
    early = pedal(x[:COUNT], without(case(), "memory")[0], given.rows, **keywords)
    says = f"With the weights 1 and 0 the total is {found:.4f}, PEDAL is {float(wanted):.4f}."
    expect(not near(found, other), f"{says} Yours is IPFL: the two weights are exchanged.")
    expect(not near(found, wanted + other), f"{says} Yours is the plain sum of both. Where are the weights?")
    expect(not near(found, early), f"{says} Yours asked the memory before it was updated.")
    both = pedal(x, after, given.rows.repeat(2), **keywords)
    expect(not near(found, both), f"{says} Yours let the surrogates in. They take no part in PEDAL.")
    copies = pedal(x[COUNT:], after, given.rows, **keywords)
    expect(not near(found, copies), f"{says} Yours is PEDAL of the surrogates. Which half are the originals?")
    places = pedal(x[:COUNT], after, torch.arange(COUNT), **keywords)
    expect(
        not near(found, places),
        f"{says} Yours leaves out the wrong entries: the memory's rows are those of the data set, not of the batch.",
    )
    expect(near(found, wanted), f"{says} Which features, which memory, which s and K does yours take?")


def ipfl_is_right(answer: StepLoss) -> None:
    """On both views, each with its own image's center, after the update of the centers."""
    found, given = float(answer(*case(pedal_weight=0.0))), case()
    e, own = given.embeddings, torch.arange(COUNT)
    _, after = without(given)
    keywords: dict[str, Any] = {"margin": given.config.margin}
    wanted = ipfl(e, after, own.repeat(2), **keywords)
    says = f"With the weights 0 and 1 the total is {found:.4f}, IPFL is {float(wanted):.4f}."
    early = ipfl(e, without(case(), "centers")[1], own.repeat(2), **keywords)
    expect(not near(found, early), f"{says} Yours asked the centers before they were updated.")
    pairs = ipfl(e, after, own.repeat_interleave(2), **keywords)
    expect(
        not near(found, pairs),
        f"{says} The owners are wrong: first come all originals, then all surrogates, not one pair after another.",
    )
    for name, half in {"original": slice(None, COUNT), "surrogate": slice(COUNT, None)}.items():
        alone = ipfl(e[half], after, own, **keywords)
        expect(not near(found, alone), f"{says} Yours takes the {name}s alone as anchors. Both views are anchors.")
    first = ipfl(e, given.centers.features[:COUNT, 0], own.repeat(2), **keywords)
    expect(not near(found, first), f"{says} Yours takes the first B centers. Which rows are those of this batch?")
    everyone = ipfl(e, given.centers.features[:, 0], given.rows.repeat(2), **keywords)
    expect(not near(found, everyone), f"{says} Yours looks among the centers of all images; IPFL sees the batch alone.")
    other = ipfl(e, after, own.repeat(2), margin=2.0)
    expect(not near(found, other), f"{says} Yours takes another margin than the one in config.")
    expect(near(found, wanted), f"{says} Which anchors, which centers, which owner does yours take?")


def weights_are_right(answer: StepLoss) -> None:
    """Each loss has its own weight, and the total is a sum."""
    parts = float(answer(*case(1.0, 0.0))), float(answer(*case(0.0, 1.0)))
    for weights in ((2.0, 0.3), (0.5, 3.0)):
        found, wanted = float(answer(*case(*weights))), sum(w * part for w, part in zip(weights, parts, strict=True))
        says = f"With the weights {weights[0]} and {weights[1]} the total should be {wanted:.4f}; yours is {found:.4f}."
        expect(not near(found, wanted / sum(weights)), f"{says} That is a weighted mean. The total is a sum.")
        expect(near(found, wanted), f"{says} Each loss times its own weight, then the sum.")


def gradient_reaches_both(answer: StepLoss) -> None:
    """PEDAL moves the features of the originals, IPFL the embeddings of both views."""
    given = case(gradient=True)
    slopes = torch.autograd.grad(answer(*given), (given.features, given.embeddings), allow_unused=True)
    for name, slope in zip(("features", "embeddings"), slopes, strict=True):
        moved = slope is not None and bool(slope.any())
        expect(moved, f"No gradient reaches the {name}. Which call was given a detached copy of them?")


CHANGES: dict[str, Any] = {"nearest": 1, "max_candidates": 1, "no_negative": "pull"}


def every_setting_counts(answer: StepLoss) -> None:
    """How the hard negative is found, and what becomes of an anchor without one, stands in the settings."""
    for name, value in CHANGES.items():
        found, wanted = (float(way(*case(0.0, **{name: value}))) for way in (answer, step_loss))
        says = f"With {name} = {value!r} in config IPFL is {wanted:.4f}; yours is {found:.4f}."
        expect(near(found, wanted), f"{says} `pl.losses.ipfl` has an argument of that name: hand it on.")


def some_step(draw: Draw) -> tuple[Any, ...]:
    """A step with drawn weights, settings and numbers."""
    rows = tuple(int(row) for row in draw.permutation(IMAGES)[:COUNT])
    pedal_weight, ipfl_weight = (float(weight) for weight in draw.uniform(0.2, 3, 2) * draw.choice([0, 1, 1], 2))
    (nearest, most), rule = sizes(draw, 2), ("skip", "pull")[int(draw.integers(2))]
    changes: dict[str, Any] = {"nearest": nearest, "max_candidates": most, "no_negative": rule}
    given = case(pedal_weight, ipfl_weight, seed=int(draw.integers(1000)), rows=rows, **changes)
    filled = torch.from_numpy(draw.random(IMAGES) < 0.7)
    given.memory.filled.copy_(filled)
    given.centers.filled.copy_(filled)
    return tuple(given)


def with_memories(found: Any, features: Tensor, embeddings: Tensor, rows: Tensor, *more: Any) -> tuple[Any, ...]:
    """The loss, and both memories as they are afterwards."""
    memory, centers, _ = more
    return found, memory.features, centers.features, memory.filled, centers.filled


EXERCISES = (
    Exercise(
        "step_loss",
        9,
        step_loss,
        (
            owner_counts_over_the_batch,
            gives_a_loss,
            updates_the_memory,
            updates_the_centers,
            pedal_is_right,
            ipfl_is_right,
            weights_are_right,
            gradient_reaches_both,
            every_setting_counts,
            agrees(step_loss, some_step, view=with_memories, slopes=(0, 1)),
        ),
        example=lambda: tuple(case()),
    ),
)
