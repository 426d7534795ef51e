"""Wrong answers to the exercises of chapter 9, each another misconception; and other right ones."""

import torch
from paulbook.chapters.chapter9 import three_bugs
from torch import Tensor

from paullite.losses import ipfl, pedal

REST = ["ipfl", "pedal", "paul"]

ORDERS = (
    "direct, batch_norm, ipfl, pedal, paul",  # one text
    {"paul": 1, "pedal": 2, "ipfl": 3, "batch_norm": 4, "direct": 5},  # places by name
    5,  # a number
    ["direct", "batch_norm", "ipfl", "pedal", "both"],  # another name for PAUL
    ["direct", "bn", "ipfl", "pedal", "paul"],  # a name that is like no other
    ["direct", "ipfl", "pedal", "paul"],  # a control forgotten
    ["direct", "batch_norm", "ipfl", "pedal", "paul", "paul"],  # one arm twice
    ["paul", "pedal", "ipfl", "batch_norm", "direct"],  # the best first
    ["batch_norm", "ipfl", "pedal", "direct", "paul"],  # PEDAL alone harms
    ["batch_norm", "ipfl", "direct", "pedal", "paul"],  # IPFL alone harms
    [("direct", "batch_norm", *REST)],  # nothing can be told apart
    ["batch_norm", "direct", *REST],  # new statistics harm
    [("direct", "batch_norm"), *REST],  # new statistics change nothing
    ["direct", *REST, "batch_norm"],  # no loss is worth its while
    ["direct", "batch_norm", "ipfl", ("pedal", "paul")],  # a second loss adds nothing
    ["direct", "batch_norm", "pedal", "paul", "ipfl"],  # IPFL does everything, PEDAL is in its way
    ["direct", "batch_norm", "ipfl", "paul", "pedal"],  # IPFL is in PEDAL's way
)

UNDECIDED = (  # what the ten seeds leave open, once ten comparisons are corrected together
    ["direct", "ipfl", "pedal", "batch_norm", "paul"],  # only both together help
    ["direct", "batch_norm", "pedal", "ipfl", "paul"],  # two halves, the whole image the better one
    ["direct", "ipfl", "batch_norm", "pedal", "paul"],  # a loss on images is less than none
    ["direct", ("batch_norm", "ipfl"), "pedal", "paul"],  # a loss on images is nothing
    ["direct", "batch_norm", ("ipfl", "pedal"), "paul"],  # one loss is as good as the other
)


def total(config, first, second) -> Tensor:
    """The weighted sum."""
    return config.pedal_weight * first + config.ipfl_weight * second


SETTINGS = ("margin", "nearest", "max_candidates", "no_negative")


def settings(config, *forgotten: str) -> dict:
    """IPFL's settings, without some."""
    return {name: getattr(config, name) for name in SETTINGS if name not in forgotten}


def parts(features, embeddings, index, memory, centers, config, *forgotten: str) -> tuple[Tensor, Tensor]:
    """Both losses as they should be, of memories as they are; IPFL without the settings that are forgotten."""
    count = len(index)
    first = pedal(features[:count], memory.features, index, scale=config.scale, k=config.k)
    owner = torch.arange(count).repeat(2)
    return first, ipfl(embeddings, centers.features[index, 0], owner, **settings(config, *forgotten))


def update(features, embeddings, index, memory, centers) -> None:
    """Both memories as they should be."""
    memory.update(index, features[: len(index)])
    centers.update(index, embeddings.unflatten(0, (2, len(index))).mean(0)[:, None])


def never_updated(features, embeddings, index, memory, centers, config):
    """Forgets both memories."""
    return total(config, *parts(features, embeddings, index, memory, centers, config))


def loss_first(features, embeddings, index, memory, centers, config):
    """Both updates come after the losses."""
    loss = total(config, *parts(features, embeddings, index, memory, centers, config))
    update(features, embeddings, index, memory, centers)
    return loss


def centers_after(features, embeddings, index, memory, centers, config):
    """The memory before its loss, the centers after theirs."""
    memory.update(index, features[: len(index)])
    loss = total(config, *parts(features, embeddings, index, memory, centers, config))
    centers.update(index, embeddings.unflatten(0, (2, len(index))).mean(0)[:, None])
    return loss


def updated_twice(features, embeddings, index, memory, centers, config):
    """Once for each view, both times with the originals."""
    memory.update(index, features[: len(index)])
    update(features, embeddings, index, memory, centers)
    return total(config, *parts(features, embeddings, index, memory, centers, config))


def memory_of_surrogates(features, embeddings, index, memory, centers, config):
    """Takes the second half of the rows for the originals."""
    memory.update(index, features[len(index) :])
    centers.update(index, embeddings.unflatten(0, (2, len(index))).mean(0)[:, None])
    return total(config, *parts(features, embeddings, index, memory, centers, config))


def memory_of_both(features, embeddings, index, memory, centers, config):
    """Treats the memory as the centers are treated."""
    memory.update(index, features.unflatten(0, (2, len(index))).mean(0))
    centers.update(index, embeddings.unflatten(0, (2, len(index))).mean(0)[:, None])
    return total(config, *parts(features, embeddings, index, memory, centers, config))


def pairs_side_by_side(features, embeddings, index, memory, centers, config):
    """Thinks that each image stands beside its surrogate, in the centers."""
    memory.update(index, features[: len(index)])
    centers.update(index, embeddings.unflatten(0, (len(index), 2)).mean(1)[:, None])
    return total(config, *parts(features, embeddings, index, memory, centers, config))


def surrogates_in_pedal(features, embeddings, index, memory, centers, config):
    """PEDAL over both views."""
    update(features, embeddings, index, memory, centers)
    _, second = parts(features, embeddings, index, memory, centers, config)
    first = pedal(features, memory.features, index.repeat(2), scale=config.scale, k=config.k)
    return total(config, first, second)


def owners_side_by_side(features, embeddings, index, memory, centers, config):
    """Thinks that each image stands beside its surrogate, in IPFL."""
    update(features, embeddings, index, memory, centers)
    first, _ = parts(features, embeddings, index, memory, centers, config)
    owner = torch.arange(len(index)).repeat_interleave(2)
    return total(config, first, ipfl(embeddings, centers.features[index, 0], owner, **settings(config)))


def owners_of_the_data_set(features, embeddings, index, memory, centers, config):
    """Takes index for the owner, though the centers are those of the batch."""
    update(features, embeddings, index, memory, centers)
    first, _ = parts(features, embeddings, index, memory, centers, config)
    own = centers.features[index, 0]
    return total(config, first, ipfl(embeddings, own, index.repeat(2), **settings(config)))


def centers_of_everyone(features, embeddings, index, memory, centers, config):
    """Looks for hard negatives among all images."""
    update(features, embeddings, index, memory, centers)
    first, _ = parts(features, embeddings, index, memory, centers, config)
    everyone = centers.features[:, 0]
    return total(config, first, ipfl(embeddings, everyone, index.repeat(2), **settings(config)))


def first_centers(features, embeddings, index, memory, centers, config):
    """Takes the first rows of the centers for those of the batch."""
    update(features, embeddings, index, memory, centers)
    first, _ = parts(features, embeddings, index, memory, centers, config)
    own, owner = centers.features[: len(index), 0], torch.arange(len(index)).repeat(2)
    return total(config, first, ipfl(embeddings, own, owner, **settings(config)))


def anchors_of_one_view(features, embeddings, index, memory, centers, config):
    """Only the originals are anchors."""
    update(features, embeddings, index, memory, centers)
    first, _ = parts(features, embeddings, index, memory, centers, config)
    own, count = centers.features[index, 0], len(index)
    return total(config, first, ipfl(embeddings[:count], own, torch.arange(count), **settings(config)))


def margin_of_the_reference(*given):
    """Leaves IPFL's margin at its default."""
    update(*given[:-1])
    return total(given[-1], *parts(*given, "margin"))


def lists_of_the_default(*given):
    """Leaves the size of a ranking list at its default."""
    update(*given[:-1])
    return total(given[-1], *parts(*given, "nearest"))


def candidates_of_the_default(*given):
    """Leaves the number of candidates at its default."""
    update(*given[:-1])
    return total(given[-1], *parts(*given, "max_candidates"))


def always_skips(*given):
    """Leaves anchors without a negative out, though the settings pull them."""
    update(*given[:-1])
    return total(given[-1], *parts(*given, "no_negative"))


def plain_sum(features, embeddings, index, memory, centers, config):
    """Forgets the weights."""
    update(features, embeddings, index, memory, centers)
    return sum(parts(features, embeddings, index, memory, centers, config))


def weights_exchanged(features, embeddings, index, memory, centers, config):
    """Each loss with the other's weight."""
    update(features, embeddings, index, memory, centers)
    first, second = parts(features, embeddings, index, memory, centers, config)
    return total(config, second, first)


def weighted_mean(features, embeddings, index, memory, centers, config):
    """Divides by the sum of the weights."""
    update(features, embeddings, index, memory, centers)
    loss = total(config, *parts(features, embeddings, index, memory, centers, config))
    return loss / (config.pedal_weight + config.ipfl_weight)


def two_losses(features, embeddings, index, memory, centers, config):
    """Hands back the parts."""
    update(features, embeddings, index, memory, centers)
    return parts(features, embeddings, index, memory, centers, config)


def a_number(features, embeddings, index, memory, centers, config):
    """The value without its gradient."""
    update(features, embeddings, index, memory, centers)
    return total(config, *parts(features, embeddings, index, memory, centers, config)).detach()


def detached_features(features, embeddings, index, memory, centers, config):
    """Detaches for the memory, and hands the detached features to PEDAL, too."""
    update(features, embeddings, index, memory, centers)
    return total(config, *parts(features.detach(), embeddings, index, memory, centers, config))


def two_bugs_left(features, embeddings, index, memory, centers, config):
    """Of the colleague's three bugs only that of the centers is repaired."""
    update(features, embeddings, index, memory, centers)
    count = len(index)
    own, owner = torch.arange(count), torch.arange(count).repeat_interleave(2)
    first = pedal(features[:count], memory.features, own, scale=config.scale, k=config.k)
    return total(config, first, ipfl(embeddings, centers.features[index, 0], owner, **settings(config)))


def by_loop(features, embeddings, index, memory, centers, config):
    """Another right way: image by image, and both losses spelled out."""
    count, rows = len(index), list(range(len(memory.features)))
    for b in range(count):
        memory.update(index[b : b + 1], features[b : b + 1].detach())
        centers.update(index[b : b + 1], ((embeddings[b] + embeddings[b + count]) / 2).detach()[None, None])
    first = torch.zeros(())
    for b, i in enumerate(index.tolist()):
        others = memory.features[[j for j in rows if j != i]]  # N-1 P D
        logits = -config.scale * (features[b] - others).square().sum(-1)  # N-1 P
        nearest = logits.topk(config.k, dim=0).values
        first = first + (logits.logsumexp(0) - nearest.logsumexp(0)).mean() / count
    owner = torch.cat([torch.arange(count), torch.arange(count)])
    second = ipfl(embeddings, centers.features[index].squeeze(1), owner, **settings(config))
    return config.pedal_weight * first + config.ipfl_weight * second


WRONG = {
    "order_of_arms": ORDERS,
    "step_loss": (
        never_updated,
        loss_first,
        centers_after,
        updated_twice,
        memory_of_surrogates,
        memory_of_both,
        three_bugs,
        pairs_side_by_side,
        surrogates_in_pedal,
        two_bugs_left,
        owners_side_by_side,
        owners_of_the_data_set,
        centers_of_everyone,
        first_centers,
        anchors_of_one_view,
        margin_of_the_reference,
        lists_of_the_default,
        candidates_of_the_default,
        always_skips,
        plain_sum,
        weights_exchanged,
        weighted_mean,
        two_losses,
        a_number,
        detached_features,
    ),
}

OTHER_RIGHT = {
    "order_of_arms": (
        ["direct", "batch_norm", "ipfl", "pedal", "paul"],
        ("direct", {"batch_norm", "pedal", "ipfl"}, ("paul",)),
        *UNDECIDED,
    ),
    "step_loss": (by_loop,),
}
