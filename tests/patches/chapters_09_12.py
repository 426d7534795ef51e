"""Wrong answers to the exercises of chapters 9 to 12, each a slip in one line of the solution."""

from tests.solutions import Patch

PATCHES: dict[str, tuple[Patch, ...]] = {
    "step_loss": (
        Patch(
            "centers_forgotten",
            "centers.update(index, both_views[:, None])",
            "pass",
            "After the step the centers are as they were.",
        ),
    ),
    "gain_interval": (
        Patch("sure_of_one", "if n < 2:", "if n < 1:", "but that is no certainty."),
        Patch("after_alone", "after - before", "after", "Both networks are the same,"),
        Patch("turned_round", "after - before", "before - after", "Which network is subtracted from which?"),
    ),
    "simulated_power": (
        Patch("variance_over_n", "ddof=1", "ddof=0", "By which number does the variance"),
        Patch("free_as_many", "seeds - 1", "seeds", "How many degrees of freedom"),
        Patch("without_the_root", " / seeds**0.5", "", "s divided by the root of n?"),
        Patch("losses_forgotten", "np.abs(t)", "t", "because the test has two sides."),
    ),
    "table": (
        Patch("as_they_come", "sorted(names)", "names", "A query is the first of its camera in the order of the list."),
        Patch("reads_every_number", 'who == "xx"', "who != 'xx'", "Which pid has it?"),
        Patch("single_picture_asks", "len(files) > 1", "len(files) >= 1", "A camera's only picture became a query."),
        Patch("one_camera_asks", "seen_by > 1", "seen_by >= 1", "Their matches would all be left out."),
        Patch(
            "train_in_gallery",
            '"gallery" if pid in test or pid == -1 else "train"',
            "'gallery'",
            "Nobody is left to learn from:",
        ),
        Patch("junk_in_train", "pid in test or pid == -1", "pid in test", "Where does it belong?"),
        Patch("rest_in_train", "pid in test or pid == -1", "pid == -1", "and some of the pictures are in train."),
        Patch("one_camera", "cameras.index(where) + 1", "1", "Then every match is by the query's own camera,"),
        Patch("every_one_of_a_camera_asks", "asks and n == 0", "asks", "Once is enough:"),
    ),
    "sessions_needed": (
        Patch("never_ends_is_zero", "return None", "return 0", "No session reaches its first checkpoint,"),
        Patch("one_step_a_block", "block * step + save", "step + save", "that the next one finds again?"),
    ),
    "camera_entropy": (
        Patch(
            "without_log",
            "most + (q * q.clamp(min=1e-9).log()).sum(-1).mean()",
            "(q * q.clamp(min=1e-09).log()).sum(-1).mean()",
            "What does the formula put before it?",
        ),
        Patch(
            "plus_entropy",
            "most + (q * q.clamp(min=1e-9).log()).sum(-1).mean()",
            "most - (q * q.clamp(min=1e-09).log()).sum(-1).mean()",
            "That is log n plus the entropy:",
        ),
        Patch("moves_the_memory", "memory.detach()", "memory", "A gradient flows into the memory,"),
        Patch("farthest", "-scale", "scale", "With yours the farthest have the largest share."),
        Patch(
            "not_averaged",
            "(q * q.clamp(min=1e-9).log()).sum(-1).mean()",
            "(q * q.clamp(min=1e-09).log()).sum(-1)",
            "A loss is one number:",
        ),
        Patch("own_counted", "logits.masked_fill(own, -torch.inf)", "logits", "The image's own entry,"),
        Patch("log_of_nothing", "1e-9", "0.0", "Yours is nan."),
    ),
    "operating_point": (
        Patch("accepts_the_equal", "known > threshold", "known >= threshold", "for it or against it."),
        Patch(
            "infinite_without_alarms",
            "return float(threshold)",
            "return float(threshold if wanted else np.inf)",
            "Without any false alarm",
        ),
    ),
}
