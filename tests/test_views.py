"""Views made in batches on the device, held against torchvision's transforms, one image at a time.

Where the two agree: brightness, contrast, saturation, rotation, crop and mirror do to the pixels what torchvision's v2
does, and the factors, angles, boxes and flips that are drawn are distributed as those of ColorJitter, RandomRotation,
RandomResizedCrop and RandomHorizontalFlip.

Where they differ, and by how much:

- The hue turns in the chroma plane of YIQ, and not around the hexagon of HSV. Brightness stays; torchvision changes
  that of a strong colour. Both turn the same way, but they differ by about as much as each of them changes a picture
  (on random colours 0.95 to 1.07 times that; turned the other way it would be 2.3 times).
- The colour operations come in one order (brightness, contrast, saturation, hue), where ColorJitter shuffles them, and
  colours beyond black and white are cut off once, at the end.
- The weights of red, green and blue in a grey are .299, .587, .114, where torchvision has .2989, .587, .114.
- A picture is interpolated once, where torchvision does so after the turn and after the crop. A large picture was first
  brought to the view's size, where torchvision cuts out of the original. Boxes have no whole number of pixels.
- The outermost half pixel of a picture fades to black, as what lies outside is black; torchvision's crop repeats it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

import paullite as pl
from paullite.data import loading
from paullite.data.loading import SurrogatePairs
from paullite.data.views import (
    DRAWS,
    LUMA,
    TRIES,
    colour_matrices,
    crop_boxes,
    hue_matrices,
    jittered,
    originals,
    surrogates,
    uniforms,
)

SIZE, PLAIN = (128, 64), ([0.0] * 3, [1.0] * 3)  # this normalisation leaves pixels in 0..1
NONE: dict[str, Any] = dict(jitter=(0, 0, 0, 0), rotation=0.0, crop=(1, 1), crop_form=1)  # nothing is changed
MANY = 4000  # draws of each distribution
ALIKE = 1.95 * math.sqrt(2 / MANY)  # largest distance of two equal distributions, with a probability of 99.9 %
BILINEAR = InterpolationMode.BILINEAR


def settings(**changes: Any) -> pl.AdaptConfig:
    return dataclasses.replace(pl.PRESETS["paperdolls"].adapt, **{**NONE, "workers": 0, **changes})


def draws(count: int = 1, **columns: float) -> Tensor:
    """Random numbers that change nothing, except those that are named."""
    places = dict(brightness=0, contrast=1, saturation=2, hue=3, angle=4, share=5, form=5 + TRIES)
    places |= dict(x=DRAWS - 4, y=DRAWS - 3, flip_original=DRAWS - 2, flip=DRAWS - 1)
    u = torch.full((count, DRAWS), 0.5)
    for name, value in columns.items():
        u[:, places[name]] = value
    return u


def noise(height: int = 128, width: int = 64) -> Tensor:
    """A picture as bytes, every pixel another colour."""
    return torch.randint(256, (1, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def smooth(height: int, width: int) -> Tensor:
    """The same smooth picture in any size, (1, 3, height, width) in 0..1, black along its border."""
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    waves = [(2.0, 1.0, 0.3), (1.0, 2.0, 1.0), (3.0, 1.0, 2.0)]
    picture = torch.stack([0.5 + 0.5 * torch.sin(2 * math.pi * (a * y + b * x) + c) for a, b, c in waves])
    return (picture * (16 * y * (1 - y) * x * (1 - x)).sqrt())[None]


def view(
    pixels: Tensor, u: Tensor, *, form: float | None = None, size: tuple[int, int] = SIZE, **changes: Any
) -> Tensor:
    """One surrogate, in 0..1. The picture's form is that of its pixels unless another is given."""
    forms = torch.full((len(pixels),), form or pixels.shape[2] / pixels.shape[3])
    return surrogates(pixels, forms, u, size, PLAIN, settings(**changes))


def distance(a: Tensor | np.ndarray, b: Tensor | np.ndarray) -> float:
    """Kolmogorov and Smirnov's: the largest difference of two empirical distribution functions."""
    first, second = np.sort(np.asarray(a, dtype=float)), np.sort(np.asarray(b, dtype=float))
    at = np.concatenate((first, second))
    shares = [np.searchsorted(one, at, side="right") / len(one) for one in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


# ---- distributions


@pytest.fixture(scope="module")
def numbers() -> Tensor:
    return uniforms(3, 1, range(MANY))


def test_the_distance_notices_a_difference() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(MANY, generator=generator), torch.rand(MANY, generator=generator)
    assert distance(a, b) < ALIKE < distance(a, 0.9 * b) and distance(a, b.square()) > ALIKE


def test_random_numbers_are_uniform_and_independent(numbers: Tensor) -> None:
    """Column by column, between columns, and between neighbouring places, epochs and seeds."""
    assert numbers.shape == (MANY, DRAWS) and numbers.min() >= 0 and numbers.max() < 1
    even = (torch.arange(MANY) + 0.5) / MANY
    assert max(distance(column, even) for column in numbers.T) < ALIKE
    others = [uniforms(3, 2, range(MANY)), uniforms(4, 1, range(MANY)), numbers.roll(1, 0)]
    everything = torch.cat([numbers, *others], 1)  # MANY 4 DRAWS
    correlation = torch.corrcoef(everything.T) - torch.eye(4 * DRAWS)
    assert correlation.abs().max() < 5 / math.sqrt(MANY)


@pytest.mark.parametrize("j", [(0.2, 0.2, 0.2, 0.1), (0.5, 0.1, 0.3, 0.05)])
def test_factors_are_distributed_as_those_of_color_jitter(j: tuple[float, ...], numbers: Tensor) -> None:
    torch.manual_seed(0)
    ranges = [(1 - x, 1 + x) for x in j[:3]] + [(-j[3], j[3])]
    theirs = torch.tensor([v2.ColorJitter.get_params(*ranges)[1:] for _ in range(MANY)])  # MANY 4
    matrix, offset = colour_matrices(numbers[:, :4], j)  # type: ignore[arg-type]
    sums = matrix.sum(2).mean(1)  # a grey stays a grey: b c
    b = sums + offset  # b c + b (1 - c)
    alone, _ = colour_matrices(numbers[:, :4], (0, 0, j[2], 0))
    s = (torch.linalg.det(alone)).sqrt()  # saturation shrinks both chroma axes
    hue, _ = colour_matrices(numbers[:, :4], (0, 0, 0, j[3]))
    cos, ahead = (hue.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2, hue[:, 1, 0] > hue[:, 0, 1]
    turns = torch.where(ahead, 1, -1) * cos.clamp(max=1).arccos() / (2 * math.pi)
    for mine, theirs_of_it in zip((b, sums / b, s, turns), theirs.T, strict=True):
        assert distance(mine, theirs_of_it) < ALIKE


def test_angles_are_distributed_as_those_of_random_rotation(numbers: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    theirs = torch.tensor([v2.RandomRotation.get_params([-10.0, 10.0]) for _ in range(MANY)])
    seen: list[Tensor] = []
    plain = torch.deg2rad
    monkeypatch.setattr(torch, "deg2rad", lambda degrees: seen.append(degrees) or plain(degrees))
    view(noise(2, 2).expand(MANY, -1, -1, -1), numbers, rotation=10.0, size=(2, 2))
    assert distance(seen[0], theirs) < ALIKE and seen[0].abs().max() <= 10


@pytest.mark.parametrize("form", [2.0, 1.5, 1.0, 2.6, 4.0])  # 1.0, 4.0: hardly a box of the allowed forms fits
@pytest.mark.parametrize(("crop", "most"), [((0.70, 0.95), 1.25), ((0.2, 1.0), 1.6)])
def test_boxes_are_distributed_as_those_of_random_resized_crop(
    form: float, crop: tuple[float, float], most: float, numbers: Tensor
) -> None:
    torch.manual_seed(0)
    width = 6000
    height = round(form * width)  # so large that a whole number of pixels is no matter
    picture, wanted = torch.zeros(1, 1, 1).expand(3, height, width), SIZE[1] / SIZE[0]
    ratio = [wanted / most, wanted * most]
    theirs = torch.tensor([v2.RandomResizedCrop.get_params(picture, list(crop), ratio) for _ in range(MANY)]).double()
    top, left, high, wide = theirs.unbind(1)
    boxes = crop_boxes(numbers[:, 5:-2], torch.full((MANY,), form), SIZE, crop, most).double()
    x, y, w, h = boxes.unbind(1)
    pairs = {
        "area": (w * h, wide * high / (width * height)),
        "form": ((w * width / (h * height)).log(), (wide / high).log()),
        "across": ((x + 1 - w) / 2, left / width),
        "down": ((y + 1 - h) / 2, top / height),
        "end": ((x + 1 + w) / 2, (left + wide) / width),
        "foot": ((y + 1 + h) / 2, (top + high) / height),
    }
    for name, (mine, of_torchvision) in pairs.items():
        small = 2e-3  # a pixel's rounding may carry a number over a jump of the distribution
        found = min(distance(mine + shift, of_torchvision) for shift in (0, small, -small))
        assert found < ALIKE, name
    assert (w <= 1).all() and (h <= 1).all() and ((x.abs() + w) <= 1 + 1e-6).all() and ((y.abs() + h) <= 1 + 1e-6).all()


def test_half_of_the_views_are_mirrored(dolls: pl.data.PaperDolls) -> None:
    """Originals and surrogates apart from each other, as RandomHorizontalFlip(0.5) twice."""
    first, second = [], []
    images = dolls.unlabelled().take(range(16))
    pairs = SurrogatePairs(images, SIZE, PLAIN, settings(batch=16))
    plain = dict(enumerate(next(pairs.plain([list(range(16))]))))
    for epoch in range(25):
        index, originals_seen, surrogates_seen = next(pairs.epoch(epoch))
        for place, a, b in zip(index.tolist(), originals_seen, surrogates_seen, strict=True):
            mirrored = plain[place].flip(-1)
            first.append(torch.equal(a, mirrored))
            second.append(bool((b - mirrored).abs().mean() < (b - plain[place]).abs().mean()))
            assert torch.equal(a, mirrored if first[-1] else plain[place])
    mirrors = torch.tensor([first, second]).float()
    assert (mirrors.mean(1) - 0.5).abs().max() < 0.1  # 400 draws: four standard deviations
    assert torch.corrcoef(mirrors)[0, 1].abs() < 0.2


# ---- each operation alone, to the pixel


def test_nothing_random_changes_nothing() -> None:
    pixels = noise()
    assert torch.allclose(view(pixels, draws(flip=0.9)), pixels / 255, atol=2e-5)
    assert torch.equal(originals(pixels, SIZE, PLAIN), pixels.float() / 255)


ADJUST: dict[str, Callable[[Tensor, float], Tensor]] = {
    "brightness": functional.adjust_brightness,
    "contrast": functional.adjust_contrast,
    "saturation": functional.adjust_saturation,
}


@pytest.mark.parametrize("u", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", sorted(ADJUST))
def test_a_colour_operation_alone(name: str, u: float) -> None:
    strength = 0.4
    jitter = [strength if name == other else 0.0 for other in ("brightness", "contrast", "saturation", "hue")]
    found = view(noise(), draws(flip=0.9, **{name: u}), jitter=jitter)
    theirs = ADJUST[name](noise(), 1 + (2 * u - 1) * strength)  # on bytes, as a PIL image is changed
    assert (found - theirs / 255).abs().max() < 1.5 / 255
    exact = ADJUST[name](noise() / 255, 1 + (2 * u - 1) * strength)
    assert (found - exact).abs().max() < 2e-4  # the weight of red in a grey
    if u != 0.5:
        opposite = ADJUST[name](noise() / 255, 1 - (2 * u - 1) * strength)
        assert (found - opposite).abs().max() > 0.05


def test_colour_operations_one_after_the_other() -> None:
    """Where nothing is cut off, the one affine map is brightness, contrast and saturation in this order."""
    x = noise() * 0.4 / 255 + 0.3
    matrix, offset = colour_matrices(torch.tensor([[0.8, 0.1, 0.9, 0.5]]), (0.2, 0.3, 0.4, 0.1))
    expected = x
    for name, factor in (("brightness", 1.12), ("contrast", 0.76), ("saturation", 1.32)):
        expected = ADJUST[name](expected, factor)
    assert expected.min() > 0 and expected.max() < 1
    assert (jittered(x, matrix, offset) - expected).abs().max() < 2e-4


@pytest.mark.parametrize("turns", [0.1, 0.05, -0.05, -0.1])
def test_hue_turns_as_in_torchvision_and_keeps_the_brightness(turns: float) -> None:
    x = 0.3 + noise() / 255 * 0.4  # nothing is cut off
    found = jittered(x, hue_matrices(torch.tensor([turns])), torch.zeros(1))
    same_way, other_way = functional.adjust_hue(x, turns), functional.adjust_hue(x, -turns)
    change = (same_way - x).abs().mean()
    assert (found - same_way).abs().mean() < 1.1 * change  # measured: 0.95 to 1.07
    assert (found - other_way).abs().mean() > 2 * change  # measured: 2.29 to 2.35
    luma = torch.tensor(LUMA).view(3, 1, 1)
    assert ((found - x) * luma).sum(1).abs().max() < 1e-5 < 0.01 < ((same_way - x) * luma).sum(1).abs().mean()
    back = jittered(found, hue_matrices(torch.tensor([-turns])), torch.zeros(1))
    assert torch.allclose(back, x, atol=1e-5)


def test_hue_turns_by_its_share_of_a_circle() -> None:
    circle = hue_matrices(torch.tensor([1 / 6])).matrix_power(6)[0]
    assert torch.allclose(circle, torch.eye(3), atol=1e-5)
    assert torch.allclose(
        hue_matrices(torch.tensor([0.25])).matrix_power(2), hue_matrices(torch.tensor([0.5])), atol=1e-5
    )
    grey = hue_matrices(torch.linspace(-0.5, 0.5, 9)) @ torch.ones(3)
    assert torch.allclose(grey, torch.ones(9, 3), atol=2e-3)  # the matrix of YIQ is rounded to three digits


@pytest.mark.parametrize(("u", "degrees"), [(0.0, -10.0), (0.3, -4.0), (1.0, 10.0)])
@pytest.mark.parametrize("sizes", [(128, 64), (64, 64), (40, 90)])
def test_a_turn_alone(u: float, degrees: float, sizes: tuple[int, int]) -> None:
    """To the pixel, uncovered corners included, which are black."""
    pixels = noise(*sizes)
    found = view(pixels, draws(angle=u, flip=0.9), size=sizes, rotation=10.0, crop_form=9)
    assert found.shape == pixels.shape
    theirs = functional.rotate(pixels / 255, degrees, interpolation=BILINEAR)
    inside = slice(2, -2)
    assert (found - theirs)[..., inside, inside].abs().max() < 2e-3
    assert (found - theirs).abs().mean() < 0.01 < (found - pixels / 255).abs().mean()
    assert found[..., 0, 0].abs().max() < 1e-6 or found[..., 0, -1].abs().max() < 1e-6


@pytest.mark.parametrize(
    "box", [(0, 0, 128, 64), (10, 4, 100, 50), (28, 0, 100, 60), (0, 14, 90, 50), (50, 20, 60, 24)]
)
def test_a_crop_alone(box: tuple[int, int, int, int]) -> None:
    """(top, left, height, width) in pixels, found again through the random numbers that lead to it."""
    top, left, height, width = box
    share, form = height * width / (128 * 64), width / height
    low, most = 0.1, 3.0
    columns = dict(
        share=(share - low) / (1 - low),
        form=(math.log(form / 0.5) / math.log(most) + 1) / 2,
        x=left / (64 - width) if width < 64 else 0.5,
        y=top / (128 - height) if height < 128 else 0.5,
    )
    picture = (smooth(128, 64) * 255).round().byte()
    found = view(picture, draws(flip=0.9, **columns), crop=(low, 1), crop_form=most)
    theirs = functional.resized_crop(picture / 255, top, left, height, width, list(SIZE), BILINEAR, antialias=True)
    difference = (found - theirs).abs()
    assert difference.max() < 0.03 and difference[..., 2:-2, 2:-2].max() < 2e-3
    other = functional.resized_crop(picture / 255, top, left, height - 3, width, list(SIZE), BILINEAR, antialias=True)
    assert (found - other).abs()[..., 2:-2, 2:-2].max() > 0.02  # a box three pixels lower would be noticed


def test_what_lies_outside_is_black_and_so_is_half_a_pixel_of_the_border() -> None:
    white = torch.full((1, 3, 64, 32), 255, dtype=torch.uint8)
    found = view(white, draws(flip=0.9), size=(128, 64))
    assert torch.allclose(found[..., 1:-1, 1:-1], torch.tensor(1.0), atol=1e-6)
    assert torch.allclose(found[0, 0, 0, 1:-1], torch.tensor(0.75)) and found[0, 0, 0, 0] == pytest.approx(0.75**2)
    normal = ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4])
    turned = surrogates(white, torch.tensor([2.0]), draws(angle=0.0), (64, 32), normal, settings(rotation=45.0))
    black = torch.tensor([-0.5 / 0.2, -0.4 / 0.3, -0.3 / 0.4])
    assert torch.allclose(turned[0, :, 0, 0], black)  # black before it is normalised


def test_a_mirror_is_exact() -> None:
    everything = dict(jitter=(0.2, 0.2, 0.2, 0.1), rotation=10.0, crop=(0.7, 0.95), crop_form=1.25)
    u = uniforms(0, 0, range(4))
    u[:, -1] = 0.7
    mirrored = u.clone()
    mirrored[:, -1] = 0.3
    pixels = noise().expand(4, -1, -1, -1)
    assert torch.allclose(view(pixels, mirrored, **everything), view(pixels, u, **everything).flip(-1), atol=1e-4)
    flip = torch.tensor([True, False, True, False])
    found, plain = originals(pixels, SIZE, PLAIN, flip), originals(pixels, SIZE, PLAIN)
    assert torch.equal(found[0], plain[0].flip(-1)) and torch.equal(found[1], plain[1])


def test_originals_are_resized_and_normalised_as_in_evaluation(dolls: pl.data.PaperDolls) -> None:
    normal = ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4])
    for size in ((128, 64), (200, 100), (96, 96)):
        pairs = SurrogatePairs(dolls.unlabelled().take(range(3)), size, normal, settings(batch=3))
        (found,) = pairs.plain([[0, 1, 2]])
        transform = pl.data.transforms.evaluation_transform(size, normal)
        theirs = torch.stack([transform(dolls.train[i].image) for i in range(3)])
        assert (found - theirs).abs().max() < 1.01 / 255 / 0.2  # PIL rounds to bytes before, we do not


def test_originals_larger_than_asked_for_are_smoothed_first() -> None:
    """As PIL does, and torch's plain bilinear does not: a fine chequerboard turns grey."""
    board = (torch.arange(256)[:, None] + torch.arange(128)) % 2 * 255
    found = originals(board.to(torch.uint8).expand(1, 3, -1, -1), (50, 25), ([0.0] * 3, [1.0] * 3))
    assert (found[..., 1:-1, 1:-1] - 0.5).abs().max() < 0.02


# ---- forms: a turn and a crop are of the picture as it was taken


@pytest.mark.parametrize(("height", "width"), [(120, 100), (160, 40), (128, 64), (60, 180)])
def test_a_picture_of_another_form_is_turned_as_it_was_taken(height: int, width: int) -> None:
    """Rotated in its own form, then resized; not resized, then rotated."""
    taken = smooth(3 * height, 3 * width)
    stored = functional.resize(taken, list(SIZE), BILINEAR, antialias=True)
    pixels = (stored * 255).round().byte()
    found = view(pixels, draws(angle=1.0, flip=0.9), form=height / width, rotation=20.0, crop_form=99)
    theirs = functional.resize(functional.rotate(taken, 20.0, BILINEAR), list(SIZE), BILINEAR, antialias=True)
    assert (found - theirs).abs().mean() < 0.003 and (found - theirs).abs().max() < 0.05
    if height / width != 2:
        naive = functional.rotate(stored, 20.0, BILINEAR)
        assert (found - naive).abs().mean() > 0.01


def test_a_crop_of_a_picture_of_another_form() -> None:
    """A square picture: the box keeps the form of the view in pixels of the picture as it was taken."""
    boxes = crop_boxes(uniforms(0, 0, range(200))[:, 5:-2], torch.full((200,), 1.0), SIZE, (0.2, 0.4), 1.25)
    forms = boxes[:, 2] / boxes[:, 3]  # of a square picture, in the picture's own units
    assert forms.min() >= 0.5 / 1.25 - 1e-5 and forms.max() <= 0.5 * 1.25 + 1e-5
    areas = boxes[:, 2] * boxes[:, 3]
    assert areas.min() >= 0.2 - 1e-5 and areas.max() <= 0.4 + 1e-5


# ---- nothing depends on batch, order, workers or memory


def by_place(split: pl.data.Split, epoch: int = 0, **changes: Any) -> dict[int, tuple[Tensor, Tensor]]:
    everything = dict(jitter=(0.2, 0.2, 0.2, 0.1), rotation=10.0, crop=(0.7, 0.95), crop_form=1.25, batch=4)
    pairs = SurrogatePairs(split, SIZE, PLAIN, settings(**{**everything, **changes}))
    return {
        place: (first, second)
        for index, a, b in pairs.epoch(epoch)
        for place, first, second in zip(index.tolist(), a, b, strict=True)
    }


def same(a: dict[int, tuple[Tensor, Tensor]], b: dict[int, tuple[Tensor, Tensor]]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(x, y) for i in a for x, y in zip(a[i], b[i], strict=True))


@pytest.fixture(scope="module")
def few() -> pl.data.Split:
    return pl.data.PaperDolls("target", identities=5, test_identities=4).unlabelled().take(range(11))


@pytest.mark.parametrize(
    "changes", [{"batch": 3}, {"batch": 11}, {"image_memory": 0}, {"workers": 2, "image_memory": 0}]
)
def test_batch_memory_and_workers_change_no_bit(few: pl.data.Split, changes: dict[str, Any], one_thread: None) -> None:
    assert same(by_place(few, 2), by_place(few, 2, **changes))


def test_what_is_drawn_elsewhere_changes_no_bit(few: pl.data.Split) -> None:
    first = by_place(few)
    torch.manual_seed(5)
    np.random.seed(5)
    assert same(first, by_place(few))
    state = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]
    by_place(few)
    assert torch.equal(state[0], torch.get_rng_state())
    assert (state[1] == np.random.get_state()[1]).all()  # type: ignore[index]


def test_seed_and_epoch_reach_every_surrogate(few: pl.data.Split) -> None:
    """With one and the same order of the images: it is the views that differ."""
    base = by_place(few, seed=1)
    for other in (by_place(few, seed=2), by_place(few, 1, seed=1)):
        assert not any(torch.equal(base[i][1], other[i][1]) for i in base)
        changed = [not torch.equal(base[i][0], other[i][0]) for i in base]
        assert any(changed) and not all(changed)  # an original is mirrored or not


# ---- the settings


@pytest.mark.parametrize("u", [0.0, 1.0])
def test_surrogates_are_made_as_the_settings_say(few: pl.data.Split, u: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends of every range: each setting reaches the views that a run learns from."""
    sign = 2 * u - 1
    plain = by_place(few, **NONE)
    first = next(iter(plain))
    still = originals(torch.stack([(plain[first][0] * 255).round().byte()]), SIZE, PLAIN)

    def drawn(**columns: float) -> Callable[..., Tensor]:
        columns = {"flip": 0.9, "flip_original": 0.9, **columns}
        return lambda seed, epoch, places, count=DRAWS: draws(len(places), **columns)

    monkeypatch.setattr(loading, "uniforms", drawn())
    (x, _) = by_place(few, **NONE)[first]
    assert torch.equal(x, still[0]) or torch.equal(x, still[0].flip(-1))
    jitter = (0.1, 0.2, 0.3, 0.05)
    for i, name in enumerate(("brightness", "contrast", "saturation")):
        monkeypatch.setattr(loading, "uniforms", drawn(**{name: u}))
        found = by_place(few, **{**NONE, "jitter": jitter})[first][1]
        assert (found - ADJUST[name](x, 1 + sign * jitter[i])).abs().max() < 3e-4
    monkeypatch.setattr(loading, "uniforms", drawn(hue=u))
    found = by_place(few, **{**NONE, "jitter": jitter})[first][1]
    turned = jittered(x[None], hue_matrices(torch.tensor([sign * 0.05])), torch.zeros(1))[0]
    assert torch.allclose(found, turned, atol=2e-5)
    monkeypatch.setattr(loading, "uniforms", drawn(angle=u))
    found = by_place(few, **{**NONE, "rotation": 7.0})[first][1]
    theirs = functional.rotate(x, 7.0 * sign, BILINEAR)
    assert (found - theirs)[:, 2:-2, 2:-2].abs().max() < 2e-3
    for columns, changes, area, form in (
        ({"share": u}, {"crop": (0.6, 0.8), "crop_form": 1}, (0.6, 0.8)[int(u)], 0.5),
        ({"form": u}, {"crop": (0.5, 0.5), "crop_form": 1.2}, 0.5, 0.5 * 1.2**sign),
    ):
        monkeypatch.setattr(loading, "uniforms", drawn(**columns))
        found = by_place(few, **{**NONE, **changes})[first][1]
        height, width = math.sqrt(area * 128 * 64 / form), math.sqrt(area * 128 * 64 * form)
        grid = torch.stack(
            torch.meshgrid(
                (torch.arange(128) + 0.5) / 128 * height + (128 - height) / 2,
                (torch.arange(64) + 0.5) / 64 * width + (64 - width) / 2,
                indexing="ij",
            ),
            -1,
        )
        assert (found - read_at(x, grid)).abs().max() < 1e-4


def read_at(x: Tensor, grid: Tensor) -> Tensor:
    """A picture (3, h, w) at points (H, W, 2) in pixels, down and across, by the formula of bilinear interpolation."""
    y, x0 = (grid - 0.5).unbind(-1)
    top, left = y.floor().long(), x0.floor().long()
    down, across = y - top, x0 - left
    return sum(
        x[:, top + i, left + j] * (down if i else 1 - down) * (across if j else 1 - across)
        for i in (0, 1)
        for j in (0, 1)
    )  # type: ignore[return-value]
