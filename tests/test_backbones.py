"""Backbones from everywhere: names behind a source, models that were made elsewhere, maps that are too coarse."""

import json
import logging
import warnings
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import paullite as pl
from paullite.errors import InputError
from paullite.models import Backbone, PatchNet

SIZE = (128, 64)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def built(backbone: str | nn.Module, patches: int = 2, **options: object) -> PatchNet:
    """A PatchNet with small heads and no download."""
    options = {"size": SIZE, "pretrained": False, **options}
    return PatchNet(backbone, patches=patches, feature_dim=8, embedding_dim=4, **options)  # type: ignore[arg-type]


def trunk(channels: int = 6, stride: int = 16) -> nn.Module:
    """A module of one's own: one convolution."""
    return nn.Conv2d(3, channels, stride, stride=stride)


def test_a_timm_model_is_used_as_it_is() -> None:
    """Its classifier is passed by, its normalisation kept."""
    torch.manual_seed(0)
    model = timm.create_model("test_vit", img_size=SIZE, num_classes=10)
    model.pretrained_cfg["mean"] = (0.1, 0.2, 0.3)
    net = built(model).eval()
    named = built("test_vit").eval()
    named.backbone.net.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith("head.")})
    x = torch.randn(2, 3, *SIZE)
    assert torch.equal(net.backbone(x), named.backbone(x))
    assert net.normalisation.mean == (0.1, 0.2, 0.3)


def test_a_vit_gives_its_patch_tokens_in_order() -> None:
    """Without the class token, row by row, after the last norm."""
    backbone = built("test_vit").eval().backbone
    x = torch.randn(1, 3, *SIZE)
    tokens = backbone.net.forward_features(x)  # type: ignore[operator]
    assert backbone.map_size == [8, 4] and backbone.net.num_prefix_tokens == 1
    assert torch.allclose(backbone(x)[0, :, 2, 3], tokens[0, 1 + 2 * 4 + 3], atol=1e-6)


def test_every_stage_of_a_timm_model() -> None:
    model = timm.create_model("test_resnet", features_only=True, output_stride=16)
    net = built(model).eval()
    x = torch.randn(2, 3, *SIZE)
    assert torch.equal(net.backbone(x), model(x)[-1])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_module_in_another_dtype(dtype: torch.dtype, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "paullite"):
        net = built(trunk().to(dtype))
    assert caplog.text.count("normalisation") == 1 and net.normalisation == IMAGENET
    assert {p.dtype for p in net.parameters()} == {dtype}
    assert torch.isfinite(net(torch.randn(4, 3, *SIZE, dtype=dtype)).features).all()


def test_names_are_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """With a network of the presets nothing is warned of or logged."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING, "paullite"):
        warnings.simplefilter("error")
        built("test_resnet", patches=6)
    assert not caplog.records


def test_a_frozen_batch_norm_stays_frozen() -> None:
    own = nn.Sequential(trunk(), nn.BatchNorm2d(6)).train()
    own[1].eval()
    net = built(own)
    assert net.backbone.net[0].training and not net.backbone.net[1].training
    assert torch.equal(own[1].running_mean, torch.zeros(6))


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (nn.Sequential(trunk(), nn.Flatten()), r"an output of shape \(1, 192\)"),
        (nn.Linear(5, 5), "shapes cannot be multiplied"),
        (nn.Conv2d(1, 4, 3), "1 channel"),
    ],
)
def test_no_map_is_one_line(module: nn.Module, reason: str) -> None:
    with pytest.raises(InputError, match=f"no map from the backbone 'custom' at 128x64 pixels .*{reason}") as caught:
        built(module)
    assert "\n" not in str(caught.value)


def test_a_name_that_cannot_take_the_size() -> None:
    with pytest.raises(InputError, match="vit_small_patch14_dinov2.*divisible by patch size"):
        Backbone("vit_small_patch14_dinov2", size=SIZE, pretrained=False)


def test_coarse_maps_are_said() -> None:
    with pytest.warns(UserWarning, match=r"4 rows and 2 columns from test_mambaout .* 1.3 rows for each of 3 patches"):
        built("test_mambaout", patches=3)
    with pytest.raises(InputError, match=r"4 rows and 2 columns .* 0.67 rows for each of 6 patches.*larger images"):
        built("test_mambaout", patches=6)
    with pytest.raises(InputError, match=r"8 rows .* expected one row or more for each patch"):
        built("test_resnet", patches=9)
    with pytest.warns(UserWarning, match="4 rows and 2 columns from custom"):
        built(trunk(stride=32), patches=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as timm's hub has them, with a ResNet in it."""
    try:
        timm.models.parse_model_name("local-dir:folder")
    except AssertionError:
        pytest.skip("this timm has no local-dir: names")
    torch.manual_seed(5)
    model = timm.create_model("test_resnet")
    config = {
        "architecture": "test_resnet",
        "num_classes": 1000,
        "pretrained_cfg": {"mean": [0.1] * 3, "classifier": "fc"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    return tmp_path


def test_a_local_folder_as_name(folder: Path, tmp_path: Path) -> None:
    """Stride 16 like any ResNet, the folder's weights; a saved network does without the folder."""
    net = built(f"local-dir:{folder}", pretrained=True).eval()
    torch.manual_seed(5)
    assert torch.equal(net.backbone.net.conv1[0].weight, timm.create_model("test_resnet").conv1[0].weight)  # type: ignore[index,union-attr]
    assert net.backbone.map_size == [8, 4] and net.normalisation.mean == (0.1,) * 3
    path = pl.save(net, tmp_path / "net.safetensors")
    (folder / "config.json").unlink()
    x = torch.randn(1, 3, *SIZE)
    again = pl.load(path)
    assert isinstance(again, PatchNet) and torch.equal(again.retrieval_features(x), net.retrieval_features(x))


def test_a_hub_name_reaches_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not refused as unknown; without the hub one line says what to do."""

    def create(name: str, **options: object) -> Tensor:
        raise OSError(f"no route to {name}")

    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(InputError, match="cannot fetch .*no route to hf-hub:timm/resnet18.*weights=") as caught:
        PatchNet("hf-hub:timm/resnet18.a1_in1k")
    assert "\n" not in str(caught.value)
