"""PatchNet on several backbones; patches by attention against grid_sample and the reference."""

import dataclasses
from pathlib import Path

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

import paullite as pl
from paullite.adaptation import learning
from paullite.errors import InputError
from paullite.models import PatchLinear, PatchNet, patch_attention, pool_patches, stripes
from paullite.models.generators import LightGenerator, ReferenceGenerator
from paullite.modes import mode
from tests.conftest import cases

BACKBONES = ["resnet18", "test_resnet", "mobilenetv2_100", "convnext_atto", "test_vit"]


@pytest.mark.parametrize("number", range(3))
def test_pooling_is_the_reference(number: int) -> None:
    case = cases("patch_pooling")[number]
    feature_map, theta = case["map"].requires_grad_(), case["theta"].requires_grad_()
    pooled = pool_patches(patch_attention(theta, *feature_map.shape[-2:]), feature_map)
    (pooled * case["cotangent"]).sum().backward()
    assert torch.allclose(pooled, case["pooled"], atol=1e-6)
    assert feature_map.grad is not None and torch.allclose(feature_map.grad, case["grad_map"], atol=1e-6)
    if number != 2:  # there theta samples exactly on cells, where its slope is not unique
        assert theta.grad is not None and torch.allclose(theta.grad, case["grad_theta"], atol=1e-5)


def resampled(theta: torch.Tensor, feature_map: torch.Tensor, align_corners: bool) -> torch.Tensor:
    """The long way: P resampled copies of the map, each averaged."""
    patches = []
    for p in range(theta.shape[1]):
        grid = F.affine_grid(theta[:, p], list(feature_map.shape), align_corners=align_corners)
        patches.append(F.grid_sample(feature_map, grid, padding_mode="zeros", align_corners=align_corners).mean((2, 3)))
    return torch.stack(patches, 1)


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("height,width", [(24, 8), (8, 4), (5, 1), (1, 1), (3, 7)])
def test_pooling_is_grid_sample_and_mean(align_corners: bool, height: int, width: int) -> None:
    torch.manual_seed(0)
    feature_map = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
    theta = (stripes(4).double() + 0.3 * torch.randn(2, 4, 2, 3, dtype=torch.float64)).requires_grad_()
    ours = pool_patches(patch_attention(theta, height, width, align_corners=align_corners), feature_map)
    theirs = resampled(theta, feature_map, align_corners)
    assert torch.allclose(ours, theirs, atol=1e-12)
    weight = torch.randn_like(ours)
    mine = torch.autograd.grad((ours * weight).sum(), (feature_map, theta))
    long = torch.autograd.grad((theirs * weight).sum(), (feature_map, theta))
    assert all(torch.allclose(a, b, atol=1e-9) for a, b in zip(mine, long, strict=True))


@pytest.mark.parametrize(("width", "theirs", "ours"), [(0.99, 0, 0), (1, -0.375, 0), (1.01, -0.75, -0.75)])
def test_only_at_the_stripes_does_the_gradient_differ_from_the_samplers(
    width: float, theirs: float, ours: float
) -> None:
    """Of the mass, by the width: all points of a stripe sit on corners of tents, where no slope is the right one."""
    theta = stripes(6)[None, 2:3].double()
    theta[..., 0, 0] = width
    theta.requires_grad_()
    ones = torch.ones(1, 1, 8, 4, dtype=torch.float64)
    masses = resampled(theta, ones, True), pool_patches(patch_attention(theta, 8, 4), ones)
    slopes = [float(torch.autograd.grad(mass.sum(), theta)[0][0, 0, 0, 0]) for mass in masses]
    assert slopes == pytest.approx([theirs, ours], abs=1e-9)


def test_default_align_corners_moves_the_outer_stripes() -> None:
    """The price of forgetting align_corners=True that method.md names: 3.1 % of the outer patches' mass."""
    mass = patch_attention(stripes(6)[None], 24, 8, align_corners=False).sum((2, 3))[0]
    assert mass[0] == pytest.approx(1 - 0.03125, abs=1e-3) and mass[2] == pytest.approx(1, abs=1e-6)
    assert patch_attention(stripes(6)[None], 24, 8).sum((2, 3)) == pytest.approx(torch.ones(1, 6), abs=1e-5)


def test_stripes_cover_the_image_once() -> None:
    for patches in (1, 4, 6, 8):
        theta = stripes(patches)
        top = theta[:, 1, 2] - theta[:, 1, 1]
        assert top == pytest.approx(-1 + 2 * torch.arange(patches) / patches, abs=1e-6)
    with pytest.raises(InputError):
        stripes(0)


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone(name: str, dolls: pl.data.PaperDolls, tmp_path: Path) -> None:
    net = small(name)
    x = torch.randn(2, 3, *net.size)
    out = net.train()(x)
    assert out.attention.shape == (2, 2, 4, 2)
    assert torch.allclose(out.features.norm(dim=-1), torch.ones(2, 2), atol=1e-5)

    config = dataclasses.replace(pl.PRESETS["paperdolls"].adapt, epochs=1, batch=2, workers=0, progress=False, k=2)
    run = pl.adapt(dataclasses.replace(config, evaluate_every=0), dolls.train.take(range(4)).unlabelled(), start=net)
    assert any(not torch.equal(a, b) for a, b in zip(net.parameters(), run.net.parameters(), strict=True))

    again = pl.load(pl.save(run.net, tmp_path / "net.safetensors"))
    assert torch.equal(again.retrieval_features(x), run.net.retrieval_features(x))


def small(name: str, generator: str = "light") -> PatchNet:
    """A network of two patches on pictures of 64 x 32 pixels, or four times that for the reference's generator."""
    torch.manual_seed(0)
    sizes = {"patches": 2, "feature_dim": 8, "embedding_dim": 4, "identities": 5}
    size = (128, 64) if generator == "reference" else (64, 32)
    return PatchNet(name, **sizes, pretrained=False, size=size, generator=generator)


@pytest.mark.parametrize(("name", "generator"), [*((n, "light") for n in BACKBONES), ("test_resnet", "reference")])
def test_every_parameter_gets_a_gradient(name: str, generator: str) -> None:
    """With a generator that has left its start, every parameter gets a gradient from the losses of both phases."""
    net = small(name, generator).train()
    with torch.no_grad():
        for n, p in net.named_parameters():
            if not p.any() and n.endswith("weight"):  # the generator's, and the last norm of a residual branch in timm
                p.normal_(0.1, 0.05)
    labels = torch.tensor([0, 0, 1, 1])
    out = net(torch.randn(4, 3, *net.size))
    loss = sum(F.cross_entropy(patch, labels) for patch in out.logits)
    loss = loss + pl.losses.batch_triplet(out.source_embedding, labels) + out.embedding.square().sum()
    loss.backward()
    without = {n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
    # a bias right before batch-norm is taken out again by it: whatever gradient it gets is rounding
    assert without <= {"reduction.bias", "generator.localization.0.bias"} | {n for n in without if unused_in_maps(n)}


def unused_in_maps(name: str) -> bool:
    """Parts of timm's networks that a map does not pass: heads of other uses."""
    return name.startswith("backbone.net.") and any(part in name for part in ("head", "fc_norm", "cls_token"))


def test_resnet_keeps_stride_16_and_all_its_weights() -> None:
    net = PatchNet("resnet50.tv_in1k", pretrained=False, size=(384, 128)).backbone
    assert net(torch.zeros(1, 3, 384, 128)).shape == (1, 2048, 24, 8)
    plain = timm.create_model("resnet50", num_classes=0)
    assert net.net.state_dict().keys() == plain.state_dict().keys()
    assert all(m.dilation == (1, 1) for m in net.modules() if isinstance(m, nn.Conv2d))


def test_own_module_as_backbone(tmp_path: Path) -> None:
    own = nn.Sequential(nn.Conv2d(3, 10, 3, stride=4), nn.ReLU())
    net = PatchNet(own, patches=2, feature_dim=8, embedding_dim=4, size=(64, 32)).eval()
    x = torch.randn(2, 3, 64, 32)
    path = pl.save(net, tmp_path / "own.safetensors")
    with pytest.raises(InputError, match="backbone=your_module"):
        pl.load(path)
    again = pl.load(path, backbone=nn.Sequential(nn.Conv2d(3, 10, 3, stride=4), nn.ReLU()))
    assert torch.equal(net.retrieval_features(x), again.retrieval_features(x))


def test_patch_linear_is_one_linear_per_patch() -> None:
    layer, x = PatchLinear(3, 5, 7), torch.randn(2, 3, 5)
    for p in range(3):
        assert torch.allclose(layer(x)[:, p], F.linear(x[:, p], layer.weight[p], layer.bias[p]), atol=1e-6)


def test_one_batch_norm_is_one_for_each_patch() -> None:
    torch.manual_seed(0)
    x, whole = torch.randn(6, 3, 5), nn.BatchNorm1d(15)
    each = torch.stack([nn.BatchNorm1d(5)(x[:, p]) for p in range(3)], 1)
    assert torch.allclose(whole(x.flatten(1)).view_as(x), each, atol=1e-6)


@pytest.mark.parametrize("generator", [LightGenerator, ReferenceGenerator])
def test_generators_start_at_the_stripes(generator: type[nn.Module]) -> None:
    theta = generator(16, 4)(torch.randn(3, 16, 6, 4))
    assert torch.allclose(theta, stripes(4).expand(3, -1, -1, -1))


@pytest.mark.parametrize("height", [24, 8, 11, 5])
def test_the_light_generator_averages_to_a_column(height: int) -> None:
    """Rows and width as adaptive pooling means them, then the two layers."""
    torch.manual_seed(0)
    light = LightGenerator(6, 3)
    light.linear.weight.data.normal_(0, 0.1)
    x = torch.randn(2, 6, height, 3)
    column = F.adaptive_avg_pool2d(x, (light.rows, 1)).squeeze(3)
    expected = light.linear(F.relu(light.conv(column)).flatten(1)).view(2, 3, 2, 3)
    assert torch.allclose(light(x), expected, atol=1e-5)


def test_sizes_of_the_generators() -> None:
    """77.6 M parameters for the reference's, and under 1 % of ResNet-50's work for ours."""
    assert sum(p.numel() for p in ReferenceGenerator(2048, 6).parameters()) == pytest.approx(77.6e6, rel=0.001)
    light = LightGenerator(2048, 6)
    work = light.conv.weight.numel() * light.rows + light.linear.weight.numel() + 2048 * 24 * 8 * light.rows
    assert work < 0.01 * 6.08e9


def test_generator_can_rest() -> None:
    torch.manual_seed(0)
    net = PatchNet("test_resnet", patches=2, feature_dim=8, embedding_dim=4, pretrained=False, size=(128, 64))
    net.generator.linear.weight.data.normal_(0, 0.1)
    x = torch.randn(4, 3, 128, 64)
    free, rests = net(x), net(x, generator_gradient=False)
    assert free.theta.requires_grad and not rests.theta.requires_grad
    assert torch.equal(free.theta, rests.theta)
    learned = learning(net)
    assert not any(p.requires_grad for p in net.generator.parameters()) and all(p.requires_grad for p in learned)
    assert net(x).theta.requires_grad  # through theta, to the backbone: what the reference does


def test_embedding_is_the_cosines(net: PatchNet) -> None:
    out = net.eval()(torch.randn(2, 3, 128, 64))
    p, row = 1, 3
    cosine = F.cosine_similarity(out.features[:, p], net.embedding.weight[p, row][None], dim=-1)
    assert torch.allclose(out.embedding[:, p * 8 + row], cosine, atol=1e-6)


def test_normalisation_is_saved_with_the_net(net: PatchNet, tmp_path: Path) -> None:
    net.normalisation = pl.models.Normalisation((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    again = pl.load(pl.save(net, tmp_path / "net.safetensors"))
    assert again.normalisation == net.normalisation
    assert PatchNet("resnet50.tv_in1k", patches=2, pretrained=False, size=(64, 32)).normalisation.mean == (
        0.485,
        0.456,
        0.406,
    )


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(InputError, match=r"resnet5o.*nearest names: .*resnet50"):
        PatchNet("resnet5o", pretrained=False)
    with pytest.raises(InputError, match="expected one of light, reference"):
        PatchNet("test_resnet", pretrained=False, generator="heavy")


def test_a_map_too_small_for_the_reference_generator() -> None:
    net = PatchNet("test_resnet", pretrained=False, generator="reference", size=(128, 64))
    with pytest.raises(InputError, match=r"2x2 cells; expected 3x3 .*--generator light"):
        net(torch.zeros(2, 3, 32, 32))


def test_hub_out_of_reach_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("no route to the hub")

    monkeypatch.setattr(timm, "create_model", no_network)
    with pytest.raises(InputError, match=r"cannot fetch the weights of 'resnet18'.*--weights FILE") as caught:
        PatchNet("resnet18", pretrained=True)
    assert "\n" not in str(caught.value)


def test_a_feature_of_one_image(net: PatchNet, dolls: pl.data.PaperDolls, tmp_path: Path) -> None:
    """Of a picture or its path; its length is 1; nothing about the network changes."""
    net.train()
    net.norm.eval()  # somebody froze it
    flags = [module.training for module in net.modules()]
    state = {key: value.clone() for key, value in net.state_dict().items()}
    one, other = (net.feature(dolls.query[i].image) for i in (0, 1))
    assert one.shape == (net.num_features,) == (64,) and not one.requires_grad
    assert float(one @ one) == pytest.approx(1, abs=1e-6)
    assert [module.training for module in net.modules()] == flags
    assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())
    images = torch.stack([net.transform(dolls.query[i].image) for i in (0, 1)])
    a, b = net.eval().retrieval_features(images).detach()
    assert float(one @ other) == pytest.approx(float(F.cosine_similarity(a, b, dim=0)), abs=1e-5)
    dolls.query[0].image.save(tmp_path / "one.png")
    assert torch.allclose(net.feature(tmp_path / "one.png"), one, atol=1e-6)
    assert torch.allclose(net.feature(str(tmp_path / "one.png")), one, atol=1e-6)
    assert net.feature(dolls.query[0].image.convert("L")).shape == one.shape
    with pytest.raises(InputError, match="cannot read the image .*absent.png"):
        net.feature(tmp_path / "absent.png")


def test_flags_come_back_after_an_error(net: PatchNet) -> None:
    net.train().norm.eval()
    with pytest.raises(RuntimeError), mode(net, False):
        assert not net.backbone.training
        raise RuntimeError
    assert net.backbone.training and not net.norm.training


def test_a_new_classifier_for_another_source(net: PatchNet, tmp_path: Path) -> None:
    features = net.eval().retrieval_features(x := torch.randn(2, 3, 128, 64))
    net.double().reset_classifier(9)
    assert [patch.shape for patch in net(x.double()).logits] == [(2, 9)] * 4
    assert pl.load(pl.save(net, tmp_path / "net.safetensors")).settings["identities"] == 9
    net.float().reset_classifier(None)
    assert net(x).logits == () and net.settings["identities"] is None
    assert torch.allclose(net.retrieval_features(x), features, atol=1e-6)


@pytest.mark.parametrize("size", ["patches", "feature_dim", "embedding_dim"])
def test_sizes_below_one(size: str) -> None:
    with pytest.raises(InputError, match=f"found {size} = 0; expected 1 or more"):
        PatchNet("test_resnet", pretrained=False, size=(128, 64), **{size: 0})  # type: ignore[arg-type]


def test_sizes_are_named() -> None:
    with pytest.raises(TypeError, match="positional"):
        PatchNet("test_resnet", 4)  # type: ignore[misc]
