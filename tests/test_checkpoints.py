"""Files: what is written comes back; the reference's layout is read; foreign and broken files are named."""

import dataclasses
import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import paullite as pl
from paullite.errors import InputError
from paullite.memory import FeatureMemory
from paullite.networks import network_of
from paullite.weights import read_weights


class ReferenceHeads(nn.Module):
    """The reference's layout by its names: one layer for each patch."""

    def __init__(self, patches: int, channels: int, dim: int, people: int, embedding: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, dim, 1), nn.BatchNorm2d(dim)) for _ in range(patches)
        )
        self.fc_list = nn.ModuleList(nn.Linear(dim, people) for _ in range(patches))
        self.embedding = nn.ModuleList(nn.Linear(dim, embedding) for _ in range(patches))


class ReferenceLayout(nn.Module):
    """A network of the reference's layout; small heads, the real backbone and generator names."""

    def __init__(self, net: pl.PatchNet, patches: int) -> None:
        super().__init__()
        self.backbone = net.backbone.net
        self.new = ReferenceHeads(patches, 2048, 16, 7, 8)
        self.patch_proposal = net.generator


@pytest.fixture(scope="module")
def reference_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReferenceLayout]:
    torch.manual_seed(0)
    net = pl.PatchNet(
        "resnet50.tv_in1k",
        feature_dim=16,
        embedding_dim=8,
        identities=7,
        pretrained=False,
        generator="reference",
        size=(128, 64),
    )
    layout = ReferenceLayout(net, 6)
    for module in layout.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    state = {f"module.{k}": v for k, v in layout.state_dict().items() if not k.endswith("num_batches_tracked")}
    path = tmp_path_factory.mktemp("reference") / "checkpoint.pth"
    torch.save({"epoch": 60, "state_dict": state}, path)
    return path, layout.eval()


@pytest.mark.slow
def test_reference_layout_gives_the_reference_features(reference_file: tuple[Path, ReferenceLayout]) -> None:
    path, layout = reference_file
    net = pl.load_reference_checkpoint(path)
    assert isinstance(network_of(path), pl.PatchNet)  # so --net and --start take it, too
    assert (net.patches, net.feature_dim, net.settings["identities"]) == (6, 16, 7)
    x = torch.randn(2, 3, 128, 64)
    with torch.no_grad():
        feature_map = layout.backbone.forward_features(x)
        theta = layout.patch_proposal(feature_map)
        pooled = pl.models.pool_patches(pl.models.patch_attention(theta, 8, 4), feature_map)
        for p in range(6):
            feature = layout.new.down[p](pooled[:, p, :, None, None]).flatten(1)
            expected = nn.functional.normalize(feature, dim=1)
            assert torch.allclose(net(x).features[:, p], expected, atol=1e-5)


def test_a_file_of_another_kind_is_named(tmp_path: Path, net: pl.PatchNet) -> None:
    ours = pl.save(net, tmp_path / "net.safetensors")
    with pytest.raises(InputError, match="expected a weight file of PAUL's reference implementation"):
        pl.load_reference_checkpoint(ours)
    bare = tmp_path / "bare.safetensors"
    save_file({"a": torch.zeros(1)}, bare)
    with pytest.raises(InputError, match="expected a file of this library"):
        pl.load(bare)
    with pytest.raises(InputError, match="found no file"):
        pl.load(tmp_path / "absent.safetensors")


def test_damaged_files_are_named(tmp_path: Path, net: pl.PatchNet) -> None:
    whole = pl.save(net, tmp_path / "net.safetensors").read_bytes()
    for name, content in (
        ("cut.safetensors", whole[: len(whole) // 2]),
        ("empty.pth", b""),
        ("text.pth", b"hello" * 9),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as caught:
            read_weights(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(InputError, match="damaged"):
        pl.load(tmp_path / "cut.safetensors")


class Trap:
    """Unpickling this would run a command."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 1",)


def test_foreign_files_run_no_code(tmp_path: Path) -> None:
    path = tmp_path / "trap.pth"
    path.write_bytes(pickle.dumps({"state_dict": Trap()}))
    with pytest.raises(InputError, match="cannot read"):
        read_weights(path)


def test_other_patches_or_backbone_than_the_weights(tmp_path: Path, net: pl.PatchNet) -> None:
    path = rewritten(pl.save(net, tmp_path / "net.safetensors"), network={**net.settings, "patches": 3})
    with pytest.raises(InputError, match=r"do not fit the network of P = 3 .*net.safetensors: .* first"):
        pl.load(path)


def rewritten(path: Path, **changes: object) -> Path:
    """The file with other entries in its header; ``None`` takes one out."""
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["paullite"]) | changes
    kept = {key: value for key, value in header.items() if value is not None}
    save_file({k: v.clone() for k, v in read_weights(path).items()}, path, {"paullite": json.dumps(kept)})
    return path


def adapted(net: pl.PatchNet) -> pl.Run:
    """A run with a memory, as phase 2 leaves it."""
    memory = FeatureMemory(3, 4, 16, momentum=0.3)
    memory.update(torch.tensor([2]), torch.ones(1, 4, 16))
    return pl.Run(net, [{"epoch": 0.0}], pl.PRESETS["paperdolls"].adapt, memories={"patches": memory})


def test_a_run_comes_back_with_its_memory(tmp_path: Path, net: pl.PatchNet) -> None:
    run = adapted(net)
    again = pl.load(pl.save(run, tmp_path / "run.safetensors"))
    assert isinstance(again, pl.Run) and again.config == run.config and again.history == run.history
    assert again.memories["patches"].momentum == pytest.approx(0.3)
    assert torch.equal(again.memories["patches"].features, run.memories["patches"].features)


def test_a_memory_of_version_1_has_its_momentum_in_the_header_alone(tmp_path: Path, net: pl.PatchNet) -> None:
    path = pl.save(adapted(net), tmp_path / "run.safetensors")
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys() if "extra_state" not in name}  # noqa: SIM118
        assert len(tensors) == len(file.keys()) - 1
        metadata = file.metadata()
    save_file(tensors, path, metadata=metadata)
    again = pl.load(path)
    assert isinstance(again, pl.Run) and again.memories["patches"].momentum == pytest.approx(0.3)


def test_a_setting_of_another_version_is_named(tmp_path: Path, net: pl.PatchNet) -> None:
    path = pl.save(adapted(net), tmp_path / "run.safetensors")
    config = {**dataclasses.asdict(pl.PRESETS["paperdolls"].adapt), "colour": 3}
    rewritten(path, config=config, version="7.1")
    with pytest.raises(InputError, match=r"'colour' in .*run.safetensors, written by paullite 7.1; expected .* 2\."):
        pl.load(path)
    assert torch.equal(network_of(path).embedding.weight, net.embedding.weight)  # the network alone needs none of it
    rewritten(path, network={**net.settings, "shape": "round"}, version=None)
    with pytest.raises(InputError, match="'shape' in .*, written by paullite 1"):
        pl.load(path)


def test_backbone_weights_from_a_file(tmp_path: Path) -> None:
    import timm

    torch.manual_seed(3)
    plain = timm.create_model("test_resnet", num_classes=11)
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.pth"
    save_file(plain.state_dict(), good)
    torch.save({"state_dict": {f"module.{k}": v for k, v in plain.state_dict().items()}}, bad)
    for path in (good, bad):  # a classifier in the file does no harm, nor does module.
        net = pl.PatchNet("test_resnet", weights=path, size=(128, 64))
        assert torch.equal(net.backbone.net.conv1[0].weight, plain.conv1[0].weight)
    with pytest.raises(InputError, match=r"do not fit 'mobilenetv2_100' \(good.safetensors\): .* missing"):
        pl.PatchNet("mobilenetv2_100", weights=good, size=(128, 64))


def test_a_full_disk_while_saving(tmp_path: Path, net: pl.PatchNet) -> None:
    """A limit on the size of files stands in for a full disk; what was there before stays."""
    resource = pytest.importorskip("resource")
    import signal

    path = tmp_path / "net.safetensors"
    path.write_text("the old one")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(InputError, match="cannot write .*net.safetensors.*free some room"):
            pl.save(net, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "the old one" and list(tmp_path.iterdir()) == [path]
