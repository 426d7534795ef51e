"""Every value of the settings is checked, and brought to its type, when the settings are made."""

import dataclasses
import inspect
import json
import math
import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

import paullite as pl
from paullite import config
from paullite.config import RunConfig
from paullite.errors import InputError
from paullite.ranges import checks_of
from tests.places import no_home

PHASES = {"pretrain": pl.PretrainConfig, "adapt": pl.AdaptConfig}


def made(name: str, value: object) -> Any:
    """What a setting of that name becomes, in the first phase that has it."""
    kind = next(kind for kind in PHASES.values() if name in {f.name for f in dataclasses.fields(kind)})
    return getattr(kind(**{name: value}), name)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("output", Path("runs/x"), str(Path("runs/x"))),
        ("output", "runs/x", "runs/x"),
        ("output", None, None),
        ("weights", PurePosixPath("a/b.pth"), "a/b.pth"),
        ("backbone", Path("local"), "local"),
        ("seed", np.int64(7), 7),
        ("epochs", True, 1),
        ("output", "~/runs/x", str(Path.home() / "runs" / "x")),
        ("output", Path("~") / "x", str(Path.home() / "x")),
        ("weights", "~/w.pth", str(Path.home() / "w.pth")),
        ("output", "a/~", "a/~"),
        ("backbone", "~", "~"),
        ("epochs", np.int32(1), 1),
        ("batch", np.uint8(8), 8),
        ("lr", np.float32(0.5), 0.5),
        ("lr", 1, 1.0),
        ("lr", "1e-3", 1e-3),
        ("scale", np.array(4.0), 4.0),
        ("size", [np.int64(256), 128], (256, 128)),
        ("crop", [0.5, 1], (0.5, 1.0)),
        ("crop", np.array([0.5, 0.75]), (0.5, 0.75)),
        ("jitter", [0, 0, 0, 0], (0.0, 0.0, 0.0, 0.0)),
        ("generator_epochs", range(3, 5), (3, 4)),
        ("mean", [0.5, 0.25, 0.125], (0.5, 0.25, 0.125)),
        ("deterministic", np.bool_(True), True),
        ("progress", 0, False),
        ("backbone_options", [("pad_type", "same")], {"pad_type": "same"}),
        ("device", "cuda:1", "cuda:1"),
        ("device", "cuda", "cuda"),
        ("device", "mps", "mps"),
        ("device", "cpu", "cpu"),
    ],
)
def test_values_are_brought_to_their_type(name: str, given: object, kept: object) -> None:
    found = made(name, given)
    assert found == kept and type(found) is type(kept)
    json.dumps(found)  # a run writes its settings down at its end
    if isinstance(found, tuple):
        assert [type(part) for part in found] == [type(part) for part in kept]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("device", "gpu", "auto, cpu, mps, cuda or cuda:1"),
        ("device", "cuda:", "auto, cpu, mps, cuda or cuda:1"),
        ("device", "cuda:-1", "auto, cpu, mps, cuda or cuda:1"),
        ("device", "cpu:0", "auto, cpu, mps, cuda or cuda:1"),
        ("device", "CUDA", "auto, cpu, mps, cuda or cuda:1"),
        ("device", "cuda:0\n", "auto, cpu, mps, cuda or cuda:1"),
        ("memory_mode", "Train", "one of train, eval"),
        ("image_embedding", "cosine", "one of cosines, features"),
        ("precision", "fp32", "one of auto, no, bf16, fp16"),
        ("no_negative", "push", "one of skip, pull"),
        ("generator", "heavy", "one of light, reference"),
        ("triplet_positive", None, "one of nearest, hardest"),
        ("jitter", 5, "4 numbers"),
        ("jitter", (0.1, 0.1, 0.1), "4 numbers"),
        ("jitter", (0.1, 0.1, 0.1, 0.6), "0 or more, at most 0.5"),
        ("jitter", (1.1, 0.1, 0.1, 0.1), "0 or more, at most 1"),
        ("jitter", "0.1", "4 numbers"),
        ("rotation", 181.0, "0 or more, at most 180"),
        ("rotation", -1.0, "0 or more, at most 180"),
        ("crop", (0.9, 0.5), "the smaller one first"),
        ("crop", (0.0, 0.5), "over 0, at most 1"),
        ("crop", (0.5, 1.5), "over 0, at most 1"),
        ("crop_form", 0.8, "1 or more"),
        ("momentum", 1.5, "0 or more, at most 1"),
        ("momentum", math.nan, "a number"),
        ("nearest", 0, "1 or more"),
        ("max_candidates", 0, "1 or more"),
        ("k", 0, "1 or more"),
        ("k", 3.0, "a whole number"),
        ("epochs", -1, "0 or more"),
        ("epochs", "60", "a whole number"),
        ("batch", 0, "1 or more"),
        ("batch", 42.5, "a whole number"),
        ("seed", -1, "0 or more"),
        ("workers", -1, "0 or more"),
        ("bn_splits", 0, "1 or more"),
        ("image_memory", -1, "0 or more"),
        ("memory_block", 1, "0 (all rows at once), or 2 or more"),
        ("scale", 0.0, "over 0"),
        ("scale", -5.0, "over 0"),
        ("lr", -1e-4, "0 or more"),
        ("lr", math.inf, "a number"),
        ("lr", "fast", "a number"),
        ("lr", None, "a number"),
        ("memory_momentum", 0.0, "over 0, at most 1"),
        ("center_momentum", 1.1, "over 0, at most 1"),
        ("weight_decay", -1.0, "0 or more"),
        ("generator_epochs", (40, 25), "the smaller one first"),
        ("generator_epochs", (25,), "2 numbers"),
        ("size", (384,), "2 numbers"),
        ("size", (384.0, 128), "a whole number"),
        ("size", 384, "2 numbers"),
        ("mean", (0.5, 0.5), "3 numbers"),
        ("mean", (0.5, 0.5, 124.0), "0 or more, at most 1"),
        ("std", (0.2, 0.2, 0.0), "over 0"),
        ("precision", ["bf16"], "one of auto, no, bf16, fp16"),
        ("lr", 10**400, "a number"),
        ("deterministic", "yes", "True or False"),
        ("output", 3, "text or a path"),
        ("backbone", None, "text or a path"),
        ("backbone_options", 3, "names with values"),
        ("backbone_options", "pad_type", "names with values"),
    ],
)
def test_a_wrong_value_is_one_line(name: str, value: object, expected: str) -> None:
    """It names the setting, the value and what is expected."""
    with pytest.raises(InputError) as error:
        made(name, value)
    message = str(error.value)
    assert message.startswith(f"found {name} = ") and f"; expected {expected}" in message and "\n" not in message
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value).strip()
    assert shown in message


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(TypeError, match="shard_memory"):
        pl.AdaptConfig(shard_memory=True)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", sorted(pl.PRESETS))
@pytest.mark.parametrize("phase", sorted(PHASES))
def test_presets_are_made_of_their_own_types(name: str, phase: str) -> None:
    found = getattr(pl.PRESETS[name], phase)
    assert type(found) is PHASES[phase]
    for field, check in checks_of(type(found)).items():
        value = getattr(found, field)
        assert check(field, value) == value and type(check(field, value)) is type(value)
    assert type(found)(**json.loads(json.dumps(dataclasses.asdict(found)))) == found
    assert found.precision == ("no" if name.endswith("-reference") or name == "paperdolls" else "auto")


def test_every_reference_preset_has_the_published_choices() -> None:
    assert set(pl.PRESETS) == {
        n + r for n in ("paperdolls", "market1501", "duke", "msmt17") for r in ("", "-reference")
    }
    for name, preset in pl.PRESETS.items():
        reference = name.endswith("-reference")
        assert preset.pretrain.generator == ("reference" if reference else "light")
        assert preset.pretrain.positive_may_be_anchor is reference and preset.adapt.generator_gradient is reference
        assert preset.adapt.no_negative == ("pull" if reference else "skip")


def test_replace_checks_again() -> None:
    preset = pl.PRESETS["paperdolls"].adapt
    with pytest.raises(InputError, match="found k = 0; expected 1 or more"):
        dataclasses.replace(preset, k=0)
    assert dataclasses.replace(preset, output=Path("a")).output == "a"
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset.k = 3  # type: ignore[misc]


@pytest.mark.parametrize("given", [pl.PRESETS["duke"], pl.PRESETS["duke"].pretrain, {"epochs": 3}, "duke"])
def test_something_else_than_settings_is_named(given: Any, dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    found = f"found a {type(given).__name__} as settings; expected a"
    with pytest.raises(InputError, match=rf'{found} AdaptConfig; give PRESETS\["market1501"\].adapt'):
        pl.adapt(given, dolls, start=net)
    if not isinstance(given, pl.PretrainConfig):
        with pytest.raises(InputError, match=rf'{found} PretrainConfig; give PRESETS\["market1501"\].pretrain'):
            pl.pretrain(given, dolls)


def test_a_user_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    no_home(monkeypatch)
    assert pl.AdaptConfig(output="runs/x").output == "runs/x"
    with pytest.raises(InputError, match="found ~/x and no home folder; expected one in place of ~; write the path"):
        pl.AdaptConfig(output="~/x")


def test_a_dictionary_is_copied() -> None:
    options = {"pad_type": "same"}
    made_of_it = pl.PretrainConfig(backbone_options=options)
    options["pad_type"] = "other"
    assert made_of_it.backbone_options == {"pad_type": "same"}


def test_every_field_says_what_it_is() -> None:
    """One sentence under each field, so that the command line's help and the reference have one to show."""
    for kind in (RunConfig, *PHASES.values()):
        source = inspect.getsource(getattr(config, kind.__name__))
        for name in kind.__annotations__:
            assert re.search(rf'^    {name}: [^\n]+\n    """[^\n]+', source, re.MULTILINE), (kind.__name__, name)
