"""Wrong answers to the five-hour assignment's exercises, each another misconception. Written before the properties."""

import torch
import torch.nn.functional as F
from paulbook.exercises.assignment_05 import overlap, patch_purity
from torch import Tensor


def _sides(theta: Tensor, axis: int) -> tuple[float, float]:
    middle, half = float(theta[axis, 2]), abs(float(theta[axis, axis]))
    return middle - half, middle + half


def _along(a: Tensor, b: Tensor, axis: int) -> float:
    (a0, a1), (b0, b1) = _sides(a, axis), _sides(b, axis)
    return min(a1, b1) - max(a0, b0)


def _area(theta: Tensor) -> float:
    return 4 * abs(float(theta[0, 0] * theta[1, 1]))


def _shared(a: Tensor, b: Tensor) -> float:
    return max(0.0, _along(a, b, 0)) * max(0.0, _along(a, b, 1))


def of_the_smaller(a: Tensor, b: Tensor) -> float:
    """Divides by the smaller patch."""
    return _shared(a, b) / min(_area(a), _area(b))


def of_the_first(a: Tensor, b: Tensor) -> float:
    """Divides by the first patch: which share of it is covered."""
    return _shared(a, b) / _area(a)


def shift_is_the_edge(a: Tensor, b: Tensor) -> float:
    """Takes the shift for the left and upper edge."""
    moved = []
    for theta in (a, b):
        theta = theta.clone()
        theta[0, 2] += theta[0, 0].abs()
        theta[1, 2] += theta[1, 1].abs()
        moved.append(theta)
    return overlap(*moved)


def scale_is_the_width(a: Tensor, b: Tensor) -> float:
    """Takes the scale for the whole width and height."""
    half = torch.tensor([[0.5, 1, 1], [1, 0.5, 1]])
    return overlap(a * half, b * half)


def only_rows(a: Tensor, b: Tensor) -> float:
    """Looks at y alone, as if all patches were stripes."""
    shared = max(0.0, _along(a, b, 1))
    return shared / (2 * abs(float(a[1, 1])) + 2 * abs(float(b[1, 1])) - shared)


def only_columns(a: Tensor, b: Tensor) -> float:
    """Looks at x alone."""
    shared = max(0.0, _along(a, b, 0))
    return shared / (2 * abs(float(a[0, 0])) + 2 * abs(float(b[0, 0])) - shared)


def shift_from_the_shear(a: Tensor, b: Tensor) -> float:
    """Takes the shift from where the shear stands."""
    for theta in (a, b):
        assert theta.shape == (2, 3)
    still = torch.tensor([[1.0, 1, 0], [1, 1, 0]])
    return overlap(a * still, b * still)


def rows_swapped(a: Tensor, b: Tensor) -> float:
    """Takes the height for the width."""
    swapped = []
    for theta in (a, b):
        theta = theta.clone()
        theta[0, 0], theta[1, 1] = float(theta[1, 1]), float(theta[0, 0])
        swapped.append(theta)
    return overlap(*swapped)


def no_mirror(a: Tensor, b: Tensor) -> float:
    """A negative scale makes a negative width."""
    shared = 1.0
    for axis in (0, 1):
        ends = [(float(t[axis, 2] - t[axis, axis]), float(t[axis, 2] + t[axis, axis])) for t in (a, b)]
        shared *= max(0.0, min(end for _, end in ends) - max(begin for begin, _ in ends))
    return shared / (_area(a) + _area(b) - shared)


def percent(a: Tensor, b: Tensor) -> float:
    """Right, in percent."""
    return 100 * overlap(a, b)


def difference(a: Tensor, b: Tensor) -> float:
    """How much they differ."""
    return 1 - overlap(a, b)


def _squares(x: Tensor, w: Tensor) -> Tensor:
    """Squared distances of every feature and every entry, patch by patch: P N N."""
    return torch.cdist(x.transpose(0, 1), w.transpose(0, 1)).square()


def _without_own(scores: Tensor) -> Tensor:
    return scores.masked_fill(torch.eye(scores.shape[-1], dtype=torch.bool), torch.inf)


def _purity(scores: Tensor, pids: Tensor, k: int) -> Tensor:
    """Of the K lowest scores, (P, N, N)."""
    near = scores.topk(k, largest=False).indices
    return (pids[near] == pids[:, None]).float().mean((1, 2))


def farthest(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Takes the largest distances."""
    far = -_squares(x, w)
    return _purity(_without_own(far), pids, k)


def dot_products(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """The largest scalar products, as if entries had length 1."""
    return _purity(_without_own(-torch.einsum("ipd,jpd->pij", x, w)), pids, k)


def cosines(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Normalises the memory first."""
    return patch_purity(x, F.normalize(w, dim=-1), pids, k)


def whole_images(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """The nearest images, all patches side by side."""
    squares = _squares(x, w)
    return _purity(_without_own(squares.sum(0).expand_as(squares)), pids, k)


def any_patch(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Patch p meets all patches of the others."""
    images, patches, _ = w.shape
    squares = torch.cdist(x.transpose(0, 1), w.flatten(0, 1)).view(patches, images, images, patches)
    squares = squares.masked_fill(torch.eye(images, dtype=torch.bool)[None, :, :, None], torch.inf)
    near = squares.flatten(2).topk(k, largest=False).indices // patches
    return (pids[near] == pids[:, None]).float().mean((1, 2))


def one_number(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """The mean over patches."""
    return patch_purity(x, w, pids, k).mean()


def counts(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """How many of the K, on average."""
    return k * patch_purity(x, w, pids, k)


def in_percent(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Right, in percent."""
    return 100 * patch_purity(x, w, pids, k)


def share_of_mates(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Which share of the person's other images is among the K."""
    mates = (pids[:, None] == pids).sum(1) - 1
    near = _without_own(_squares(x, w)).topk(k, largest=False).indices
    return ((pids[near] == pids[:, None]).sum(2) / mates).mean(1)


def masks_the_person(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Leaves out all images of the same person, not only the own one."""
    return _purity(_squares(x, w).masked_fill(pids[:, None] == pids, torch.inf), pids, k)


def nearest_only(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Forgets K."""
    return patch_purity(x, w, pids, 1)


def features_only(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Compares features with features."""
    return patch_purity(x, x, pids, k)


def memory_only(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Compares entries with entries."""
    return patch_purity(w, w, pids, k)


def drops_the_first(x: Tensor, w: Tensor, pids: Tensor, k: int) -> Tensor:
    """Takes the nearest entry for the own one, though the memory is old."""
    near = _squares(x, w).topk(k + 1, largest=False).indices[..., 1:]
    return (pids[near] == pids[:, None]).float().mean((1, 2))


WRONG = {
    "overlap": (
        of_the_smaller,
        of_the_first,
        shift_is_the_edge,
        scale_is_the_width,
        only_rows,
        only_columns,
        shift_from_the_shear,
        rows_swapped,
        no_mirror,
        percent,
        difference,
    ),
    "patch_purity": (
        farthest,
        dot_products,
        cosines,
        whole_images,
        any_patch,
        one_number,
        counts,
        in_percent,
        share_of_mates,
        masks_the_person,
        nearest_only,
        features_only,
        memory_only,
        drops_the_first,
    ),
}


def in_tensors(a: Tensor, b: Tensor) -> Tensor:
    """Both axes at once."""
    halves = [theta[:, :2].diagonal().abs() for theta in (a, b)]
    low = torch.stack([t[:, 2] - h for t, h in zip((a, b), halves, strict=True)]).amax(0)
    high = torch.stack([t[:, 2] + h for t, h in zip((a, b), halves, strict=True)]).amin(0)
    shared = (high - low).clamp(min=0).prod()
    return shared / (sum(4 * h.prod() for h in halves) - shared)


def in_loops(x: Tensor, w: Tensor, pids: Tensor, k: int) -> list[float]:
    """Slowly, image by image."""
    images, patches, _ = x.shape
    found = []
    for p in range(patches):
        hits = 0
        for i in range(images):
            others = sorted((j for j in range(images) if j != i), key=lambda j: float((x[i, p] - w[j, p]).norm()))
            hits += sum(int(pids[j] == pids[i]) for j in others[:k])
        found.append(hits / (images * k))
    return found


OTHER_RIGHT = {"overlap": (in_tensors,), "patch_purity": (in_loops,)}
