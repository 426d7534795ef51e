"""What one arm of a study is made of, and the preset that the studies share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from typing import Any, Literal

from paullite.config import PRESETS, AdaptConfig, Preset, PretrainConfig

Method = Literal["direct", "batch_norm", "adapt", "supervised", "instance", "cluster"]
Control = Literal["none", "camera_mean", "batch_norm_by_camera"]
Changes = Mapping[str, Any]  # by section: {"adapt": {"k": 5}, "source": {"identities": 20}, "patches": "stripes"}

_QUICK: dict[str, Any] = {"evaluate_every": 1, "progress": False, "dry_step": False, "device": "cpu"}


def shortened(preset: Preset) -> Preset:
    """A preset of drawn people with the schedule of the studies, on the CPU and without a word."""
    return Preset(
        replace(preset.pretrain, epochs=8, generator_epochs=(2, 6), decay_epoch=6, **_QUICK),
        replace(preset.adapt, epochs=6, batch=24, decay_epoch=4, **_QUICK),
    )


STUDY = shortened(PRESETS["paperdolls"])
"""The preset ``paperdolls``, shortened until phase 2 takes half a minute. Chosen on the seeds 100 and 101."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One arm: a method in a world.

    Attributes:
        method: what is done with the network of phase 1: "direct" nothing, "batch_norm" its statistics only, "adapt"
            PAUL, "instance" and "cluster" the rivals; "supervised" goes on with the target's labels.
        patches: "learned" as PAUL does; "stripes" that stay where they start; "random" boxes that stay.
        unit: what PEDAL compares: "patches", or the whole "image" as one feature.
        control: what the network that comes out is evaluated with, as in `paullite.controls`.
        source, target: arguments of `PaperDolls` besides the seed.
        pretrain, adapt: the phases. The rivals take what they share with PAUL from ``adapt``.
        rival: further arguments of `discriminate_instances` or `learn_clusters`.
    """

    method: Method = "adapt"
    patches: Literal["learned", "stripes", "random"] = "learned"
    unit: Literal["patches", "image"] = "patches"
    control: Control = "none"
    source: Mapping[str, Any] = field(default_factory=lambda: {"identities": 80})
    target: Mapping[str, Any] = field(default_factory=lambda: {"identities": 64, "test_identities": 60})
    pretrain: PretrainConfig = STUDY.pretrain
    adapt: AdaptConfig = STUDY.adapt
    rival: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, changes: Changes) -> Settings:
        """The same with some values replaced.

        >>> Settings().changed({"adapt": {"k": 5}, "method": "adapt"}).adapt.k
        5
        """
        return replace(self, **{name: _changed(getattr(self, name), value) for name, value in changes.items()})

    def facts(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def _changed(value: Any, change: Any) -> Any:
    if is_dataclass(value):
        return replace(value, **change)  # type: ignore[type-var]
    return {**value, **change} if isinstance(value, Mapping) else change
