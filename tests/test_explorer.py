"""What the explorer computes in the page, against the library, in node: forward pass, losses, gradients, training."""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import paullite as pl
from book.explorer import data as data_file
from paullite.data.paperdolls import Pose, make_cameras, random_look
from paullite.data.paperdolls.figure import PAPER, VIEWS, Doll
from paullite.data.paperdolls.raster import SUPER, Canvas
from paullite.data.views import originals
from tests.explorer.twin import Data, Twin

ROOT = Path(__file__).parent.parent
RUNNER = ROOT / "tests" / "explorer" / "run.mjs"
SETTINGS = 20
SMALL = data_file.Size(people=12, test_people=8, others=6, surrogates=2, figures=4)
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def dolls() -> pl.data.PaperDolls:
    return pl.data.PaperDolls("target", seed=0, identities=12, test_identities=8, junk=6, passage_share=0.8)


@pytest.fixture(scope="module")
def file(dolls: pl.data.PaperDolls, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data file as the site has one, of a small world."""
    return data_file.write(tmp_path_factory.mktemp("explorer") / "data.js", size=SMALL, dataset=dolls)


@pytest.fixture(scope="module")
def data(file: Path) -> Data:
    return Data(file)


@pytest.fixture(scope="module")
def run(file: Path) -> Run:
    """Hand tasks to the modules of the explorer, in node."""
    node = shutil.which("node")
    if not node:
        message = "node is missing: the computing half of the explorer is not tested"
        if os.environ.get("PAULLITE_ALL_TESTS"):
            pytest.fail(message)
        pytest.skip(message)

    def handed(*tasks: dict[str, Any]) -> list[Any]:
        done = subprocess.run(
            [node, str(RUNNER), str(file)], input=json.dumps(tasks), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return handed


def close(found: Any, expected: torch.Tensor, within: float) -> None:
    """Equal up to ``within``, of the largest value where that is above 1."""
    there = expected.detach().double().flatten()
    apart = (torch.tensor(found, dtype=torch.float64).flatten() - there).abs().max()
    assert apart <= within * max(1.0, float(there.abs().max())), float(apart)


def test_file_is_the_network_and_the_world_that_it_says(data: Data, dolls: pl.data.PaperDolls) -> None:
    header, net = data.header, pl.shipped_net()
    assert header["settings"]["world"] == {"domain": "target", "seed": 0, "passage_share": 0.8}
    assert header["counts"][0] == len(dolls.train) and header["counts"][1] == len(dolls.query)
    for name, value in net.state_dict().items():
        if "classifier" not in name and "tracked" not in name and name != "embedding.bias":
            assert torch.equal(data.tensor(name.removeprefix("backbone.net."), "source"), value.cpu()), name
    vectors, _ = data_file.pooled(net, originals(pixels(dolls.train[3].image), net.size, net.normalisation))
    unit = torch.tensor(data.arrays["source.unit"])
    assert (data.pooled("source")[3] - torch.tensor(vectors[0])).abs().le(0.51 * unit).all()


def pixels(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]


def test_forward_pass_agrees(run: Run, dolls: pl.data.PaperDolls) -> None:
    """20 images, half of them with each set of statistics: map, theta, attention, pooled vectors, features, cosines."""
    nets = {"source": pl.shipped_net(), "target": pl.controls.batch_norm(pl.shipped_net(), dolls)}
    rng = random.Random(0)
    images = [rng.choice([dolls.train, dolls.gallery])[rng.randrange(60)].image for _ in range(SETTINGS)]
    kinds = [rng.choice(list(nets)) for _ in images]
    tasks = [
        {"task": "forward", "statistics": kind, "pixels": np.array(image.convert("RGBA")).ravel().tolist()}
        for image, kind in zip(images, kinds, strict=True)
    ]
    for image, kind, found in zip(images, kinds, run(*tasks), strict=True):
        net = nets[kind].eval()
        x = originals(pixels(image), net.size, net.normalisation)
        with torch.no_grad():
            out, feature_map = net(x), net.backbone(x)
        expected = {"map": feature_map, "theta": out.theta, "attention": out.attention, "features": out.features}
        expected |= {"embedding": out.embedding, "pooled": torch.tensor(data_file.pooled(net, x)[0])}
        for name, value in expected.items():
            close(found[name], value, 1e-4)


def drawn_losses(rng: random.Random) -> dict[str, Any]:
    """Features, a memory, embeddings and centers at random, with settings at random."""
    torch.manual_seed(rng.randrange(1000))
    P, D, N, B, E = rng.randint(1, 4), rng.randint(2, 9), rng.randint(6, 30), rng.randint(2, 6), rng.randint(2, 12)
    memory = F.normalize(torch.randn(N, P, D), dim=-1) * torch.rand(N, 1, 1)
    centers = torch.randn(B, E)
    return {
        "task": "losses", "P": P, "D": D, "E": E,
        "x": F.normalize(torch.randn(B, P, D), dim=-1).flatten().tolist(), "memory": memory.flatten().tolist(),
        "index": rng.sample(range(N), B),
        "options": {"scale": rng.choice([0.5, 4, 15, 60]), "k": rng.randint(1, N - 1)},
        "e": torch.randn(2 * B, E).flatten().tolist(), "centers": centers.flatten().tolist(),
        "whole": {
            "margin": rng.choice([0, 1, 2.5]), "nearest": rng.randint(1, B), "maxCandidates": rng.choice([2, 15])
        },
    }  # fmt: skip


def test_both_losses_and_their_gradients_agree(run: Run) -> None:
    tasks = [drawn_losses(random.Random(i)) for i in range(SETTINGS)]
    for task, found in zip(tasks, run(*tasks), strict=True):
        x = torch.tensor(task["x"]).view(-1, task["P"], task["D"]).requires_grad_()
        memory, index = torch.tensor(task["memory"]).view(-1, task["P"], task["D"]), torch.tensor(task["index"])
        e = torch.tensor(task["e"]).view(-1, task["E"]).requires_grad_()
        centers, w = torch.tensor(task["centers"]).view(-1, task["E"]), task["whole"]
        one = pl.losses.pedal(x, memory, index, **task["options"])
        owner = torch.arange(len(centers)).repeat(2)
        two = pl.losses.ipfl(
            e, centers, owner, margin=w["margin"], nearest=w["nearest"], max_candidates=w["maxCandidates"]
        )
        (one + two).backward()
        assert x.grad is not None and e.grad is not None
        close(found["pedal"], one, 1e-4), close(found["ofFeatures"], x.grad, 1e-4)
        close(found["ipfl"], two, 1e-4), close(found["ofEmbeddings"], e.grad, 1e-4)


def test_broken_losses_are_what_they_say(run: Run) -> None:
    """Own entry kept, nobody pushed, labels of cameras: each by its formula, with torch's gradient."""
    for i in range(6):
        task = drawn_losses(random.Random(100 + i))
        x = torch.tensor(task["x"]).view(-1, task["P"], task["D"])
        memory, index = torch.tensor(task["memory"]).view(-1, task["P"], task["D"]), torch.tensor(task["index"])
        scale, k, alike = task["options"]["scale"], task["options"]["k"], [row % 3 for row in range(len(memory))]

        def logits(x: torch.Tensor, *, own: bool, s: float = scale, w: torch.Tensor = memory, at: Any = index) -> Any:
            found = -s * (x[:, :, None] - w.transpose(0, 1)).square().sum(-1)  # B P N
            return found if own else found.scatter(2, at.view(-1, 1, 1).expand(*found.shape[:2], 1), -torch.inf)

        def kept(x: torch.Tensor, look: Any = logits, k: int = k) -> torch.Tensor:
            values = look(x, own=True)
            return (values.logsumexp(-1) - values.topk(k).values.logsumexp(-1)).mean()

        def pull(x: torch.Tensor, look: Any = logits, k: int = k) -> torch.Tensor:
            return -look(x, own=False).topk(k).values.logsumexp(-1).mean()

        def cameras(x: torch.Tensor, look: Any = logits, labels: Any = alike, at: Any = index) -> torch.Tensor:
            values, number = look(x, own=False), torch.tensor(labels)
            same = (number[at][:, None] == number)[:, None]
            return (values.logsumexp(-1) - values.where(same, -torch.inf).logsumexp(-1)).mean()

        for options, formula in (({"ownKept": True}, kept), ({"push": False}, pull), ({"alike": alike}, cameras)):
            (found,) = run({**task, "options": {**task["options"], **options}})
            y = x.clone().requires_grad_()
            value = formula(y)
            value.backward()
            assert y.grad is not None
            close(found["ofFeatures"], y.grad, 1e-4)
            if "push" not in options:  # there the value may be below 0, where the page says 0
                close(found["pedal"], value, 1e-4)


@pytest.mark.parametrize("changes", [{}, {"statistics": "source", "negative": "nearest"}], ids=["preset", "changed"])
def test_training_agrees(run: Run, data: Data, changes: dict[str, str]) -> None:
    """The same batches: after 50 steps the same weights, after 100 the same scores and losses."""
    (made,) = run({"task": "batches", "steps": 100, "seed": 0})
    given = {"nearest": 1} if changes else {}
    twin = Twin(data, changes.get("statistics", "target"), **given)
    twin.fill(made["first"])
    task = {"task": "train", "settings": changes, "first": made["first"]}
    half, whole = run(
        {**task, "batches": made["batches"][:50]}, {**task, "batches": made["batches"], "given": not changes}
    )
    assert half["before"]["map"] == pytest.approx(twin.scores().map_step, abs=0.005)
    losses = [twin.step(**batch) for batch in made["batches"][:50]]
    for name, value in twin.net.state_dict().items():
        ours = {"reduction.weight": "weight", "reduction.bias": "bias", "norm.weight": "gain", "norm.bias": "shift"}
        ours |= {"norm.running_mean": "mean", "norm.running_var": "variance"}
        if name in ours:
            close(half["weights"][ours[name]], value, 1e-3)
    close(half["memory"], twin.memory.features, 1e-3)
    losses += [twin.step(**batch) for batch in made["batches"][50:]]
    for name in ("pedal", "ipfl"):
        close([row[name] for row in whole["losses"]], torch.tensor([row[name] for row in losses]), 1e-3)
    scores = twin.scores()
    assert whole["after"]["map"] == pytest.approx(scores.map_step, abs=0.005)
    assert whole["after"]["rank1"] == pytest.approx(scores.rank1, abs=0.05)


def test_camera_mean_agrees(run: Run, data: Data) -> None:
    (made,) = run({"task": "batches", "steps": 1, "seed": 0})
    (found,) = run({"task": "train", "settings": {"cameraMean": True}, "first": made["first"], "batches": []})
    twin = Twin(data)
    twin.fill(made["first"])
    assert found["before"]["map"] == pytest.approx(twin.scores(camera_mean=True).map_step, abs=0.005)


def test_page_starts_with_the_preset(run: Run) -> None:
    (found,) = run({"task": "train", "settings": {}, "batches": []})
    preset, start = pl.PRESETS["paperdolls"].adapt, found["start"]
    same = {"k": preset.k, "scale": preset.scale, "r": preset.nearest - 1, "margin": preset.margin, "rate": preset.lr}
    same |= {"momentum": preset.memory_momentum, "pedalWeight": preset.pedal_weight, "ipflWeight": preset.ipfl_weight}
    assert {name: start[name] for name in same} == same


def test_people_are_drawn_pixel_for_pixel(run: Run) -> None:
    """20 people before 20 cameras, without the grain: the page draws what the library draws."""
    rng, tasks, expected = random.Random(1), [], []
    cameras = make_cameras("target", count=4, seed=0)
    for i in range(SETTINGS):
        look, camera = random_look(0, i), replace(rng.choice(cameras).during(str(i), 0.8), noise=0)
        pose = Pose(
            view=VIEWS[i % 4], phase=rng.randrange(96), x=512 + rng.randint(-200, 200), y=rng.randint(1500, 2200),
            height=rng.randint(1200, 2300), stretch=rng.randint(90, 120), tilt=camera.tilt, lean=camera.lean,
            stride=rng.randint(80, 140),
        )  # fmt: skip
        canvas = Canvas(np.full((128 * SUPER, 64 * SUPER, 3), PAPER, np.uint8))
        Doll(canvas, look, pose).draw()
        sharp = np.asarray(Image.fromarray(canvas.pixels).reduce(SUPER))
        expected.append(camera.develop(sharp, 0))
        names = [*data_file.CAMERA_NUMBERS, "tint"]
        own = {name: getattr(camera, name) for name in names}
        tasks.append({"task": "draw", "look": asdict(look), "pose": asdict(pose), "camera": own})
    for found, picture in zip(run(*tasks), expected, strict=True):
        assert np.array_equal(np.array(found, np.uint8), picture.ravel())


def test_link_holds_the_state(run: Run) -> None:
    text = (
        "tab=train&query=3&k=7&scale=12.5&top=red&view=back&broken=own&steps=40&changes=10:rate:0.3,20:negative:nearest"
    )
    (found,) = run({"task": "link", "text": text})
    state = found["state"]
    assert (state["tab"], state["query"], state["look"]["top"], state["look"]["view"]) == ("train", 3, "red", "back")
    assert state["settings"]["k"] == 7 and state["settings"]["scale"] == 12.5 and state["settings"]["broken"] == "own"
    assert state["changes"] == [[10, "rate", 0.3], [20, "negative", "nearest"]]
    assert found["again"] == state and found["unread"] == []


@pytest.mark.parametrize(
    "text", ["k=1e9&scale=-4&tab=elsewhere", "query=99999&person=-7", "k=&top=%3Cb%3E&changes=x:y:z"]
)
def test_link_with_nonsense_is_brought_into_range(run: Run, text: str) -> None:
    found, start = run({"task": "link", "text": text}, {"task": "link", "text": ""})
    state, header = found["state"], start["state"]
    assert 1 <= state["settings"]["k"] <= 60 and state["settings"]["scale"] > 0 and state["tab"] == "look"
    assert state["look"]["top"] == header["look"]["top"] and state["changes"] == []
    assert len(found["unread"]) == text.count("&") + 1
