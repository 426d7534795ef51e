"""Wrong answers to the exercises of chapter 6, each another misconception; and other right ones."""

import math

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]


def share(filled: Tensor, index: Tensor, momentum: float) -> Tensor:
    """The weight of the new feature in each row: 1 where nothing was stored."""
    return torch.where(filled[index], momentum, 1.0).view(-1, 1, 1)


def written(memory: Tensor, filled: Tensor, index: Tensor, rows: Tensor) -> Pair:
    """Copies of memory and filled with some rows replaced."""
    memory, filled = memory.clone(), filled.clone()
    memory[index], filled[index] = rows.detach(), True
    return memory, filled


def swapped(memory, filled, index, features, momentum=0.1) -> Pair:
    """Momentum taken as SGD has it, for the share of the old."""
    s = share(filled, index, 1 - momentum)
    return written(memory, filled, index, (1 - s) * memory[index] + s * features)


def averaged_with_nothing(memory, filled, index, features, momentum=0.1) -> Pair:
    """The first visit is averaged with the zeros that stood there."""
    return written(memory, filled, index, (1 - momentum) * memory[index] + momentum * features)


def always_stored(memory, filled, index, features, momentum=0.1) -> Pair:
    """No average at all: the newest feature replaces the old."""
    return written(memory, filled, index, features)


def normalised_again(memory, filled, index, features, momentum=0.1) -> Pair:
    """Every mean is brought back to length 1."""
    s = share(filled, index, momentum)
    rows = (1 - s) * memory[index] + s * features
    return written(memory, filled, index, rows / rows.norm(dim=-1, keepdim=True))


def in_place(memory, filled, index, features, momentum=0.1) -> Pair:
    """Writes into the tensors that came in."""
    s = share(filled, index, momentum)
    memory[index] = (1 - s) * memory[index] + s * features.detach()
    filled[index] = True
    return memory, filled


def marks_everybody(memory, filled, index, features, momentum=0.1) -> Pair:
    """`filled` comes back all true."""
    s = share(filled, index, momentum)
    rows = (1 - s) * memory[index] + s * features
    return written(memory, filled, index, rows)[0], torch.ones_like(filled)


def first_rows(memory, filled, index, features, momentum=0.1) -> Pair:
    """Takes the place in the batch for the place in the data set."""
    rows = torch.arange(len(index))
    s = share(filled, rows, momentum)
    new = written(memory, filled, rows, (1 - s) * memory[rows] + s * features)[0]
    marks = filled.clone()
    marks[index] = True
    return new, marks


def sorted_rows(memory, filled, index, features, momentum=0.1) -> Pair:
    """Sorts the places and leaves the features in the order of the batch."""
    return written_mean(memory, filled, index.sort().values, features, momentum)


def written_mean(memory, filled, index, features, momentum) -> Pair:
    """The right update."""
    s = share(filled, index, momentum)
    return written(memory, filled, index, (1 - s) * memory[index] + s * features)


def everybody_fades(memory, filled, index, features, momentum=0.1) -> Pair:
    """Every row loses 10 %, also those that were not visited."""
    new, marks = written_mean(memory, filled, index, features, momentum)
    others = torch.ones(len(memory), dtype=torch.bool)
    others[index] = False
    new[others] *= 1 - momentum
    return new, marks


def stores_all_if_one_is_new(memory, filled, index, features, momentum=0.1) -> Pair:
    """One decision for the whole batch: a new image makes the others be stored too."""
    s = momentum if bool(filled[index].all()) else 1.0
    return written(memory, filled, index, (1 - s) * memory[index] + s * features)


def averages_all_if_one_is_known(memory, filled, index, features, momentum=0.1) -> Pair:
    """One decision for the whole batch: a known image makes the new ones be averaged too."""
    s = momentum if bool(filled[index].any()) else 1.0
    return written(memory, filled, index, (1 - s) * memory[index] + s * features)


def zero_means_new(memory, filled, index, features, momentum=0.1) -> Pair:
    """Takes a row of zeros for an image that was never seen, instead of asking `filled`."""
    known = memory[index].flatten(1).abs().sum(1) > 0
    s = torch.where(known, momentum, 1.0).view(-1, 1, 1)
    return written(memory, filled, index, (1 - s) * memory[index] + s * features)


def split_over_the_batch(memory, filled, index, features, momentum=0.1) -> Pair:
    """Divides momentum by the number of images, as if they all went into one mean."""
    s = share(filled, index, momentum / len(index))
    return written(memory, filled, index, (1 - s) * memory[index] + s * features)


def only_the_memory(memory, filled, index, features, momentum=0.1) -> Tensor:
    """Forgets to hand `filled` back."""
    return written_mean(memory, filled, index, features, momentum)[0]


def own_momentum(memory, filled, index, features, momentum=0.1) -> Pair:
    """0.1 whatever is asked for."""
    return written_mean(memory, filled, index, features, 0.1)


def mean_of_the_batch(memory, filled, index, features, momentum=0.1) -> Pair:
    """Every image gets the batch's mean feature."""
    return written_mean(memory, filled, index, features.mean(0, keepdim=True).expand_as(features), momentum)


def one_by_one(memory, filled, index, features, momentum=0.1) -> Pair:
    """Right: a loop over the batch."""
    memory, filled = memory.clone(), filled.clone()
    for place, new in zip(index.tolist(), features.detach(), strict=True):
        memory[place] = (1 - momentum) * memory[place] + momentum * new if filled[place] else new
        filled[place] = True
    return memory, filled


@torch.no_grad()
def with_lerp(memory, filled, index, features, momentum=0.1) -> list[Tensor]:
    """Right: scatter out of place; hands back a list."""
    start = torch.where(filled[index].view(-1, 1, 1), memory[index], features)
    rows = torch.lerp(start, features, momentum)
    return [memory.index_copy(0, index, rows), filled.index_fill(0, index, True)]


def library_module(memory, filled, index, features, momentum=0.1) -> Pair:
    """Right: the library's module, filled with copies."""
    from paullite.memory import FeatureMemory

    own = FeatureMemory(*memory.shape, momentum=momentum)
    own.load_state_dict(own.state_dict() | {"features": memory, "filled": filled})
    own.update(index, features)
    return own.features, own.filled


def share_that_is_kept(visits, share):
    """Momentum as SGD has it, for the share of the old."""
    return share ** (1 / (visits - 1))


def first_pass_is_averaged(visits, share):
    """Counts the first pass as an update, too."""
    return 1 - share ** (1 / visits)


def one_update_too_few(visits, share):
    """Neither the first visit nor the last one counts."""
    return 1 - share ** (1 / max(visits - 2, 1))


def straight_line(visits, share):
    """Every update takes the same amount."""
    return (1 - share) / (visits - 1)


def with_a_logarithm(visits, share):
    """-log(share) for small momenta, cut off below 1."""
    return min(-math.log(share) / (visits - 1), 0.99)


def the_later_share(visits, share):
    """What is asked for is what the later visits make up."""
    return 1 - (1 - share) ** (1 / (visits - 1))


def thirteen_visits(visits, share):
    """The number of visits of the text, whatever is asked for."""
    return 1 - share ** (1 / 12)


def five_percent(visits, share):
    """The share of the text, whatever is asked for."""
    return 1 - 0.05 ** (1 / (visits - 1))


def rounded(visits, share):
    """Two digits, as a preset would have them."""
    return max(round(1 - share ** (1 / (visits - 1)), 2), 0.01)


def percent(visits, share):
    """In percent."""
    return 100 * momentum(visits, share)


def momentum(visits, share):
    """Right."""
    return 1 - math.exp(math.log(share) / (visits - 1))


def by_halving(visits, share):
    """Right: tries momenta; a tensor."""
    low, high = torch.tensor(0.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    while high - low > 1e-12:
        middle = (low + high) / 2
        if (1 - middle) ** (visits - 1) > share:
            low = middle
        else:
            high = middle
    return low


WRONG = {
    "update_memory": (
        swapped, averaged_with_nothing, always_stored, normalised_again, in_place,
        marks_everybody, first_rows, sorted_rows, everybody_fades, stores_all_if_one_is_new,
        averages_all_if_one_is_known, zero_means_new, split_over_the_batch, only_the_memory, own_momentum,
        mean_of_the_batch,
    ),
    "momentum_for": (
        share_that_is_kept, first_pass_is_averaged, one_update_too_few, straight_line, with_a_logarithm,
        the_later_share, thirteen_visits, five_percent, rounded, percent,
    ),
}  # fmt: skip

OTHER_RIGHT = {"update_memory": (one_by_one, with_lerp, library_module), "momentum_for": (momentum, by_halving)}
