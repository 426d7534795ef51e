"""What stands around the loop of either phase: where it is, what it has seen, when it saves, how it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..config import AdaptConfig, PretrainConfig
from ..data.loading import EpochLoader
from ..data.transforms import seed_of
from ..errors import InputError
from ..memory import FeatureMemory
from ..models import PatchNet
from .dry_step import TrialLoss, check_fits, try_step
from .files import Row, replacing, writable_folder
from .interrupts import Interrupts, Stopped
from .lock import FolderLock
from .run import History, Means, Run
from .sameness import earlier_run, identity, refuse_others
from .saving import everything, take_back
from .start import start_accelerator, team_of
from .state import Facts, Stateful, Tensors, has_states, read_newest, read_state, set_random_state, write_state

# how the libraries below say that they wait for a process that is no more
LOST = ("Connection closed by peer", "gloo", "NCCL")


class Session:
    """A run of a phase, from its first step or from where an earlier one stopped.

    Args:
        config: settings of the phase.
        made_of: what else the weights depend on: fingerprints of the data and of the network at the start.
        resume: go on from the newest checkpoint in ``config.output``; from the start if there is none.
        force: go on although settings, data or versions differ; without ``resume``, replace an earlier run.

    Attributes:
        accelerator, team: device, precision, processes.
        folder: where files go; ``None`` if nowhere.
        epoch, step: epochs that are over, and steps done in the one that has begun.
        means, history: numbers of the epoch so far, and of the epochs that are over.

    Raises:
        InputError: a device or precision that is not there, a folder that cannot be written or in which another run
            works, an earlier run in it, or a checkpoint of other settings.
    """

    def __init__(
        self,
        config: PretrainConfig | AdaptConfig,
        made_of: Mapping[str, Any],
        *,
        resume: bool = False,
        force: bool = False,
    ) -> None:
        self.config, self.resume, self.force = config, resume, force
        self.accelerator = start_accelerator(config)
        self.device = self.accelerator.device
        self.team = team_of(self.accelerator, config.bn_splits)
        self.identity = identity(
            config,
            made_of,
            device=self.device.type,
            precision=self.accelerator.mixed_precision,
            processes=self.team.size,
            threads=torch.get_num_threads() if self.device.type == "cpu" else None,
        )
        self.folder = Path(config.output) if config.output is not None else None
        if resume and self.folder is None:
            raise InputError("found resume without an output folder", "expected the folder of a run", "set output")
        self.epoch, self.step, self.steps = 0, 0, 0
        self.means, self.interrupts, self.stack = Means(), Interrupts(), ExitStack()
        self.begun = False  # whether the epochs have begun
        self.random: tuple[Tensors, Facts] | None = None
        self.saved, self.saved_at = -1, time.monotonic()  # steps done at the last save, and when it was
        self.older: list[Path] = []  # what the first save removes
        self.words = ""  # where the run begins

    def __enter__(self) -> Session:
        with self.stack:
            if self.folder and self.team.leads:
                self.stack.enter_context(FolderLock(writable_folder(self.folder)))
                if not (self.resume and has_states(self.folder)):
                    self.older = earlier_run(self.folder, self.force)
            self.history = History(self.folder if self.team.leads else None)
            devices = [self.device] if self.device.type == "cuda" else []
            self.stack.enter_context(torch.random.fork_rng(devices))  # what a run draws changes nothing outside it
            self.stack.enter_context(self.interrupts)
            self.stack = self.stack.pop_all()  # all went well, so nothing is undone before the end
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.stack.close()
        if isinstance(error, KeyboardInterrupt) and not isinstance(error, Stopped):
            raise Stopped(f"stopped; {self._how_to_go_on()}") from None
        if isinstance(error, RuntimeError) and self.team.size > 1 and any(word in str(error) for word in LOST):
            raise InputError("another process of this run ended", self._how_to_go_on()) from None

    def resumed(self, optimiser: torch.optim.Optimizer, **parts: Stateful) -> bool:
        """Name everything that learns or remembers. Whether it was filled from a checkpoint.

        Args:
            optimiser: over the network's parameters.
            parts: the network and the memories, already on their device.
        """
        self.optimiser, self.parts = optimiser, parts
        found = self._newest() if self.resume and self.folder else None
        if found is None:
            self.words = f"found no checkpoint in {self.folder}: starts at the beginning" if self.resume else ""
            return False
        path, tensors, facts = found
        if not self.force:
            refuse_others(facts["identity"], self.identity, path)
        try:
            take_back(self, tensors, facts)
        except (RuntimeError, KeyError, ValueError) as error:
            raise InputError(
                f"{path.name} does not fit ({' '.join(str(error).split())[:120]})",
                "expected a checkpoint of the same network, memories and optimiser",
                "give the settings that it was made with, or choose another --output",
            ) from None
        self.words = f"goes on from {path.name}, after {self.steps} steps"
        return True

    def _newest(self) -> tuple[Path, Tensors, Facts] | None:
        """The leader looks for the newest readable file, and all read that one."""
        assert self.folder is not None
        found = read_newest(self.folder) if self.team.leads else None
        path = self.team.objects(found[0] if found else None)[0]
        return found if self.team.leads or path is None else (path, *read_state(path))

    def prepare(self, net: PatchNet) -> Any:
        """The network as it is called in a step: under autocast, and compiled, where the settings say so."""
        model = self.accelerator.prepare_model(net, evaluation_mode=True)  # no DDP: `learn` sums the gradients
        self.stepper = self.accelerator.prepare_optimizer(self.optimiser)
        return torch.compile(model) if self.config.compile else model

    def rehearse(self, loss_of: TrialLoss, pairs: Any, net: PatchNet, loader: EpochLoader) -> None:
        """Take a step that changes nothing, say what it costs, and see that it fits."""
        if not self.config.dry_step or self.steps >= self.config.epochs * len(loader.batches):
            return
        batch, images = loader.batches.batch, loader.batches.size
        cost = try_step(loss_of, pairs, net, batch, self.team)
        check_fits(cost, batch, self.team)
        self.say(cost.line(batch, images, self.config.workers, self.team))

    def learn(self, loss: Tensor) -> None:
        """One step of the optimiser. The loss is the same on all ranks, each has the gradient of its own images."""
        self.stepper.zero_grad()
        self.accelerator.backward(loss)
        self.team.sum_gradients(p for group in self.optimiser.param_groups for p in group["params"])
        self.stepper.step()

    def finish(self, net: PatchNet, **memories: FeatureMemory) -> Run:
        """The run as it is handed back; with a folder, also as ``run.safetensors`` and ``curves.png``."""
        from ..app.pictures import draw_curves
        from .networks import save

        self.accelerator.unwrap_model(net, keep_fp32_wrapper=False)
        run = Run(net.eval().requires_grad_(True), self.history.rows, self.config, self.folder, memories)
        if self.folder and self.team.leads:
            save(run, self.folder / "run.safetensors")
            draw_curves(run.history, self.folder / "curves.png")
        return run

    def epochs(self, loader: EpochLoader) -> Iterator[int]:
        """The epochs that are left, counted from 0. `end_epoch` ends each."""
        self.steps_an_epoch = len(loader.batches)
        total = self.config.epochs * self.steps_an_epoch
        if self.words:
            self.say(f"{self.words} of {total}" if self.steps else self.words, always=True)
        self.begun = True
        torch.manual_seed(seed_of(self.config.seed, "training", self.team.rank))
        if self.random:  # last of all, since whatever is made before may have drawn from it
            set_random_state(*self.random)
        quiet = not (self.config.progress and self.team.leads)
        bar = tqdm(total=total, initial=self.steps, leave=False, disable=quiet, dynamic_ncols=True, unit="step")
        with bar as self.bar:
            while self.epoch < self.config.epochs:
                bar.set_description(f"epoch {self.epoch + 1} of {self.config.epochs}")
                yield self.epoch

    def batches(self, loader: EpochLoader) -> Iterator[tuple[Tensor, Any]]:
        """The batches of the epoch that are left: places of all images of the batch, and this process's share of it.

        Between two of them everything is consistent; there the run is saved, and stopped if the user asked for it.
        """
        self.interrupts.waiting = True
        batches = loader.epoch(self.epoch, first=self.step)
        for places in loader.batches.places(self.epoch)[self.step :]:
            yield torch.tensor(places), self._next(batches)
            self.step, self.steps = self.step + 1, self.steps + 1
            self.bar.update()
            late = time.monotonic() - self.saved_at > 60 * self.config.save_minutes > 0
            self._save_or_stop(self.interrupts.asked, late)

    def _save_or_stop(self, asked: bool, late: bool) -> None:
        """Save if it is time or the user wants to stop; one process is enough to say so."""
        stop, late = self.team.any(asked, late)
        if stop or late:
            self.save()
        if stop:
            done = f"step {self.step} of {self.steps_an_epoch} in epoch {self.epoch + 1}"
            raise Stopped(f"stopped after {done}; {self._how_to_go_on()}")

    def _next(self, batches: Iterator[Any]) -> Any:
        """The next batch. If it cannot be read, nothing of what was learned is lost."""
        try:
            batch = next(batches)
            self.interrupts.leave_children_to_the_loader()
            return batch
        except InputError as error:
            if self.team.size == 1:
                self.save()
            raise InputError(f"{error}; {self._how_to_go_on()}") from None

    def end_epoch(self, columns: Row, look: Callable[[], Row]) -> None:
        """Save, let the judge look, and add a row to the history.

        Args:
            columns: what else the row holds, such as learning rates.
            look: gives the judge's columns, if it is due.
        """
        self.save()
        self._save_or_stop(self.interrupts.asked, late=False)
        self.interrupts.waiting = False  # the judge may be stopped at once
        row = {"epoch": self.epoch + 1, **columns, **self.means.result()}
        self.history.add(row | (look() if self._is_due() else {}))
        self.epoch, self.step, self.means = self.epoch + 1, 0, Means()

    def _is_due(self) -> bool:
        """Whether the judge looks after this epoch: every n-th, and the last."""
        every, done = self.config.evaluate_every, self.epoch + 1
        return every > 0 and (done % every == 0 or done == self.config.epochs)

    def save(self) -> None:
        """Write a checkpoint, unless there is one of this very step. Every process has to call it."""
        if self.folder is None or self.saved == self.steps:
            return
        tensors, facts = everything(self)
        if self.team.leads:
            while self.older:
                self.older.pop().unlink(missing_ok=True)
            write_state(self.folder, self.steps, tensors, facts)
        self.saved, self.saved_at = self.steps, time.monotonic()

    def where(self) -> str:
        """The batch that is looked at, in words."""
        return f"batch {self.step + 1} of epoch {self.epoch + 1}" if self.begun else "the first pass"

    def note(self, name: str, lines: Sequence[str]) -> str:
        """Write lines into a file of the output folder; returns where to find them, as the end of a sentence."""
        if self.folder is None or not self.team.leads:
            return ""
        with replacing(self.folder / name) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return f" (all of them: {self.folder / name})"

    def say(self, text: str, *, always: bool = False) -> None:
        """One line for the user, from one process; without ``always`` only where progress is shown."""
        if self.team.leads and (self.config.progress or always):
            print(f"paullite: {text}", file=sys.stderr, flush=True)

    def _how_to_go_on(self) -> str:
        if self.saved < 0 or self.folder is None:
            return "nothing was saved" if self.folder else "nothing was saved, since there is no output folder"
        return f"saved in {self.folder} up to step {self.saved}; go on with --resume (resume=True)"
