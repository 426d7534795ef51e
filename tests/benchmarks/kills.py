"""One run killed twenty times and taken up again, compared bit by bit with one that was left alone."""

import random
import tempfile
import time
from pathlib import Path

from tests.benchmarks.timing import Row, table
from tests.runs import Fault, same_result
from tests.runs import run as execute

KILLS = 20
EPOCHS = 60
PLACES = ("learn", "save", "evaluation", "clock")  # in a step, in a save, in an evaluation, at any moment


def kill_and_resume(folder: Path, chance: random.Random) -> int:
    """Begin a run and kill it twenty times, then leave it alone. Returns how often half a checkpoint was left."""
    halves = kills = 0
    while kills < KILLS:
        place = chance.choice(PLACES)
        fault = Fault() if place == "clock" else Fault(place, chance.randint(0, 1))
        # saved after every step or at the ends of epochs; read here or by two workers, in every epoch or once
        changes = {"save_minutes": chance.choice([1e-6, 10.0]), "workers": chance.choice([0, 0, 2])}
        changes["image_memory"] = chance.choice([0, 1024])
        patience = chance.uniform(0.2, 3) if place == "clock" else 300  # seconds
        code, said = execute(folder, fault, resume=kills > 0, patience=patience, epochs=EPOCHS, **changes)
        assert code == -9, said or "the run ended before it could be killed"
        kills, halves = kills + 1, halves + (fault.where == "save")
    assert execute(folder, resume=True, epochs=EPOCHS) == (0, "")
    return halves


def run() -> str:
    """The section of the table."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        alone, killed = Path(name) / "alone", Path(name) / "killed"
        assert execute(alone, epochs=EPOCHS) == (0, "")
        halves = kill_and_resume(killed, random.Random(0))
        verdict = "the same bits" if same_result(alone, killed) else "OTHER BITS"
    what = f"killed {KILLS} times, {halves} of them inside a save"
    return table("Exact resume", [Row(what, time.perf_counter() - began, note=verdict)])
