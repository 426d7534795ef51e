"""The arms of the studies: what is tried, as what differs from `paulbook.studies.settings.Settings` as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .settings import STUDY, Changes


@dataclass(frozen=True)
class Arm:
    """What is tried: a title for tables, and what differs from `Settings` as they are."""

    title: str
    changes: Changes


PAUL = Arm("PAUL", {})
DIRECT = Arm("direct transfer", {"method": "direct"})
BATCH_NORM = Arm("batch-norm statistics only", {"method": "batch_norm"})
CAMERA_MEAN = Arm("direct transfer, camera mean subtracted", {"method": "direct", "control": "camera_mean"})
BATCH_NORM_CAMERA_MEAN = Arm(
    "batch-norm statistics, camera mean subtracted", {"method": "batch_norm", "control": "camera_mean"}
)
BY_CAMERA = Arm("batch-norm statistics by camera", {"method": "direct", "control": "batch_norm_by_camera"})
PAUL_CAMERA_MEAN = Arm("PAUL, camera mean subtracted", {"control": "camera_mean"})
ALL_CONTROLS = {
    "direct": DIRECT,
    "camera_mean": CAMERA_MEAN,
    "batch_norm": BATCH_NORM,
    "batch_norm_camera_mean": BATCH_NORM_CAMERA_MEAN,
    "batch_norm_by_camera": BY_CAMERA,
}
INSTANCE = {"temperature": 0.5, "lr_factor": 0.1}  # how they were chosen stands in `paulbook.studies.rivals`
CLUSTER = {"eps": 0.5, "min_samples": 4, "neighbours": 8, "temperature": 0.05, "lr_factor": 0.03}
HEAVY: Changes = {"adapt": {"ipfl_weight": 5.0}}  # IPFL heavier than PEDAL, where its settings show most
TWO_CONTROLS = {"direct": DIRECT, "batch_norm": BATCH_NORM}


def with_controls(arms: Mapping[str, Arm], controls: Mapping[str, Arm] = TWO_CONTROLS) -> dict[str, Arm]:
    """Beside every arm, what the same world gives with each control: if not said, direct transfer and batch norm."""
    found: dict[str, Arm] = {}
    for name, arm in arms.items():
        found[name] = arm
        world = {section: change for section, change in arm.changes.items() if section != "adapt"}
        for kind, control in controls.items():
            found[f"{name}/{kind}"] = Arm(f"{arm.title}: {control.title}", {**world, **control.changes})
    return found


def passage_arms(*shares: float) -> dict[str, Arm]:
    """PAUL in worlds where so much of what varies belongs to the passages, in the source as well as in the target."""
    return {
        f"share={share:g}": Arm(
            f"share of passages {share:g}", {"source": {"passage_share": share}, "target": {"passage_share": share}}
        )
        for share in shares
    }


def adapt_arms(field: str, label: str, *values: Any) -> dict[str, Arm]:
    """One arm for each value of a setting of phase 2."""
    return {f"{field}={v}": Arm(f"{label} = {v}", {"adapt": {field: v}}) for v in values}


def source_arms(*people: int) -> dict[str, Arm]:
    """Fewer people in the source, and as many steps: the epochs grow as the people shrink."""
    first, end, decay = *STUDY.pretrain.generator_epochs, STUDY.pretrain.decay_epoch
    arms = {}
    for count in people:
        longer = 80 // count
        schedule = {
            "epochs": STUDY.pretrain.epochs * longer,
            "generator_epochs": (first * longer, end * longer),
            "decay_epoch": decay * longer,
        }
        title = f"{count} labelled people"
        arms[f"source={count}"] = Arm(title, {"source": {"identities": count}, "pretrain": schedule})
    return arms


def reference_arms() -> dict[str, Arm]:
    """The choices of the reference implementation, together and one by one."""
    pull, gradient = {"no_negative": "pull"}, {"generator_gradient": True}
    return {
        "default": Arm("default", {}),
        "reference": Arm(
            "reference",
            {"pretrain": {"generator": "reference", "positive_may_be_anchor": True}, "adapt": pull | gradient},
        ),
        "pull": Arm("default, no negative: pull", {"adapt": pull}),
        "gradient": Arm("default, gradient through theta", {"adapt": gradient}),
    }


_NO_CHANGE: dict[str, Any] = {"jitter": (0.0, 0.0, 0.0, 0.0), "rotation": 0.0, "crop": (1.0, 1.0)}


def surrogate(*kept: str) -> Changes:
    """Only some of the surrogate's transforms, as strong as in the preset; the flip always stays."""
    return {"adapt": {**_NO_CHANGE, **{name: getattr(STUDY.adapt, name) for name in kept}}}
