"""Exercises of the five-hour assignment: how much two patches share, and how right a patch's neighbours are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isclose
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import box_iou

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, Wrong, expect

Overlap = Callable[[Tensor, Tensor], Any]
Purity = Callable[[Tensor, Tensor, Tensor, int], Any]


def overlap(a: Tensor, b: Tensor) -> float:
    """Intersection over union of two patches without shear, (2, 3) each: the book's own answer.

    >>> round(overlap(theta(sy=0.5), theta(sy=0.5, ty=0.5)), 3)  # half of each
    0.333
    """
    middle, half = torch.stack([a[:, 2], b[:, 2]]), torch.stack([a[:, :2].diag(), b[:, :2].diag()]).abs()
    sides = (middle + half).amin(0) - (middle - half).amax(0)  # of what they share
    shared = float(sides.clamp(min=0).prod())
    return shared / (float(4 * half.prod(1).sum()) - shared)


def patch_purity(features: Tensor, memory: Tensor, pids: Tensor, k: int) -> Tensor:
    """Share of the K nearest entries of other images that are the same person, for each patch: the book's own answer.

    >>> x = torch.tensor([[[1.0, 0.0]], [[1.0, 0.1]], [[0.0, 1.0]]])
    >>> patch_purity(x, x, torch.tensor([5, 5, 7]), k=1)
    tensor([0.6667])
    """
    distances = torch.cdist(features.transpose(0, 1), memory.transpose(0, 1))  # P N N
    distances.diagonal(dim1=1, dim2=2).fill_(torch.inf)  # the own entry
    near = distances.topk(k, largest=False).indices  # P N K
    return (pids[near] == pids[:, None]).float().mean((1, 2))


def theta(sx: float = 1, sy: float = 1, tx: float = 0, ty: float = 0) -> Tensor:
    """A patch without shear."""
    return torch.tensor([[sx, 0, tx], [0, sy, ty]], dtype=torch.float32)


def shared(answer: Overlap, a: Tensor, b: Tensor) -> float:
    """What the reader's function makes of two patches, as a number."""
    found = torch.as_tensor(answer(a, b), dtype=torch.float64)
    expect(found.numel() == 1, f"Two patches have one overlap. Yours gives {found.numel()} numbers.")
    return float(found)


def a_patch_and_itself(answer: Overlap) -> None:
    """All of it is shared."""
    stripe = theta(sy=1 / 3)
    found = shared(answer, stripe, stripe)
    said = f"A patch and itself share all: 1. Yours gives {found:.2f}."
    expect(not isclose(found, 100, rel_tol=1e-4), f"{said} A share lies in 0..1, not in percent.")
    expect(not isclose(found, 0, abs_tol=1e-4), f"{said} Is it how much they differ?")
    expect(not isclose(found, 0.5, rel_tol=1e-4), f"{said} In the union, what both have counts once.")
    expect(not isclose(found, 4 / 3, rel_tol=1e-4), f"{said} That is the area they share. Divide by that of the union.")


def patches_apart(answer: Overlap) -> None:
    """Nothing is shared if one lies below or beside the other."""
    below = shared(answer, theta(sy=0.3), theta(sy=0.3, ty=0.8))
    beside = shared(answer, theta(sx=0.3), theta(sx=0.3, tx=0.8))
    still = isclose(below, 1, rel_tol=1e-4) and isclose(beside, 1, rel_tol=1e-4)
    hint = "A patch that is moved away, down or aside, still shares all. In which column of theta does the shift stand?"
    expect(not still, hint)
    expect(not isclose(below, 1, rel_tol=1e-4), "A patch below the other shares all with it. Do you look at y?")
    expect(not isclose(beside, 1, rel_tol=1e-4), "A patch beside the other shares all with it. Do you look at x?")
    hint = "Two patches with a gap between them share less than nothing in yours. Cut a negative side off at 0."
    expect(below >= 0 and beside >= 0, hint)
    hint = "Flat patches, one below the other with a gap, overlap in yours. Which scale belongs to which axis?"
    expect(isclose(below, 0, abs_tol=1e-4), hint)
    expect(isclose(beside, 0, abs_tol=1e-4), "Two patches side by side, with a gap between them, overlap in yours.")


def one_inside_the_other(answer: Overlap) -> None:
    """A quarter of the large one, seen from either side."""
    large, small = theta(), theta(sx=0.5, sy=0.5)
    outside, inside = shared(answer, large, small), shared(answer, small, large)
    said = "A patch in the middle of the map covers a quarter of it."
    both = isclose(outside, 1, rel_tol=1e-4) and isclose(inside, 1, rel_tol=1e-4)
    expect(not both, f"{said} Yours gives 1: it divides by the smaller one. The union is what either has.")
    hint = f"{said} Map and patch give {outside:.2f}, patch and map {inside:.2f}. You divide by the first one."
    expect(isclose(outside, inside, rel_tol=1e-4), hint)


def part_of_each(answer: Overlap) -> None:
    """Two stripes that share half of each: 1/3."""
    found = shared(answer, theta(sy=1 / 3), theta(sy=1 / 3, ty=1 / 3))
    said = f"Two equal stripes, one half a stripe lower: they share 1/3. Yours gives {found:.2f}."
    hint = f"{said} A scale of s reaches s to EITHER side of the middle, for the map is 2 high."
    expect(not isclose(found, 0, abs_tol=1e-4), hint)
    found = shared(answer, theta(sy=0.5), theta(sy=0.25, ty=0.5))
    said = f"A patch with y in -0.5..0.5 and one with y in 0.25..0.75 share 0.2. Yours gives {found:.2f}."
    expect(not isclose(found, 0.5, rel_tol=1e-4), f"{said} The shift is the middle of a patch, not its edge.")
    expect(isclose(found, 0.2, rel_tol=1e-4), said)


def mirrored(answer: Overlap) -> None:
    """A negative scale reads the patch the other way round."""
    found = shared(answer, theta(sx=-0.5), theta(sx=0.5))
    hint = f"Scale -0.5 is the mirror image of scale 0.5, in the same place: they share all. Yours gives {found:.2f}."
    expect(isclose(found, 1, rel_tol=1e-4), hint)


def at(*degrees: float) -> Tensor:
    """Unit vectors at these angles, (N, 2)."""
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], -1)


def purity(answer: Purity, features: Tensor, memory: Tensor, pids: Sequence[int], k: int) -> list[float]:
    """What the reader's function gives, one number a patch.

    Raises:
        Wrong: another shape.
    """
    try:
        found = answer(features, memory, torch.tensor(pids), k)
        numbers = torch.as_tensor(found, dtype=torch.float64)
    except (RuntimeError, IndexError) as error:
        sizes = "features and memory (N, P, D), pids (N,)"
        raise Wrong(f"With {sizes} it stops: {str(error).splitlines()[0]}. Print the shapes on the way.") from error
    images, patches = features.shape[:2]
    expect(numbers.numel() != 1, f"{patches} patches, and yours gives one number. Each patch has a purity of its own.")
    expect(numbers.numel() != images, "It gives a number for each image. Average over images, and keep the patches.")
    expect(numbers.numel() == patches, f"{patches} patches should give {patches} numbers, yours {numbers.numel()}.")
    return [float(number) for number in numbers.flatten()]


def alike(found: list[float], wanted: Any) -> bool:
    """Equal up to rounding."""
    return all(isclose(a, float(b), abs_tol=1e-4) for a, b in zip(found, wanted, strict=True))


PEOPLE = (1, 1, 1, 2, 2, 2)


def apart() -> Tensor:
    """Six images: patch 0 tells the two people apart; patch 1 lies near somebody else's."""
    return torch.stack([at(0, 5, 11, 180, 186, 193), at(0, 120, 240, 3, 123, 243)], 1)


def neighbours_of_a_patch(answer: Purity) -> None:
    """Patch 0 is always right, patch 1 never."""
    found = purity(answer, apart(), apart(), PEOPLE, 2)
    said = f"Patch 0 has two right neighbours everywhere, patch 1 none: 1 and 0. Yours: {found[0]:.2f}, {found[1]:.2f}."
    for wrong, hint in PURITIES.items():
        expect(not alike(found, wrong), f"{said} {hint}")


PURITIES = {
    (100, 0): "A share lies in 0..1, not in percent.",
    (2, 0): "You count the right ones. Divide by K.",
    (1, 0.5): "An image is its own neighbour. Leave its own entry out.",
    (0, 0): "Do you leave out all entries of the person? Leave out the image's own entry only.",
    (
        1,
        1,
    ): "Both patches have the same neighbours. Find the neighbours of each patch by itself and not of the whole image.",
    (0, 0.5): "Nearest means the smallest distance.",
}


def k_neighbours(answer: Purity) -> None:
    """Of K neighbours."""
    one, four = purity(answer, apart(), apart(), PEOPLE, 1)[0], purity(answer, apart(), apart(), PEOPLE, 4)[0]
    said = "Patch 0: the two nearest are right, the next two wrong."
    expect(not isclose(one, 0.5), f"{said} With K = 1 it is 1, yours 0.5. Divide by K, not by how many could be found.")
    expect(
        isclose(four, 0.5, abs_tol=1e-4), f"{said} With K = 4 it is 0.5, yours {four:.2f}. Does your function use K?"
    )


def patches_keep_to_themselves(answer: Purity) -> None:
    """Other patches' entries have no say."""
    mixed = torch.stack([apart()[:, 0], at(181, 187, 194, 1, 6, 12)], 1)
    found = purity(answer, mixed, mixed, PEOPLE, 2)
    hint = (
        "Patch 1 of some people looks like patch 0 of others, and yours mixes them. Compare patch p with patch p only."
    )
    expect(alike(found, (1, 1)), hint)


def from_features_to_memory(answer: Purity) -> None:
    """The features ask, the memory answers."""
    swapped = apart().roll(1, 1)  # patch 0 knows nobody, patch 1 everybody
    found = purity(answer, swapped, apart(), PEOPLE, 2)
    features_alone = patch_purity(swapped, swapped, torch.tensor(PEOPLE), 2)
    memory_alone = patch_purity(apart(), apart(), torch.tensor(PEOPLE), 2)
    hint = "Features are compared with features. The entries of the memory are what a feature is compared with."
    expect(not alike(found, features_alone), hint)
    hint = "Entries are compared with entries. Compare the features of the images with the entries of the memory."
    expect(not alike(found, memory_alone), hint)


def old_own_entries(answer: Purity) -> None:
    """The own entry is at its own row, wherever it lies."""
    features = torch.stack([at(0, 10, 180, 190)] * 2, 1)
    stale = torch.stack([at(90, 4, 270, 184)] * 2, 1)  # the own entries of the first and third are far away
    found = purity(answer, features, stale, [1, 1, 2, 2], 1)
    hint = "A memory is older than the features, so the own entry need not be the nearest. Leave it out by its row."
    expect(alike(found, patch_purity(features, stale, torch.tensor([1, 1, 2, 2]), 1)), hint)


def short_entries(answer: Purity) -> None:
    """Entries are no unit vectors."""
    long = torch.stack([at(0, 0, 45)] * 2, 1) * torch.tensor([1, 0.6, 1])[:, None, None]
    short = torch.stack([at(0, 0, 30)] * 2, 1) * torch.tensor([1, 0.3, 1])[:, None, None]
    people = torch.tensor([1, 1, 2])
    asked = torch.stack([at(0, 0, 180)] * 2, 1)
    hint = "A short entry in the same direction lost against a long one at 45 degrees, which is farther. You take the"
    words = f"{hint} largest scalar products: they rank as distances do only if all entries have length 1."
    expect(alike(purity(answer, asked, long, [1, 1, 2], 1), patch_purity(asked, long, people, 1)), words)
    hint = "An entry of length 0.3 is far from a unit vector even in its own direction. Yours does not see the length:"
    words = f"{hint} do not normalise the memory."
    expect(alike(purity(answer, asked, short, [1, 1, 2], 1), patch_purity(asked, short, people, 1)), words)


def by_boxes(a: Tensor, b: Tensor) -> Tensor:
    """The same by torchvision, which calls patches boxes and knows their corners."""
    ends = [theta[:, 2:] + theta[:, :2].diag().abs()[:, None] * torch.tensor([-1.0, 1.0]) for theta in (a, b)]
    return box_iou(ends[0].T.reshape(1, 4), ends[1].T.reshape(1, 4))


def one_number(found: Any, *_: Tensor) -> Tensor:
    """The overlap, whatever holds it."""
    return torch.as_tensor(found).sum()


def some_patches(draw: Draw) -> tuple[Tensor, Tensor]:
    """Two patches, each mirrored or not along each axis, on the map, beyond its edge, or apart."""
    signs = draw.choice([-1.0, 1.0], (2, 2))
    scales, shifts = signs * draw.uniform(0.2, 0.9, (2, 2)), draw.uniform(-1.2, 1.2, (2, 2))
    one, two = (theta(*map(float, (*scales[n], *shifts[n]))) for n in range(2))
    return one, two


def patch_by_patch(features: Tensor, memory: Tensor, pids: Tensor, k: int) -> Tensor:
    """The same, one patch of one image at a time."""
    count, patches, _ = features.shape
    shares = torch.zeros(patches)
    for p in range(patches):
        for i in range(count):
            d2 = {j: float((features[i, p] - memory[j, p]).square().sum()) for j in range(count) if j != i}
            near = sorted(d2, key=d2.__getitem__)[:k]
            shares[p] += sum(int(pids[j] == pids[i]) for j in near) / k / count
    return shares


def some_people(draw: Draw) -> tuple[Any, ...]:
    """N images with P patches of four people."""
    p, d, k = sizes(draw, 3)
    n = p + d + k + 5
    return numbers(draw, n, p, d), numbers(draw, n, p, d), torch.from_numpy(draw.integers(0, 4, n)), k


EXERCISES = (
    Exercise(
        "overlap",
        0,
        overlap,
        (
            a_patch_and_itself,
            patches_apart,
            one_inside_the_other,
            part_of_each,
            mirrored,
            agrees(by_boxes, some_patches, times=50, view=one_number),
        ),
        example=lambda: (theta(), theta()),
        assignment="assignment_05",
        points=6,
    ),
    Exercise(
        "patch_purity",
        0,
        patch_purity,
        (
            neighbours_of_a_patch,
            patches_keep_to_themselves,
            k_neighbours,
            from_features_to_memory,
            old_own_entries,
            short_entries,
            agrees(patch_by_patch, some_people, view=lambda found, *_: torch.as_tensor(found).flatten()),
        ),
        example=lambda: (apart(), apart(), torch.tensor(PEOPLE), 2),
        assignment="assignment_05",
        points=6,
    ),
)
