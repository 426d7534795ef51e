"""Networks and runs as files: safetensors with all else as JSON in the header, no pickle; ONNX for other programs."""

import copy
import dataclasses
import inspect
import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from safetensors import safe_open
from safetensors.torch import save as serialise
from torch import Tensor, nn

from .config import AdaptConfig, PretrainConfig
from .errors import InputError
from .files import expanded, replacing
from .memory import FeatureMemory
from .models import Normalisation, PatchNet
from .run import Run
from .version import __version__
from .weights import is_safetensors, load_weights, read_weights

FORMAT = "paullite-1"
PHASES = {kind.__name__: kind for kind in (PretrainConfig, AdaptConfig)}


def save(thing: PatchNet | Run, path: str | Path) -> Path:
    """Write a network, or a run with its settings, history and memories, to one file, whose path is returned.

    The file, usually ``*.safetensors``, is replaced only when the new one is whole: where the disk is full or the
    folder cannot be written, an `InputError` says so and what was at ``path`` stays.

    >>> import tempfile
    >>> net = PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(save(net, Path(folder) / "net.safetensors"))
    >>> all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), again.state_dict().values()))
    True
    """
    path = expanded(path)
    net = thing.net if isinstance(thing, Run) else thing
    tensors = {f"net.{key}": value for key, value in net.state_dict().items()}
    header: dict[str, Any] = {"network": net.settings, "normalisation": net.normalisation}
    header |= {"format": FORMAT, "version": __version__}
    if isinstance(thing, Run):
        header |= {"config": dataclasses.asdict(thing.config), "phase": type(thing.config).__name__}
        header |= {"history": thing.history, "memories": {k: float(m.momentum) for k, m in thing.memories.items()}}
        for name, memory in thing.memories.items():
            tensors |= {f"memory.{name}.{key}": value for key, value in memory.state_dict().items()}
    # copies: tensors that share storage, or are views, are refused by safetensors
    copies = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(serialise(copies, metadata={"paullite": json.dumps(header, default=str)}))
    return path


def load(path: str | Path, *, backbone: nn.Module | None = None) -> PatchNet | Run:
    """Read what `save` wrote, else an `InputError`; ``backbone`` is the module that served as such, if not timm's."""
    path = expanded(path)
    header, tensors = _read(path)
    net = _network(header, tensors, path, backbone)
    if "config" not in header:
        return net
    kind = PHASES[header["phase"]]
    _check_settings(header["config"], kind.__dataclass_fields__, header, path)
    run = Run(net, header["history"], kind(**header["config"]), path.parent)
    for name, momentum in header["memories"].items():
        state = _part(tensors, f"memory.{name}.")
        memory = run.memories[name] = FeatureMemory(*state["features"].shape, momentum=momentum)
        memory.load_state_dict(memory.state_dict() | state)  # in version 1, only the header has the momentum
    return run


def network_of(start: PatchNet | Run | str | Path) -> PatchNet:
    """The network in a run, in a file of this library or of the reference implementation, or as it is."""
    if isinstance(start, PatchNet | Run):
        return start.net if isinstance(start, Run) else start
    if not isinstance(start, str | Path):
        raise InputError(f"found a {type(start).__name__} as start", "expected a PatchNet, a Run or a file of one")
    path = expanded(start)
    if path.is_file() and not is_safetensors(path):
        return load_reference_checkpoint(path)
    return _network(*_read(path), path)  # the settings of a run are not read, so that one of any version will do


Shipped = Literal["source", "adapted", "v1/source", "v1/adapted"]


def shipped_net(name: Shipped = "source") -> PatchNet:
    """A network that comes with the package, of drawn people and seed 0: after phase 1, or after PAUL on the target.

    Those of ``v1/`` know the world of the first edition, ``PaperDolls(..., passage_share=0)``.
    """
    folder, _, kind = name.rpartition("/")
    path = files("paullite") / "weights" / folder / f"paperdolls_{kind}.safetensors"
    if not path.is_file():
        raise InputError(f"found no {path}", f"expected one of {', '.join(get_args(Shipped))}", "run: make weights")
    return network_of(str(path))


def load_reference_checkpoint(path: str | Path) -> PatchNet:
    """Read a weight file of PAUL's reference implementation (either phase) into a `PatchNet`.

    Its layout: ``torch.save({"epoch": ..., "state_dict": ...})`` with every key behind ``module.``; another one is an
    `InputError`. The number of patches, sizes and identities are read from the shapes.
    """
    state = read_weights(path)
    patches = len({key.split(".")[2] for key in state if key.startswith("new.down.")})
    layers = {"feature_dim": "new.down.0.0", "embedding_dim": "new.embedding.0", "identities": "new.fc_list.0"}
    needed = ("backbone.conv1", *layers.values(), "patch_proposal.fc_loc.2")
    absent = [name for name in needed if f"{name}.weight" not in state]
    if absent:
        found = f"found no {absent[0]}.weight among the {len(state)} entries of {Path(path).name}"
        expected = "expected a weight file of PAUL's reference implementation"
        raise InputError(found, expected, "for a file of this library use pl.load")
    sizes: dict[str, Any] = {size: len(state[f"{name}.weight"]) for size, name in layers.items()}
    net = PatchNet("resnet50.tv_in1k", patches=patches, **sizes, pretrained=False, generator="reference")
    load_weights(net, _renamed(state, patches), owner=f"the reference's network ({Path(path).name})")
    return net.eval()


def _renamed(state: Mapping[str, Tensor], patches: int) -> dict[str, Tensor]:
    """The reference's names and one layer per patch -> our names and all patches in one tensor."""
    ours = {f"backbone.net.{key}": value for key, value in _part(state, "backbone.").items() if key[:3] != "fc."}
    ours |= {f"generator.{key}": value for key, value in _part(state, "patch_proposal.").items()}  # fc: ImageNet's
    layers = {"reduction": "new.down.{}.0", "classifier": "new.fc_list.{}", "embedding": "new.embedding.{}"}
    for name, theirs in layers.items():
        weights, biases = ([state[f"{theirs.format(p)}.{kind}"] for p in range(patches)] for kind in ("weight", "bias"))
        ours[f"{name}.weight"] = torch.stack(weights).flatten(2)  # a 1x1 convolution is a linear layer
        ours[f"{name}.bias"] = torch.stack(biases)
    for kind in ("weight", "bias", "running_mean", "running_var"):
        ours[f"norm.{kind}"] = torch.cat([state[f"new.down.{p}.1.{kind}"] for p in range(patches)])
    return ours


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    tensors, header = read_weights(path), {}
    if is_safetensors(path):
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get("paullite", "{}"))
    if header.get("format") != FORMAT:
        do = "for bare backbone weights use --weights, for the reference's files pl.load_reference_checkpoint"
        raise InputError(f"found no header of ours in {path}", f"expected a file of this library ({FORMAT})", do)
    return header, tensors


def _network(
    header: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path, backbone: nn.Module | None = None
) -> PatchNet:
    settings = dict(header["network"])
    if settings["backbone"] == "custom":
        settings["backbone"] = backbone
        if backbone is None:
            do = "use pl.load(path, backbone=your_module)"
            raise InputError(f"found a network on a module of one's own in {path}", "expected that module", do)
    _check_settings(settings, inspect.signature(PatchNet).parameters, header, path)
    net = PatchNet(**settings, pretrained=False)
    net.normalisation = Normalisation(*map(tuple, header["normalisation"]))
    owner = f"the network of P = {net.patches} and backbone {net.backbone.name!r} in {path.name}"
    load_weights(net, _part(tensors, "net."), owner=owner)
    return net.eval()


def _check_settings(settings: Mapping[str, Any], known: Collection[str], header: Mapping[str, Any], path: Path) -> None:
    for name in settings:
        if name not in known:
            found = f"found the setting {name!r} in {path}, written by paullite {header.get('version', '1')}"
            do = "read it with that version; as start=... or --net, where the network alone is read, a run will do"
            raise InputError(found, f"expected the settings of paullite {__version__}", do)


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


class _Retrieval(nn.Sequential):
    def forward(self, images: Tensor) -> Tensor:
        return self[0].retrieval_features(images)  # type: ignore[operator]


def export_onnx(net: PatchNet, path: str | Path) -> Path:
    """Write `PatchNet.retrieval_features`, in evaluation mode and float32, to an ONNX file, whose path is returned.

    Input ``images``: (B, 3, height, width) float32 with any B, resized and normalised as ``net.transform`` does it.
    Output ``features``: (B, P * D) float32, P unit vectors side by side, for ranking by cosine. The file's metadata
    ``paullite`` repeats size, mean and standard deviation as JSON. The network is not changed. An `InputError` says
    that the packages for it are not installed, or that the file cannot be written.
    """
    images = torch.zeros(2, 3, *net.size)  # not 1, which the exporter would take for a number that never changes
    frozen = _Retrieval(copy.deepcopy(net)).to("cpu", torch.float32).eval()
    options: dict[str, Any] = {"dynamic_shapes": {"images": {0: torch.export.Dim("batch")}}, "dynamo": True}
    options |= {"input_names": ["images"], "output_names": ["features"], "verbose": False}
    try:
        program: Any = torch.onnx.export(frozen, (images,), **options)
        program.model.metadata_props["paullite"] = json.dumps({"size": net.size, **net.normalisation._asdict()})
        program.save(expanded(path))
    except ImportError as error:  # onnx and onnxscript, which few need
        raise InputError(f"cannot export ({error})", "expected onnx", 'run: pip install "paullite[onnx]"') from None
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror})", "expected a folder that may be written") from None
    return expanded(path)
