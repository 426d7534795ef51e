"""Wrong answers to the exercises of chapters 5 to 8, each a slip in one line of the solution."""

from tests.solutions import Patch

PATCHES: dict[str, tuple[Patch, ...]] = {
    "blind_loss": (
        Patch("no_patches", "-patches * sum", "-sum", "Yours is the loss of one classifier,"),
        Patch("no_sign", "-patches * sum", "patches * sum", "but a loss is not."),
        Patch("of_people", "share * log(share) for", "log(share) / len(shares) for", "This is a mean over people."),
        Patch("six_whatever_is_asked", "-patches * sum", "-6 * sum", "Is P fixed?"),
    ),
    "update_memory": (
        Patch("marks_nobody", "marks[index] = True", "pass", "After its first visit an image is filled,"),
        Patch("marks_in_place", "filled.clone()", "filled", "You changed the marks that you were given,"),
        Patch(
            "keeps_the_gradient",
            "features.detach()",
            "features",
            "The new memory still keeps the computation graph of the features (",
        ),
    ),
    "momentum_for": (Patch("inverted", "1 / updates", "updates", "and not 20 %."),),
    "pedal": (
        Patch(
            "own_counts",
            "logits[torch.arange(len(index)), :, index] = -torch.inf",
            "pass",
            "the own entry counts in both sums with yours.",
        ),
        Patch(
            "not_averaged",
            "(logits.logsumexp(-1) - nearest.logsumexp(-1)).mean()",
            "logits.logsumexp(-1) - nearest.logsumexp(-1)",
            "A loss is one number:",
        ),
        Patch(
            "upside_down",
            "logits.logsumexp(-1) - nearest.logsumexp(-1)",
            "nearest.logsumexp(-1) - logits.logsumexp(-1)",
            "On the chapter's five entries and the own one:",
        ),
        Patch("moves_the_memory", "memory.detach()", "memory", "A gradient flows into the memory."),
    ),
    "pedal_gradient": (
        Patch("no_factor", "2 * scale * (mean_all - mean_near)", "mean_all - mean_near", "the direction is right,"),
        Patch("no_scale_before", "2 * scale", "2", "s stands in the weights with yours,"),
        Patch("half_the_factor", "2 * scale", "scale", "A square has a slope of twice the distance."),
        Patch("uphill", "mean_all - mean_near", "mean_near - mean_all", "The gradient leads uphill,"),
        Patch("own_in_both", "own + 1", "own", "the own entry is in both means with yours."),
    ),
    "hard_negatives": (
        Patch(
            "own_center_is_tried",
            "distance.scatter(1, owner[:, None], torch.inf)",
            "distance",
            "Does somebody who is no candidate use up a place?",
        ),
        Patch("all_are_tried", ":max_candidates", ":", "For anchor"),
        Patch("nearest_other", "order.gather(1, free.int().argmax(1, keepdim=True))", "order", "Where is the cycle?"),
        Patch(
            "none_is_the_first",
            "F.pad(~vetoed, (0, 1), value=True)",
            "~vetoed",
            "Lists as long as the batch name everyone,",
        ),
        Patch("takes_the_vetoed", "~vetoed", "vetoed", "Which candidates are ruled out:"),
        Patch(
            "gives_up",
            "order = others.argsort(dim=1, stable=True)[:, :-1][:, :max_candidates]",
            "order = others.argsort(dim=1, stable=True)[:, :1][:, :max_candidates]",
            "after a veto the next candidate has its turn.",
        ),
        Patch("writes_into_between", "between.clone()", "between", "whose numbers the loss needs afterwards."),
    ),
    "center_distance": (
        Patch(
            "first_fades_once_too_often",
            "weights.append((1 - momentum) ** (visits - 1))",
            "weights.append((1 - momentum) ** visits)",
            "Write view minus midpoint as one half of a difference of two views.",
        ),
    ),
    "image_loss": (
        Patch(
            "never_content",
            "F.relu(margin + pos - neg)",
            "margin + pos - neg",
            "An anchor whose negative is far enough costs nothing.",
        ),
        Patch(
            "always_pulls",
            'loss.mean() if no_negative == "pull" else (loss * found).sum() / found.sum().clamp(min=1)',
            "loss.mean()",
            "With skip the first alone counts:",
        ),
        Patch(
            "always_skips",
            'loss.mean() if no_negative == "pull" else (loss * found).sum() / found.sum().clamp(min=1)',
            "(loss * found).sum() / found.sum().clamp(min=1)",
            "Does yours look at no_negative?",
        ),
    ),
}
