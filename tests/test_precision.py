"""PatchNet in every precision: places of patches and cosines never in less than float32."""

import dataclasses

import pytest
import torch

import paullite as pl
from paullite.diagnostics import Diagnosis
from paullite.models import PatchNet, PatchOutput, patch_attention, stripes
from paullite.modes import at_least_float32, full_precision

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-6, torch.float16: 0.01, torch.bfloat16: 0.06}


def places() -> torch.Tensor:
    """Patches that have left the stripes."""
    torch.manual_seed(0)
    return stripes(4) + 0.2 * torch.randn(3, 4, 2, 3)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_attention_is_that_of_the_rounded_places(dtype: torch.dtype) -> None:
    """Whatever the dtype, the only error is that of theta itself."""
    theta = places().to(dtype)
    attention = patch_attention(theta, 24, 8)
    assert attention.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    exact = patch_attention(theta.double(), 24, 8)
    assert (attention - exact).abs().max() < 1e-5 * exact.max()


def test_attention_under_autocast_is_float32() -> None:
    theta = places()
    with torch.autocast("cpu", torch.bfloat16):
        attention = patch_attention(theta, 24, 8)
    assert torch.equal(attention, patch_attention(theta, 24, 8))


def small(generator: str = "light") -> PatchNet:
    """A network whose generator has left its start, in evaluation mode."""
    torch.manual_seed(0)
    net = PatchNet(
        "test_resnet", patches=3, feature_dim=8, embedding_dim=4, pretrained=False, generator=generator, size=(128, 64)
    )
    last = net.generator.linear if generator == "light" else net.generator.fc_loc[-1]  # type: ignore[index]
    torch.nn.init.normal_(last.weight, 0, 0.05)  # type: ignore[union-attr,arg-type]
    return net.eval()


@pytest.mark.parametrize("generator", ["light", "reference"])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_network_in_any_dtype(dtype: torch.dtype, generator: str) -> None:
    net, x = small(generator), torch.randn(2, 3, 128, 64)
    exact = net.double()(x.double())
    out = net.to(dtype)(x.to(dtype))
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    assert {part.dtype for part in out[:4]} == {wide} and out.source_embedding.dtype == dtype
    assert differences(out, exact) < TOLERANCE[dtype]
    out.embedding.sum().backward()
    assert net.backbone.net.conv1[0].weight.grad.dtype == dtype  # type: ignore[index,union-attr]


def differences(out: PatchOutput, exact: PatchOutput) -> float:
    """The largest in the features and the cosines, which lie in -1..1, and in the places."""
    return max(float((out[i].double() - exact[i]).detach().abs().max()) for i in range(3))


@pytest.mark.parametrize("generator", ["light", "reference"])
def test_places_under_autocast_are_not_rounded(generator: str) -> None:
    """A generator at its start says -0.6667, not bfloat16's -0.6680."""
    net = PatchNet("test_resnet", patches=3, pretrained=False, generator=generator, size=(128, 64))
    with torch.autocast("cpu", torch.bfloat16):
        theta = net(torch.randn(2, 3, 128, 64)).theta
    assert torch.equal(theta, stripes(3).expand(2, -1, -1, -1))


def test_cosines_under_autocast_are_exact() -> None:
    """Given the features, whose backbone computes in bfloat16."""
    net, x = small(), torch.randn(2, 3, 128, 64)
    with torch.autocast("cpu", torch.bfloat16):
        out = net(x)
    rows = torch.nn.functional.normalize(net.embedding.weight.double(), dim=-1)
    exact = torch.einsum("bpd,ped->bpe", out.features.double(), rows).flatten(1)
    assert out.embedding.dtype == torch.float32 and (out.embedding - exact).abs().max() < 1e-6
    assert differences(out, net.double()(x.double())) < TOLERANCE[torch.bfloat16]


def test_the_judge_of_a_run_is_evaluate(dolls: pl.data.PaperDolls) -> None:
    """A run in half precision writes down the scores that its network has afterwards."""
    few = pl.data.ReIDDataset("few", dolls.train.take(range(8)), dolls.query, dolls.gallery)
    config = dataclasses.replace(pl.PRESETS["paperdolls"].adapt, epochs=1, batch=8, k=3, workers=0, progress=False)
    config = dataclasses.replace(config, precision="bf16", device="cpu", dry_step=False, evaluate_every=1)
    start, dtypes = small(), []
    start.reduction.register_forward_pre_hook(lambda _, given: dtypes.append(given[0].dtype))  # its copy has it, too
    run = pl.adapt(config, few, start=start)
    assert torch.bfloat16 in dtypes and dtypes[-1] == torch.float32  # the steps were half precision, the judge was not
    scores = pl.evaluate(run.net, few).headline()
    assert {name: run.history[-1][name] for name in scores} == scores


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_in_any_dtype_takes_pictures(dtype: torch.dtype, dolls: pl.data.PaperDolls) -> None:
    """One picture, a whole test and the places of patches, whose pixels are float32."""
    image = dolls.query[0].image
    exact = small().double().feature(image)
    net = small().to(dtype)
    assert (net.feature(image) - exact).abs().max() < TOLERANCE[dtype]
    assert 0 <= pl.evaluate(net, dolls).rank1 <= 1
    assert len(Diagnosis(dolls, pl.AdaptConfig()).heights(net, images=2)) == 3


def test_devices_that_know_no_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16), full_precision(torch.device("meta")):
        pass
    x = torch.ones(2, 2)
    with torch.autocast("cpu", torch.bfloat16), full_precision(x.device):
        assert (x @ x).dtype == torch.float32


def test_only_half_precision_is_widened() -> None:
    dtypes = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    widened = [at_least_float32(torch.ones(1, dtype=dtype)).dtype for dtype in dtypes]
    assert widened == [torch.float32, torch.float32, torch.float32, torch.float64]
