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


def swapped_share(age, visits, momentum=0.1) -> float:
    """Momentum taken for the share of the old."""
    return momentum ** (visits - 1) if age == visits - 1 else (1 - momentum) * momentum**age


def counts_from_one(age, visits, momentum=0.1) -> float:
    """Takes the newest feature for one visit old."""
    return (1 - momentum) ** visits if age == visits - 1 else momentum * (1 - momentum) ** (age + 1)


def plain_mean(age, visits, momentum=0.1) -> float:
    """Every visit counts the same."""
    return 1 / visits


def with_an_exponential(age, visits, momentum=0.1) -> float:
    """exp(-momentum) for 1 - momentum: nearly the same, for small values."""
    return math.exp(-momentum * age) if age == visits - 1 else momentum * math.exp(-momentum * age)


def oldest_one_visit_too_old(age, visits, momentum=0.1) -> float:
    """The first feature fades once too often: at its own visit, too."""
    return (1 - momentum) ** visits if age == visits - 1 else momentum * (1 - momentum) ** age


def corrected(age, visits, momentum=0.1) -> float:
    """Divided by the sum, as Adam corrects means that begin at zero."""
    return momentum * (1 - momentum) ** age / (1 - (1 - momentum) ** visits)


def upside_down(age, visits, momentum=0.1) -> float:
    """Age counted from the first visit."""
    return weight(visits - 1 - age, visits, momentum)


def straight_line(age, visits, momentum=0.1) -> float:
    """Fades by the same amount, not by the same share, at every visit."""
    if age == visits - 1:
        return 1 - sum(straight_line(a, visits, momentum) for a in range(visits - 1))
    return momentum * max(0.0, 1 - momentum * age)


def one_momentum(age, visits, momentum=0.1) -> float:
    """0.1 whatever is asked for."""
    return weight(age, visits, 0.1)


def first_is_forgotten(age, visits, momentum=0.1) -> float:
    """The first feature gets nothing once there is another."""
    return float(visits == 1) if age == visits - 1 else momentum * (1 - momentum) ** age


def weight(age, visits, momentum=0.1) -> float:
    """Right."""
    return (1 - momentum) ** age * (1 if age == visits - 1 else momentum)


def by_running_it(age, visits, momentum=0.1) -> Tensor:
    """Right: a memory that is fed unit vectors; a tensor."""
    w = torch.eye(visits, dtype=torch.float64)[0]
    for new in torch.eye(visits, dtype=torch.float64)[1:]:
        w = (1 - momentum) * w + momentum * new
    return w[visits - 1 - age]


WRONG = {
    "update_memory": (
        swapped, averaged_with_nothing, always_stored, normalised_again, in_place,
        marks_everybody, first_rows, sorted_rows, everybody_fades, stores_all_if_one_is_new,
        averages_all_if_one_is_known, zero_means_new, split_over_the_batch, only_the_memory, own_momentum,
        mean_of_the_batch,
    ),
    "weight_of_age": (
        swapped_share, counts_from_one, plain_mean,
        with_an_exponential, oldest_one_visit_too_old, corrected, upside_down, straight_line, one_momentum,
        first_is_forgotten,
    ),
}  # fmt: skip

OTHER_RIGHT = {"update_memory": (one_by_one, with_lerp, library_module), "weight_of_age": (weight, by_running_it)}
