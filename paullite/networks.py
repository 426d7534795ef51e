"""Networks and runs as files: safetensors, with everything that is not a tensor as JSON in its header. No pickle."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor, nn

from .config import AdaptConfig, PretrainConfig
from .errors import InputError
from .files import replacing
from .memory import FeatureMemory
from .models import Normalisation, PatchNet
from .run import Run
from .version import __version__
from .weights import is_safetensors, load_weights, read_weights

FORMAT = "paullite-1"
PHASES = {kind.__name__: kind for kind in (PretrainConfig, AdaptConfig)}


def save(thing: PatchNet | Run, path: str | Path) -> Path:
    """Write a network or a run to one file.

    Args:
        thing: a `PatchNet`, or a `Run` with its network, settings, history and memories.
        path: file to write, usually ``*.safetensors``. It is replaced only when the new one is whole.

    Returns:
        The path.

    Raises:
        InputError: the disk is full or the folder cannot be written; what was at ``path`` stays.

    >>> import tempfile
    >>> net = PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(save(net, Path(folder) / "net.safetensors"))
    >>> all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), again.state_dict().values()))
    True
    """
    path = Path(path)
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
    """Read what `save` wrote: a `PatchNet`, or a `Run`.

    Args:
        path: the file.
        backbone: the module that served as backbone, if it was no timm network.

    Raises:
        InputError: no such file, another kind of file, a damaged one, or no backbone for it.
    """
    path = Path(path)
    header = _header(path)
    tensors = read_weights(path)
    net = _network(header, tensors, path, backbone)
    if "config" not in header:
        return net
    kind, settings = PHASES[header["phase"]], _tuples(header["config"])
    _check_settings(settings, kind.__dataclass_fields__, header, path)
    memories = {name: _memory(_part(tensors, f"memory.{name}."), m) for name, m in header["memories"].items()}
    return Run(net, header["history"], kind(**settings), path.parent, memories)


def load_network(path: str | Path) -> PatchNet:
    """The network in a file of this library, or in one of the reference implementation.

    Settings of a run are not read, so that one of another version does as well.

    Raises:
        InputError: see `load` and `load_reference_checkpoint`.
    """
    path = Path(path)
    if path.is_file() and not is_safetensors(path):
        return load_reference_checkpoint(path)
    return _network(_header(path), read_weights(path), path)


def network_of(start: PatchNet | Run | str | Path) -> PatchNet:
    """The network in a run, a file, or as it is."""
    if isinstance(start, str | Path):
        return load_network(start)
    return start.net if isinstance(start, Run) else start


def shipped_net(name: Literal["source", "adapted"] = "source") -> PatchNet:
    """A network that comes with the package: on drawn people, with seed 0 (``make weights``).

    Args:
        name: "source", after phase 1; "adapted", the same after PAUL on the drawn target.

    Raises:
        InputError: another name, or the package was installed without its weights.
    """
    if name not in ("source", "adapted"):
        raise InputError(f"found the shipped network {name!r}", 'expected "source" or "adapted"')
    path = files("paullite") / "weights" / f"paperdolls_{name}.safetensors"
    if not path.is_file():
        raise InputError(f"found no file {path}", "expected the weights that come with paullite", "run: make weights")
    return load_network(str(path))


def load_reference_checkpoint(path: str | Path) -> PatchNet:
    """Read a weight file of PAUL's reference implementation (either phase) into a `PatchNet`.

    Its layout: ``torch.save({"epoch": ..., "state_dict": ...})`` with every key behind ``module.``. The number of
    patches, sizes and identities are read from the shapes.

    Raises:
        InputError: the file is missing, cannot be read without unpickling code, or has another layout.
    """
    state = {key.removeprefix("module."): value for key, value in read_weights(path).items()}
    patches = len({key.split(".")[2] for key in state if key.startswith("new.down.")})
    needed = ("backbone.conv1.weight", "new.fc_list.0.weight", "new.embedding.0.weight", "patch_proposal.fc_loc.2.bias")
    absent = [key for key in needed if key not in state]
    if absent or not patches:
        raise InputError(
            f"found no {(absent or ['new.down.0.0.weight'])[0]} among the {len(state)} entries of {Path(path).name}",
            "expected a weight file of PAUL's reference implementation",
            "for a file of this library use pl.load",
        )
    net = PatchNet(
        "resnet50.tv_in1k",
        patches=patches,
        feature_dim=state["new.down.0.0.weight"].shape[0],
        embedding_dim=state["new.embedding.0.weight"].shape[0],
        identities=state["new.fc_list.0.weight"].shape[0],
        pretrained=False,
        generator="reference",
    )
    load_weights(net, _renamed(state, patches), file=Path(path).name, owner="the reference's network")
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


def _header(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"found no file {path}", "expected a file written by pl.save", "check the path")
    problem = "no header of ours"
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get("paullite", "{}"))
        if header.get("format") == FORMAT:
            return header
    except SafetensorError as error:
        problem = f"a damaged file, or one of another kind ({str(error)[:80]})"
    do = "for bare backbone weights use --weights, for the reference's files pl.load_reference_checkpoint"
    raise InputError(f"found {problem} in {path}", f"expected a file of this library ({FORMAT})", do)


def _network(
    header: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path, backbone: nn.Module | None = None
) -> PatchNet:
    settings = _tuples(header["network"])
    name = settings.pop("backbone")
    if name == "custom" and backbone is None:
        do = "use pl.load(path, backbone=your_module)"
        raise InputError(f"found a network on a module of one's own in {path}", "expected that module", do)
    _check_settings(settings, inspect.signature(PatchNet).parameters, header, path)
    net = PatchNet(backbone if backbone is not None and name == "custom" else name, pretrained=False, **settings)
    net.normalisation = Normalisation(*map(tuple, header["normalisation"]))
    owner = f"the network of P = {net.patches} and backbone {net.backbone.name!r} that it describes"
    load_weights(net, _part(tensors, "net."), file=path.name, owner=owner)
    return net.eval()


def _check_settings(settings: Mapping[str, Any], known: Collection[str], header: Mapping[str, Any], path: Path) -> None:
    for name in settings:
        if name not in known:
            raise InputError(
                f"found the setting {name!r} in {path}, written by paullite {header.get('version', '1')}",
                f"expected the settings of paullite {__version__}",
                "read it with that version; as start=... or --net, where the network alone is read, a run will do",
            )


def _memory(state: dict[str, Tensor], momentum: float) -> FeatureMemory:
    memory = FeatureMemory(*state["features"].shape, momentum=momentum)
    memory.load_state_dict({**memory.state_dict(), **state})  # files of version 1 have the momentum in the header alone
    return memory


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows lists only; settings are tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
