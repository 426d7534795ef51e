"""Exercises of chapter 12: a loss of one's own, and the map of another backbone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import log
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..exercise import Exercise, expect

Loss = Callable[..., Any]
ToMap = Callable[..., Any]


def camera_entropy(features: Tensor, memory: Tensor, index: Tensor, cameras: Tensor, scale: float) -> Tensor:
    """How far the neighbours of patches are from being shared by all cameras: the book's own answer."""
    gap = features[:, None] - memory.detach()  # B N P D
    logits = -scale * gap.square().sum(-1).transpose(1, 2)  # B P N
    own = F.one_hot(index, len(memory)).bool()[:, None]  # B 1 N
    a = logits.masked_fill(own, -torch.inf).softmax(-1)
    q = a @ F.one_hot(cameras).float()  # B P cameras
    return log(q.shape[-1]) + (q * q.clamp(min=1e-9).log()).sum(-1).mean()


def tokens_to_map(tokens: Tensor, prefix: int, rows: int, columns: int) -> Tensor:
    """Patch tokens as a map (B, C, H, W): the book's own answer."""
    return tokens[:, prefix:].transpose(1, 2).unflatten(2, (rows, columns))


def at(*squared: float) -> Tensor:
    """Memory entries of one patch, (n, 1, 2), at these squared distances from the origin."""
    return torch.tensor([[[value**0.5, 0.0]] for value in squared])


ORIGIN = torch.zeros(1, 1, 2)
FIRST = torch.tensor([0])


def value(loss: Loss, *given: Any) -> float:
    """The loss as a number."""
    found = torch.as_tensor(loss(*given))
    expect(found.numel() == 1, f"Yours has the shape {tuple(found.shape)}. A loss is one number: is a mean missing?")
    return float(found)


def near(found: float, wanted: float) -> bool:
    """Equal, but for rounding."""
    return abs(found - wanted) < 1e-3


def one_camera_is_worst(loss: Loss) -> None:
    """All neighbours by one camera: log of the number of cameras."""
    memory, cameras = at(0.0, 1.0, 1.0, 1.0), torch.tensor([1, 0, 0, 0])
    found = value(loss, ORIGIN, memory, FIRST, cameras, 4.0)
    says = f"Two cameras, and all neighbours are by camera 0: the loss should be log 2 = 0.693. Yours is {found:.3f}."
    _no_nan(loss, found, says)
    expect(not near(found, log(2) + 3 * log(3)), f"{says} Over which axis is your softmax? Three shares add up to 3.")
    expect(not near(found, -log(2)), f"{says} The size is right. Would training raise or lower it?")
    expect(not near(found, 1), f"{says} That is the answer in bits; log is the natural one here.")
    expect(not near(found, log(4)), f"{says} That is log 4: count the cameras, not the images.")
    expect(not near(found, 0), f"{says} That is minus the entropy alone. What does the formula put before it?")
    expect(
        not near(found, log(2) - log(3)),
        f"{says} The three images share alike, but their cameras do not: add up first.",
    )
    expect(near(found, log(2)), f"{says} The image's own entry, by camera 1 and at distance 0, must not take part.")


def _no_nan(loss: Loss, found: float, says: str) -> None:
    """Two causes of NaN: a camera without a share, or a softmax over an axis where everything is left out."""
    both = value(loss, ORIGIN, at(0.0, 1.0, 1.0), FIRST, torch.tensor([0, 0, 1]), 4.0)
    axis = "It is NaN where both cameras have a share, too: over which axis do your shares add up to 1?"
    expect(found == found or both == both, f"{says} {axis}")
    expect(found == found, f"{says} One camera has the share 0: what is 0 times the logarithm of 0 in floats?")


def own_row_goes_by_index(loss: Loss) -> None:
    """The own entry is memory[index], wherever the image stands in the batch."""
    memory, cameras = at(1.0, 1.0, 0.0), torch.tensor([0, 0, 1])
    found = value(loss, ORIGIN, memory, torch.tensor([2]), cameras, 4.0)
    says = f"Row 2 is the image's own, and index says so, but yours gives {found:.3f} instead of 0.693."
    expect(near(found, log(2)), f"{says} Which row did you leave out?")


def nearer_counts_more(loss: Loss) -> None:
    """The shares are a softmax of minus scale times squared distance."""
    memory, cameras = at(0.0, 0.2, 0.7, 0.7), torch.tensor([0, 0, 1, 1])
    for scale in (1.0, 3.0):
        e = torch.tensor([[-0.2, -0.7, -0.7]]).mul(scale)
        wanted = _two(e.softmax(1)[0, 0])
        found = value(loss, ORIGIN, memory, FIRST, cameras, scale)
        says = f"One neighbour by camera 0 at 0.2, two by camera 1 at 0.7 (squared), scale {scale:g}: {wanted:.3f}, "
        says += f"but yours is {found:.3f}."
        expect(
            not near(found, 2 * log(2) - wanted), f"{says} That is log n plus the entropy: q log q is below 0 as it is."
        )
        expect(not near(found, _two((-e).softmax(1)[0, 0])), f"{says} With yours the farthest have the largest share.")
        roots = (-scale * torch.tensor([0.2, 0.7, 0.7]).sqrt()).softmax(0)
        expect(not near(found, _two(roots[0])), f"{says} Are the distances squared?")
        expect(not near(found, _two(torch.tensor(1 / 3))), f"{says} All three count alike with yours, near or far.")
        one = torch.tensor([-0.2, -0.7, -0.7]).softmax(0)
        expect(scale == 1 or not near(found, _two(one[0])), f"{says} That is the value for scale 1.")
        expect(near(found, wanted), f"{says} Look at the shares: softmax over the other images of -scale d².")


def cameras_are_not_divided(loss: Loss) -> None:
    """A camera's share is a sum: one with more images has more."""
    memory, cameras = at(9.0, 0.5, 0.5, 0.5), torch.tensor([0, 0, 0, 1])
    found, wanted = value(loss, ORIGIN, memory, FIRST, cameras, 2.0), _two(torch.tensor(2 / 3))
    says = f"Two neighbours by camera 0, one by camera 1, equally far: {wanted:.3f}, but yours is {found:.3f}."
    divided = [_two(torch.tensor(0.4)), 0.0]  # by the images of each camera, with the own one and without
    expect(
        not any(near(found, each) for each in divided), f"{says} The formula adds up shares; it divides by no count."
    )
    expect(near(found, wanted), f"{says} The shares of the cameras are 2/3 and 1/3.")


def _two(q: Tensor) -> float:
    """The loss for two cameras with the shares q and 1 - q."""
    return log(2) + float(torch.xlogy(q, q) + torch.xlogy(1 - q, 1 - q))


def each_patch_for_itself(loss: Loss) -> None:
    """Patch p meets patch p, and the entropy comes before the mean over the patches."""
    x = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    memory = torch.tensor([[[1.0, 0], [0, 1]], [[1.0, 0], [0, -1]], [[-1.0, 0], [0, 1]]])  # own, camera 0, camera 1
    found = value(loss, x, memory, FIRST, torch.tensor([0, 0, 1]), 20.0)
    says = f"Patch 0 sees camera 0 only, patch 1 camera 1 only: the mean loss is 0.693, yours {found:.3f}."
    double = near(found, 2 * log(2))
    expect(not double, f"{says} A sum over patches or images grows with their number; the formula has a mean.")
    side_by_side = near(found, 0) and near(
        value(loss, x[:, :1], memory[:, :1], FIRST, torch.tensor([0, 0, 1]), 20.0), log(2)
    )
    both = near(value(loss, *_tilted()), _two(torch.tensor([-2.0, -3.0]).softmax(0)[0]))
    expect(not (side_by_side and both), f"{says} Side by side the two balance each other. Compare patch with patch.")
    expect(near(found, log(2)), f"{says} You mixed the patches' shares before taking the entropy.")


def _tilted() -> tuple[Any, ...]:
    """Two patches whose distances add up to 2 and 3: tells one long vector from two patches."""
    x = torch.zeros(1, 2, 2)
    memory = torch.zeros(3, 2, 2)
    memory[1, :, 0], memory[2, :, 0] = torch.tensor([2.0, 0.0]).sqrt(), torch.tensor([0.0, 3.0]).sqrt()
    return x, memory, FIRST, torch.tensor([0, 0, 1]), 1.0


def each_image_for_itself(loss: Loss) -> None:
    """The entropy comes before the mean over the batch."""
    x = torch.tensor([[[1.0, 0.0]], [[-1.0, 0.0]]])
    memory = torch.tensor([[[0.0, 1.0]], [[0.0, -1.0]], [[1.0, 0.0]], [[-1.0, 0.0]]])
    found = value(loss, x, memory, torch.tensor([0, 1]), torch.tensor([0, 1, 0, 1]), 20.0)
    says = f"One image sees camera 0 only, the other camera 1 only: the mean loss is 0.693, yours {found:.3f}."
    expect(near(found, log(2)), f"{says} Over the batch the two balance, but each is bad: entropy first, then mean.")


def finite_at_large_scale(loss: Loss) -> None:
    """Neither value nor slope may overflow, underflow or be NaN."""
    memory, cameras = at(0.0, 1.0, 1.5, 2.0), torch.tensor([1, 0, 1, 0])
    x = ORIGIN.clone().requires_grad_()
    found = torch.as_tensor(loss(x, memory, FIRST, cameras, 1000.0))
    fine = bool(found.isfinite().all())
    expect(fine, "With scale 1000 the value is not finite: every exp(-1000 d²) is 0. softmax subtracts the largest.")
    expect(found.requires_grad, "No gradient reaches the features: the network cannot learn from this.")
    (slope,) = torch.autograd.grad(found, x)
    expect(bool(slope.isfinite().all()), "The value is fine, the slope is NaN: log has an infinite slope at share 0.")


def moves_features_only(loss: Loss) -> None:
    """The memory is data; the features get a slope that is not zero."""
    x = torch.tensor([[[0.3, 0.1]]], requires_grad=True)
    memory = at(0.0, 0.2, 0.7, 0.9).requires_grad_()
    found = torch.as_tensor(loss(x, memory, FIRST, torch.tensor([0, 0, 1, 1]), 2.0))
    slopes = torch.autograd.grad(found, (x, memory), allow_unused=True)
    expect(slopes[0] is not None and bool(slopes[0].any()), "The slope at the features is 0: nothing is learned.")
    expect(slopes[1] is None or not bool(slopes[1].any()), "A gradient flows into the memory, which is data.")


def numbered(images: int, tokens: int, channels: int) -> Tensor:
    """Tokens whose value tells where they come from: 1000 image + 10 token + channel."""
    b, t, c = torch.meshgrid(*(torch.arange(float(n)) for n in (images, tokens, channels)), indexing="ij")
    return 1000 * b + 10 * t + c


def tried(to_map: ToMap, *given: Any) -> Tensor | None:
    """The map as a tensor, or None if it stops with an error."""
    with suppress(Exception):
        return torch.as_tensor(to_map(*given))
    return None


def shape_is_a_map(to_map: ToMap) -> None:
    """(B, C, rows, columns), for a grid that is not square."""
    tokens = numbered(2, 7, 5)
    square = tried(to_map, numbered(2, 5, 5), 1, 2, 2)
    found = tried(to_map, tokens, 1, 3, 2)
    expect(
        found is not None or square is None, "On 2 x 2 cells it works, on 3 x 2 it stops. People are taller than wide."
    )
    shape = tuple(to_map(tokens, 1, 3, 2).shape)
    says = f"From 2 images, 5 channels, 3 rows and 2 columns yours makes {shape}."
    expect(shape != (2, 3, 2, 5), f"{says} The channels stand last; the library wants (B, C, H, W).")
    expect(shape != (2, 5, 2, 3), f"{says} Height comes before width.")
    expect(shape[0] == 2, f"{says} An image is missing: which axis holds the tokens?")
    expect(shape == (2, 5, 3, 2), f"{says} Expected (2, 5, 3, 2).")


def cells_are_in_their_places(to_map: ToMap) -> None:
    """Token prefix + row * columns + column stands at (row, column), with all its channels."""
    found = torch.as_tensor(to_map(numbered(1, 7, 5), 1, 3, 2))[0]
    channel = found[0]
    shown = f"Channel 0 of your map is {channel.long().tolist()}; each number is 10 times the token's."
    expect(abs(float(found[1, 0, 0] - found[0, 0, 0])) < 5 or bool((found.abs() <= 1).all()),
           f"{shown} Channels and cells are mixed up: reshape alone does not swap axes.")  # fmt: skip
    expect(not bool((found.abs() <= 1).all()), f"{shown} The values were changed; a map takes them as they are.")
    expect(float(channel[0, 0]) != 0, f"{shown} The prefix token 0 stands in the first cell: every cell is shifted.")
    expect(float(channel[0, 0]) != 50, f"{shown} The first row stands at the bottom.")
    expect(float(channel[0, 1]) != 40, f"{shown} A ViT counts along a row first, then goes to the next one.")
    exact = channel.long().tolist() == [[10, 20], [30, 40], [50, 60]]
    expect(exact, f"{shown} Expected [[10, 20], [30, 40], [50, 60]].")


def any_number_of_prefix_tokens(to_map: ToMap) -> None:
    """Five or none."""
    for prefix in (5, 0):
        found = tried(to_map, numbered(1, 6 + prefix, 2), prefix, 3, 2)
        expect(found is not None, f"With {prefix} prefix tokens it stops. Some networks have none, some have five.")
        cells = torch.as_tensor(found)[0, 0].long().tolist()
        wanted = [[10 * (prefix + 2 * r + c) for c in range(2)] for r in range(3)]
        says = f"With {prefix} prefix tokens the first cell holds token {cells[0][0] // 10}."
        expect(cells[0][0] != 10, f"{says} One was dropped, whatever was asked for.")
        expect(cells == wanted, f"{says} Expected token {prefix}, and the others after it.")


def prefix_has_no_say(to_map: ToMap) -> None:
    """What stands in the prefix tokens changes nothing."""
    tokens = numbered(1, 7, 2)
    other = tokens.clone()
    other[:, 0] += 500
    same = torch.equal(torch.as_tensor(to_map(tokens, 1, 3, 2)), torch.as_tensor(to_map(other, 1, 3, 2)))
    expect(same, "Another prefix token, another map: it was mixed into the cells.")


def refuses_what_does_not_fit(to_map: ToMap) -> None:
    """Too many tokens, or too few, is an error, not another map."""
    says = {
        7: "and yours says nothing. Too many is a sign of a wrong prefix.",
        9: "and yours adds a column. -1 takes whatever is there; name both sizes.",
        8: "and yours adds a row. -1 takes whatever is there; name both sizes.",
        3: "and yours makes a map of them all the same.",
    }
    for count, words in says.items():
        found = tried(to_map, numbered(1, count + 1, 2), 1, 3, 2)
        expect(found is None, f"{count} patch tokens for 6 cells, {words}")


def lets_the_gradient_through(to_map: ToMap) -> None:
    """The backbone must be able to learn."""
    tokens = numbered(1, 7, 2).requires_grad_()
    expect(
        torch.as_tensor(to_map(tokens, 1, 3, 2)).requires_grad, "The map has no gradient: no backbone learns from it."
    )


EXERCISES = (
    Exercise(
        "camera_entropy",
        12,
        camera_entropy,
        (
            one_camera_is_worst,
            own_row_goes_by_index,
            nearer_counts_more,
            cameras_are_not_divided,
            each_patch_for_itself,
            each_image_for_itself,
            finite_at_large_scale,
            moves_features_only,
        ),
        example=(torch.zeros(1, 1, 2), at(0.0, 1.0, 2.0), FIRST, torch.tensor([0, 0, 1]), 4.0),
    ),
    Exercise(
        "tokens_to_map",
        12,
        tokens_to_map,
        (
            shape_is_a_map,
            cells_are_in_their_places,
            prefix_has_no_say,
            any_number_of_prefix_tokens,
            refuses_what_does_not_fit,
            lets_the_gradient_through,
        ),
        example=(torch.zeros(1, 7, 2), 1, 3, 2),
    ),
)
