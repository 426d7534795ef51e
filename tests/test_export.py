"""PatchNet outside of Python: torch.export, tracing, compiling, ONNX."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import paullite as pl
from paullite.errors import InputError
from paullite.models import PatchNet, PatchOutput

pytestmark = pytest.mark.slow  # every test trains, or starts a process that does

SIZE = (128, 64)


def small(identities: int | None = None, name: str = "test_resnet") -> PatchNet:
    """A network whose generator has left its start, in evaluation mode."""
    torch.manual_seed(0)
    sizes = {"patches": 3, "feature_dim": 8, "embedding_dim": 4, "identities": identities}
    net = PatchNet(name, **sizes, pretrained=False, size=SIZE)  # type: ignore[arg-type]
    nn.init.normal_(net.generator.linear.weight, 0, 0.05)  # type: ignore[union-attr,arg-type]
    return net.eval()


def same(ours: PatchOutput, theirs: tuple) -> bool:
    """Every part, the logits of each patch among them."""
    flat = [*theirs[:5], *theirs[5]]
    return all(torch.allclose(a, b, atol=1e-5) for a, b in zip([*ours[:5], *ours.logits], flat, strict=True))


def test_export_with_a_free_batch() -> None:
    net = small(identities=5)
    batch = {"images": {0: torch.export.Dim("batch")}}
    program = torch.export.export(net, (torch.randn(2, 3, *SIZE),), dynamic_shapes=batch).module()
    for count in (1, 5):
        x = torch.randn(count, 3, *SIZE)
        out = program(x)
        assert isinstance(out, PatchOutput) and same(net(x), out)


@pytest.mark.parametrize("identities", [None, 5])
def test_trace(identities: int | None) -> None:
    net = small(identities=identities)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every size that it takes for a constant, and of its own age
        traced = torch.jit.trace(net, torch.randn(2, 3, *SIZE), check_trace=False)
    x = torch.randn(5, 3, *SIZE)
    assert same(net(x), traced(x))


def test_one_graph() -> None:
    """Dynamo finds nothing that breaks the graph, under autocast too."""
    net, x = small(), torch.randn(2, 3, *SIZE)
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(compiled(x).attention, net(x).attention)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_onnx_is_the_network(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra onnx")
    pytest.importorskip("onnxscript", reason="needs the extra onnx")
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    net = small(name=name).train()
    path = pl.export_onnx(net, tmp_path / "net.onnx")
    assert net.training and [file.name for file in tmp_path.iterdir()] == ["net.onnx"]
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    images = torch.stack(
        [net.transform(Image.effect_mandelbrot((60, 90), (-2, -1, 1, i), 50).convert("RGB")) for i in (1, 2, 3)]
    )
    for x in (images[:1], images, torch.randn(5, 3, *SIZE)):
        (features,) = session.run(["features"], {"images": x.numpy()})
        assert features.shape == (len(x), net.num_features)
        assert (torch.from_numpy(features) - net.eval().retrieval_features(x)).abs().max() < 1e-4
    notes = json.loads(session.get_modelmeta().custom_metadata_map["paullite"])
    assert notes == {"size": [128, 64], "mean": [0.5] * 3, "std": [0.5] * 3}


PAGE = Path(__file__).parent.parent / "book" / "reference" / "own_project.md"


def test_the_program_without_torch(tmp_path: Path, dolls: pl.data.PaperDolls) -> None:
    """The one on the page, as it stands, on a photo that lies on its side and on one of another size."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason="needs the extra onnx")
    (program,) = re.findall(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    net = small()
    pl.export_onnx(net, tmp_path / "net.onnx")
    turned = Image.Exif()
    turned[0x0112] = 6
    one, other = dolls.query[0].image, dolls.gallery[5].image.resize((90, 171))
    one.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=turned)
    other.save(tmp_path / "b.png")
    blocked = "import sys\nsys.modules.update(dict.fromkeys(['torch', 'torchvision', 'timm', 'paullite']))\n"
    kept = "np.save('features.npy', [feature('a.png'), feature('b.png')])\n"
    found = subprocess.run(
        [sys.executable, "-c", blocked + program + kept], cwd=tmp_path, capture_output=True, text=True
    )
    assert found.returncode == 0 and re.fullmatch(r"cosine [\d.]+", found.stdout.strip()), found.stderr
    for x, image, name in zip(np.load(tmp_path / "features.npy"), (one, other), "ab", strict=True):
        assert np.abs(x - net.feature(tmp_path / f"{name}.png").numpy()).max() < 1e-4
        assert np.abs(x - net.feature(image).numpy()).max() < 1e-4


def test_onnx_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: object, **options: object) -> None:
        raise ModuleNotFoundError("No module named 'onnxscript'")

    monkeypatch.setattr(torch.onnx, "export", missing)
    with pytest.raises(InputError, match=r"onnxscript.*pip install .paullite\[onnx\]"):
        pl.export_onnx(small(), tmp_path / "net.onnx")
