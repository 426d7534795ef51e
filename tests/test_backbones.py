"""Backbones from everywhere: names behind a source, models that were made elsewhere, maps that are too coarse."""

import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

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
    """The nearest size that it can take is named, and is one."""
    for size, nearest in (((384, 128), (378, 126)), (SIZE, (126, 70))):
        expected = "vit_small_patch14_dinov2.*divisible by patch size.*use --size {} {}".format(*nearest)
        with pytest.raises(InputError, match=expected):
            Backbone("vit_small_patch14_dinov2", size=size, pretrained=False, options={"depth": 1})
    fits = Backbone("vit_small_patch14_dinov2", size=(126, 70), pretrained=False, options={"depth": 1})
    assert fits.map_size == [9, 5]


class Says(nn.Module):
    """A module of one's own, whose output is not simply a map."""

    def __init__(self, say: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.trunk = trunk()
        self.say = say

    def forward(self, images: Tensor) -> object:
        return self.say(self.trunk(images))


@pytest.mark.parametrize(
    "say",
    [
        lambda x: [x[:, :, ::2], x],
        lambda x: (x,),
        lambda x: {"layer3": x[:, :, ::2], "layer4": x},
        lambda x: SimpleNamespace(last_hidden_state=x, pooler_output=x.mean((2, 3))),
        lambda x: x.permute(0, 2, 3, 1),
        lambda x: [x.permute(0, 2, 3, 1)],
    ],
)
def test_outputs_that_hold_a_map(say: Callable[[Tensor], object]) -> None:
    own = Says(say)
    backbone, x = built(own).eval().backbone, torch.randn(2, 3, *SIZE)
    assert (backbone.channels, backbone.map_size) == (6, [8, 4])
    assert torch.equal(backbone(x), own.trunk(x))


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (
            lambda x: SimpleNamespace(last_hidden_state=x.flatten(2).mT),
            r"of shape \(1, 32, 6\).*lay tokens out as a map",
        ),
        (lambda x: x.mean((2, 3)), r"an output of shape \(1, 6\)"),
        (lambda x: {}, "list index out of range"),
        (lambda x: "map", "no attribute 'shape'"),
        (lambda x: x.mean((2, 3), keepdim=True), "1 rows and 1 columns .* remove the pooling"),
    ],
)
def test_outputs_without_a_map_are_one_line(say: Callable[[Tensor], object], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        built(Says(say))
    assert "\n" not in str(caught.value)


def test_the_idiom_that_keeps_the_pooling() -> None:
    model = timm.create_model("test_resnet")
    with pytest.raises(InputError, match="1 rows and 1 columns from custom .* remove the pooling at the end"):
        built(nn.Sequential(*list(model.children())[:-1], nn.Unflatten(1, (-1, 1, 1))), patches=1)


SWIN = {"embed_dim": 24, "depths": (1, 1, 1, 1), "num_heads": (1, 1, 1, 1)}
NAMES = [("test_vit", {}), ("swin_tiny_patch4_window7_224", SWIN), ("test_resnet", {})]


@pytest.mark.filterwarnings("ignore")  # of torch, in timm's interpolation
@pytest.mark.parametrize(("name", "options"), NAMES)
def test_a_weight_file_of_another_image_size(name: str, options: dict, tmp_path: Path) -> None:
    """As timm reads it; what needs no resizing is taken as it is."""
    state = timm.create_model(name, **options).state_dict()
    save_file(state, tmp_path / "own.safetensors")
    backbone = Backbone(name, size=SIZE, weights=tmp_path / "own.safetensors", options=options).eval()
    own = backbone.net.state_dict()
    kept = [key for key, value in own.items() if value.shape == state[key].shape]
    assert all(torch.equal(own[key], state[key]) for key in kept)
    assert (len(kept) < len(own)) is (name != "test_resnet")
    by_timm = {"pretrained_cfg_overlay": {"file": str(tmp_path / "own.safetensors")}, **options}
    expected = Backbone(name, size=SIZE, options=by_timm).eval()
    assert torch.equal(backbone(x := torch.randn(1, 3, *SIZE)), expected(x))


@pytest.mark.parametrize(("name", "options"), NAMES[:2])
def test_a_weight_file_of_another_network(name: str, options: dict, tmp_path: Path) -> None:
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=rf"do not fit '{name}' \(other.safetensors\): \d+ of \d+ entries missing"):
        Backbone(name, size=SIZE, weights=tmp_path / "other.safetensors", options=options)


def test_names_of_the_hubs_pages() -> None:
    """timm/NAME is timm's own; another owner's needs the prefix."""
    assert built("timm/test_resnet.r160_in1k").settings["backbone"] == "test_resnet.r160_in1k"
    with pytest.raises(InputError, match=r"'BVRA/Mega'.* use hf-hub:BVRA/Mega, or for a folder local-dir:BVRA/Mega"):
        built("BVRA/Mega")


SURVEY = """test_vit test_vit2 test_resnet test_convnext test_efficientnet test_mambaout test_nfnet test_byobnet
resnetblur50 mobilenetv4_conv_small convnext_atto lcnet_050 regnetx_002 efficientformer_l1 pit_ti_224 crossvit_tiny_240
mvitv2_tiny swin_tiny_patch4_window7_224 edgenext_xx_small mobilevit_xxs fastvit_t8 deit_tiny_patch16_224
eva02_tiny_patch14_224 levit_128s xcit_nano_12_p16_224 tiny_vit_5m_224 efficientvit_b0 mixer_s32_224""".split()
NO_MAP = {"efficientformer_l1", "crossvit_tiny_240", "eva02_tiny_patch14_224"}  # not at this size


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:found a map of")
@pytest.mark.parametrize("name", SURVEY)
def test_a_survey_of_timm(name: str) -> None:
    """Each gives a map of the image's form, or one line that says why not."""
    if name in NO_MAP:
        with pytest.raises(InputError, match=f"no map from the backbone '{name}' at 128x64 pixels") as caught:
            built(name)
        assert "\n" not in str(caught.value)
        return
    net = built(name).eval()
    rows, columns = net.backbone.map_size
    out = net(torch.randn(2, 3, *SIZE))
    assert rows == 2 * columns and rows in (2, 4, 8) and net.backbone.channels >= 64
    assert torch.isfinite(out.features).all() and out.attention.shape == (2, 2, rows, columns)


def test_coarse_maps_are_said() -> None:
    with pytest.warns(
        UserWarning, match=r"4 rows .* from test_mambaout .* has 8 and 4\): 1.3 rows for each of 3 patches"
    ):
        built("test_mambaout", patches=3)
    with pytest.raises(InputError, match=r"4 rows and 2 columns .* 0.67 rows for each of 6 patches.*larger images"):
        built("test_mambaout", patches=6)
    with pytest.raises(InputError, match=r"8 rows .* expected one row or more for each patch"):
        built("test_resnet", patches=9)
    with pytest.warns(UserWarning, match="4 rows and 2 columns from custom"):
        built(trunk(stride=32), patches=4)
    with pytest.warns(UserWarning, match="4 rows and 8 columns .* 0.67 rows for each of 6 patches"):
        built("test_resnet", patches=6, size=(64, 128))  # a wide image, whose patches may be made columns


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
