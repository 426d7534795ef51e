"""Wrong answers as patches that were written by hand: slips of more than one place, and such that no hint names."""

from tests.solutions import Patch

ELSEWHERE = "On random input"  # the last property: any slip that the others have no name for
IDLE = "    if config.pedal_weight:\n        memory.update(index, x.detach())\n"  # a weight of 0 is drawn now and then
LIVE = "ipfl(embeddings, own, owner, **rest) + 0.1 * (embeddings - embeddings.detach()).mean()"  # same value

WEIGHTS = "nn.Parameter(torch.randn(patches, outputs, inputs) / inputs**0.5)"
UNBOUND = "return PatchHeads(patches, inputs, outputs).forward"
HEADS = """self.bias = nn.Parameter(torch.zeros(patches, outputs))

    def forward(self, x):
        return torch.einsum("bpi,poi->bpo", x, self.weight) + self.bias"""
FULL = """self.bias = nn.Parameter(torch.zeros(patches, outputs))
        self.full = nn.Parameter(torch.zeros(patches * inputs, patches * outputs))

    def forward(self, x):
        seen = (x.flatten(1) @ self.full).unflatten(1, self.bias.shape)
        return torch.einsum("bpi,poi->bpo", x, self.weight) + self.bias + seen"""
TWICE = "{row[3] for row in gallery if [r[3] for r in gallery].count(row[3]) > 1} | (a & b)"
TWO = "features[..., :2].transpose(0, 1), memory[..., :2].transpose(0, 1)"
AWAKE = "copy.deepcopy(net).train() if net.training else copy.deepcopy(net)"
MOST = "train_cameras.unique()[:3]"
ONE_SHEAR = "torch.tensor([[1, 1, 1], [0, 1, 1]]) * "

FOUR = "sorted(Counter(labels).values())[-4:]"
PATCHES: dict[str, tuple[Patch, ...]] = {
    "average_precision": (
        Patch("three_matches", "if match]", "if match][:3]", ELSEWHERE),
        Patch("ap_at_25", "if not is_junk]", "if not is_junk][:25]", ELSEWHERE),
    ),
    "find_leak": (Patch("twice_in_the_gallery", "(a & b)", TWICE, ELSEWHERE),),
    "choose_queries": (Patch("four_cameras_are_too_many", "> 1]", "in (2, 3)]", ELSEWHERE),),
    "chance_share": (
        Patch("nine_groups_at_most", "(len(set(groups)) - 1)", "(min(len(set(groups)), 9) - 1)", ELSEWHERE),
    ),
    "pedal": (
        Patch(
            "read_in_other_portions",
            "features.float()",
            "features.reshape(features.shape[1], len(features), -1).transpose(0, 1).float()",
            ELSEWHERE,
        ),
        Patch(
            "k_ends_early",
            "logits.topk(k, dim=-1)",
            "logits.topk(min(k, len(memory) - 2), dim=-1)",
            "everybody is among the nearest",
        ),
    ),
    "image_loss": (
        Patch("pull_of_nobody", 'if no_negative == "pull"', 'if no_negative == "pull" and found.any()', ELSEWHERE),
        Patch("pull_without_gradient", "loss.mean()", "loss.mean().detach()", ELSEWHERE),
    ),
    "step_loss": (
        Patch("idle_memory", "    memory.update(index, x.detach())\n", IDLE, ELSEWHERE),
        Patch(
            "gradient_through_the_centers",
            "ipfl(embeddings, own, owner, **rest)",
            LIVE,
            "another gradient by `embeddings`",
        ),
    ),
    "gain_interval": (Patch("none_of_two", "n < 2", "n < 3", ELSEWHERE),),
    "simulated_power": (Patch("bound_of_two_seeds", "seeds - 1", "max(seeds - 1, 2)", ELSEWHERE),),
    "camera_entropy": (
        Patch(
            "read_in_other_portions",
            "features[:, None]",
            "features.reshape(features.shape[1], len(features), -1).transpose(0, 1)[:, None]",
            ELSEWHERE,
        ),
        Patch("always_two_cameras", "log(q.shape[-1])", "log(2)", ELSEWHERE),
    ),
    "operating_point": (
        Patch("rounds_the_share", "false_alarms <= wanted", "false_alarms.round(1) <= wanted", ELSEWHERE),
    ),
    "split_people": (Patch("exactly_two_cameras", "len(seen) > 1", "len(seen) == 2", ELSEWHERE),),
    "overlap": (
        Patch(
            "mirrored_in_y",
            ".abs()",
            " * torch.tensor([[a[0, 0].sign(), 1], [b[0, 0].sign(), 1]])",
            ELSEWHERE,
        ),
    ),
    "choose_and_report": (
        Patch(
            "counts_seeds",
            "all(seed in by for seed in (*development, *final))",
            "len(by) >= len((*development, *final))",
            "Look at which seeds a setting has",
        ),
        Patch(
            "everything_else_chooses",
            "whole[name][seed] for seed in development)",
            "score for seed, score in whole[name].items() if seed not in final)",
            ELSEWHERE,
        ),
    ),
    "depends_on_batch": (Patch("wakes_frozen_layers", "copy.deepcopy(net)", AWAKE, ELSEWHERE),),
    "subtract_camera_means": (Patch("three_cameras", "train_cameras.unique()", MOST, ELSEWHERE),),
    "unit_distances": (Patch("one_digit", ".clamp(min=0)", ".clamp(min=0).round(decimals=1)", ELSEWHERE),),
    "box_theta": (
        Patch("square_cells", "half / count", "size[0] / cells[0] / 2", ELSEWHERE),
        Patch("cells_of_16_pixels", "half / count", "8", ELSEWHERE),
    ),
    "port_is_right": (Patch("one_shear", "noise = ", "noise = " + ONE_SHEAR, ELSEWHERE),),
    "patch_heads": (
        Patch("no_module", "return PatchHeads(patches, inputs, outputs)", UNBOUND, "expected an nn.Module"),
        Patch("weights_that_never_learn", WEIGHTS, "torch.randn(patches, outputs, inputs)", "it would never learn"),
        Patch("full_layer_that_starts_at_zero", HEADS, FULL, "see the others as soon as weights move"),
    ),
    "blind_loss": (Patch("four_people_at_most", "Counter(labels).values()", FOUR, ELSEWHERE),),
    "update_memory": (Patch("patches_in_reverse", "features.detach()", "features.detach().flip(1)", ELSEWHERE),),
    "momentum_for": (Patch("at_most_fifty", "visits - 1", "min(visits - 1, 50)", ELSEWHERE),),
    "pedal_gradient": (
        Patch("a_row", "(mean_all - mean_near)", "(mean_all - mean_near)[None]", "so has its gradient"),
        Patch("k_ends_early", "logits.topk(k)", "logits.topk(min(k, len(logits) - 1))", "the gradient is 0"),
        Patch("first_row_is_the_own", "torch.cat([memory[:own], memory[own + 1 :]])", "memory[1:]", ELSEWHERE),
    ),
    "scale_for_mass": (Patch("k_of_five_at_most", "_masses(logits, k)", "_masses(logits, min(k, 5))", ELSEWHERE),),
    "hard_negatives": (Patch("three_at_most", "[:, :nearest]", "[:, :min(nearest, 3)]", ELSEWHERE),),
    "table": (
        Patch(
            "two_ways_to_write_a_person",
            "{name},{pid},",
            "{name},{who if n and who != 'xx' else pid},",
            "The library cannot read it",
        ),
        Patch("four_cameras_are_too_many", "seen_by > 1", "seen_by in (2, 3)", ELSEWHERE),
    ),
    "sessions_needed": (Patch("thirty_at_most", "count += 1", "count = min(count + 1, 30)", ELSEWHERE),),
    "rank1_by_camera": (Patch("two_digits", "sum(hits) / len(hits)", "round(sum(hits) / len(hits), 2)", ELSEWHERE),),
    "patch_purity": (Patch("first_two_numbers", "features.transpose(0, 1), memory.transpose(0, 1)", TWO, ELSEWHERE),),
}
