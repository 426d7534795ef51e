"""Exercise 12.2: the map of another backbone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, expect

ToMap = Callable[..., Any]


def tokens_to_map(tokens: Tensor, prefix: int, rows: int, columns: int) -> Tensor:
    """Patch tokens as a map (B, C, H, W): the book's own answer."""
    return tokens[:, prefix:].transpose(1, 2).unflatten(2, (rows, columns))


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


def by_folding(tokens: Tensor, prefix: int, rows: int, columns: int) -> Tensor:
    """PyTorch's ``fold`` with windows of one cell."""
    return F.fold(tokens[:, prefix:].transpose(1, 2), (rows, columns), kernel_size=1)


def some_tokens(draw: Draw) -> tuple[Any, ...]:
    """B images of C channels."""
    b, c, rows, columns, prefix = sizes(draw, 5)
    return numbers(draw, b, prefix + rows * columns, c), prefix, rows, columns


EXERCISES = (
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
            agrees(by_folding, some_tokens, slopes=(0,)),
        ),
        example=lambda: (torch.zeros(1, 7, 2), 1, 3, 2),
    ),
)
