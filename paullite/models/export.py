"""PatchNet as an ONNX file, for programs without PyTorch."""

import copy
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import InputError
from .patchnet import PatchNet


class Retrieval(nn.Module):
    """`PatchNet.retrieval_features` as a module of its own."""

    def __init__(self, net: PatchNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, height, width) -> (B, P * D)."""
        return self.net.retrieval_features(images)


def export_onnx(net: PatchNet, path: str | Path) -> Path:
    """Write what a network says of images for retrieval to an ONNX file.

    The file has one input, ``images``: (B, 3, height, width) float32, resized to ``net.size`` and normalised with
    ``net.normalisation`` as ``net.transform`` does it; and one output, ``features``: (B, P * D) float32, P unit vectors
    side by side, for ranking by cosine. B is free. The file's metadata ``paullite`` repeats size, mean and standard
    deviation as JSON. The network is exported in evaluation mode and float32; it is not changed itself.

    Args:
        net: the network.
        path: file to write, usually ``*.onnx``.

    Returns:
        The path.

    Raises:
        InputError: the packages for it are not installed, or the file cannot be written.
    """
    path = Path(path)
    images = torch.zeros(2, 3, *net.size)  # not 1, which the exporter would take for a number that never changes
    frozen = Retrieval(copy.deepcopy(net)).to("cpu", torch.float32).eval()
    try:
        program = torch.onnx.export(
            frozen,
            (images,),
            input_names=["images"],
            output_names=["features"],
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
            dynamo=True,
            verbose=False,
        )
        mean, std = net.normalisation
        notes = {"size": net.size, "mean": mean, "std": std, "patches": net.patches}
        program.model.metadata_props["paullite"] = json.dumps(notes)
        program.save(path)
    except ImportError as error:  # onnx and onnxscript, which few need
        raise InputError(f"cannot export ({error})", "expected onnx", 'run: pip install "paullite[onnx]"') from None
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror})", "expected a folder that may be written") from None
    return path
