"""What stands around the loop of either phase: device, processes, checkpoints, interrupts, and the numbers to keep."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from accelerate.utils import convert_outputs_to_fp32
from torch import Tensor, nn
from tqdm.auto import tqdm

from ..config import AdaptConfig, PretrainConfig
from ..data.items import ReIDDataset, Split
from ..data.transforms import seed_of
from ..errors import InputError, listed
from ..files import Row
from ..memory import FeatureMemory
from ..models import PatchNet, PatchOutput
from ..networks import save
from ..ranking import RankingRules, ranking_columns
from ..run import Fault, History, Means, Run, Watch
from . import checkpoint
from .checkpoint import Facts, Tensors
from .cost import Model, check_fits, try_step
from .distributed import check_batch
from .folder import RunFolder
from .machine import Interrupts, Stopped, accelerated

LOST = ("Connection closed by peer", "gloo", "NCCL")  # how torch says that it waits for a process that is no more
MOMENTUM = "momentum_buffer"  # as SGD calls it; rates and other settings come from the config, before every epoch
Batch = TypeVar("Batch", covariant=True)
Config = PretrainConfig | AdaptConfig


class Batches(Protocol[Batch]):
    """Batches, epoch by epoch, as `paullite.data.loading` makes them: how many, and those from ``first`` on."""

    def __len__(self) -> int: ...
    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]: ...


class Session:
    """A run of a phase, from its first step or from where an earlier one stopped, as `paullite.adaptation.adapt` says.

    ``images`` are those that it trains on; ``sources`` is what else the weights depend on, as fingerprints.
    """

    def __init__(
        self, config: Config, images: Split, sources: Mapping[str, Any], *, resume: bool = False, force: bool = False
    ) -> None:
        if resume and not config.output:
            raise InputError("found resume without an output folder", "expected the folder of a run", "set output")
        self.config = config
        self.images = images
        self.stack = ExitStack()
        self.accelerator, self.team = self.stack.enter_context(accelerated(config))
        self.device = self.team.device
        self.folder = RunFolder(Path(config.output) if config.output else None, self.team, resume=resume, force=force)
        machine = {"device": self.device.type, "precision": self.accelerator.mixed_precision}
        machine |= {"threads": torch.get_num_threads()} if self.device.type == "cpu" else {}
        self.identity = checkpoint.identity(config, sources, processes=self.team.size, **machine)
        self.parts: dict[str, nn.Module] = {}
        self.optimiser: torch.optim.Optimizer | None = None
        self.epoch = 0  # how many are over
        self.step = 0  # how many are done in the epoch that has begun
        self.steps = 0  # how many are done since the start
        self.bar = tqdm(disable=True)
        self.means = Means()  # of the epoch so far
        self.watch = Watch()
        self.interrupts = Interrupts()
        self.history = History(self.folder.path if self.team.leads else None)
        self.random: Facts = {}  # of the checkpoint

    def __enter__(self) -> "Session":
        with self.stack:  # undone if something is wrong here
            check_batch(self.team, self.config.batch, len(self.images))
            self.stack.enter_context(self.folder.opened())
            self.stack.enter_context(self.interrupts)
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.stack.close()
        if isinstance(error, KeyboardInterrupt) and not isinstance(error, Stopped):
            raise Stopped(f"stopped; {self.folder.how_to_go_on()}") from None
        if isinstance(error, RuntimeError) and self.team.size > 1 and any(word in str(error) for word in LOST):
            raise InputError("another process of this run ended", self.folder.how_to_go_on()) from None

    def place(self, net: PatchNet) -> PatchNet:
        """The network on the run's device, with the same weights in every process."""
        self.team.same_start(net.to(self.device))
        return net

    def restore(self, optimiser: torch.optim.Optimizer, **parts: nn.Module) -> bool:
        """Name everything that learns or remembers, each on its device. Whether a checkpoint filled it."""
        self.optimiser, self.parts = optimiser, parts
        found = self.folder.newest(self.identity)
        if found is None:
            if self.folder.resume:
                self.say(f"found no checkpoint in {self.folder.path}: starts at the beginning")
            return False
        path, tensors, facts = found
        named: dict[str, Tensors] = defaultdict(dict)
        for key, tensor in tensors.items():
            name, _, rest = key.partition(".")
            named[name][rest] = tensor
        try:
            for name, one in parts.items():
                one.load_state_dict(named[name])
            momenta = {int(key.split(".")[0]): {MOMENTUM: tensor} for key, tensor in named["optimiser"].items()}
            optimiser.load_state_dict(optimiser.state_dict() | {"state": momenta})
        except (RuntimeError, KeyError, ValueError) as error:
            misfit = f"{path.name} does not fit ({' '.join(str(error).split())[:120]})"
            do = "give the settings that it was made with, or choose another --output"
            raise InputError(misfit, "expected one of the same network, memories and optimiser", do) from None
        self.random = facts["random"][self.team.rank % len(facts["random"])]  # there may have been fewer processes
        self.epoch, self.step, self.steps = facts["epoch"], facts["step"], facts["steps"]
        self.means = Means(**facts["means"])
        self.history.restore(facts["history"], facts["seconds"])
        if self.accelerator.scaler is not None and facts["scaler"]:
            self.accelerator.scaler.load_state_dict(facts["scaler"])
        total = self.config.epochs * -(-len(self.images) // self.config.batch)
        self.say(f"goes on from {path.name}, after {self.steps} steps of {total}")
        return True

    def prepare(self, net: PatchNet, batches: Batches[Any]) -> Model:
        """The network as a step calls it: under autocast, and compiled, where the settings say so; results in float32.

        The network itself stays as it is, so that the judge sees it as `paullite.evaluation.evaluate` does. One step is
        tried that changes nothing. A line says what it costs, or an `InputError` names a batch that fits.
        """
        forward = torch.compile(net) if self.config.compile else net

        def under_autocast(*images: Tensor, **options: bool) -> PatchOutput:
            with self.accelerator.autocast():
                return forward(*images, **options)

        model = convert_outputs_to_fp32(under_autocast)
        self.optimiser = self.accelerator.prepare_optimizer(self.optimiser)
        if self.config.dry_step and self.steps < self.config.epochs * len(batches):
            cost = try_step(model, net, net.size, self.config.batch, self.team)
            check_fits(cost, self.config.batch, self.team)
            self.say(cost.line(self.config.batch, len(self.images), self.team), logging.INFO)
        return model

    def epochs(self, batches: Batches[Any]) -> Iterator[int]:
        """The epochs that are left, counted from 0. `end_epoch` ends each."""
        torch.manual_seed(seed_of(self.config.seed, "training", self.team.rank))
        if self.random:  # last of all, since whatever is made before may have drawn from it
            checkpoint.set_random_state(self.device, self.random)
        total = self.config.epochs * len(batches)
        quiet = not (self.config.progress and self.team.leads)
        self.bar = tqdm(total=total, initial=self.steps, leave=False, disable=quiet, dynamic_ncols=True, unit="step")
        with self.bar:
            while self.epoch < self.config.epochs:
                self.bar.set_description(f"epoch {self.epoch + 1} of {self.config.epochs}")
                yield self.epoch

    def batches(self, batches: Batches[Batch]) -> Iterator[Batch]:
        """The batches of the epoch that are left. Between two of them the run may be saved, and stopped if asked to."""
        self.interrupts.waiting = True
        left = batches.epoch(self.epoch, first=self.step)
        while self.step < len(batches):
            try:
                batch = next(left)
            except Exception as error:  # it cannot be read; nothing of what was learned is lost
                if self.team.size == 1:
                    self.save()
                if not isinstance(error, InputError):
                    raise  # a mistake in an opener of the user's own
                raise InputError(f"{error}; {self.folder.how_to_go_on()}") from None
            self.interrupts.leave_children_to_the_loader()
            yield batch
            self.step += 1
            self.steps += 1
            self.bar.update()
            self._save_or_stop(self.folder.is_late(self.config.save_minutes), len(batches))

    def learn(self, index: Tensor, loss: Tensor, **watched: Tensor) -> None:
        """One step of the optimiser. The loss is the same on all ranks, each has the gradient of its own images.

        Whether the loss and what else is ``watched`` were finite is read one step later, and before every save: so a
        step waits for no device, no checkpoint holds what came of such a batch, and an `InputError` names its images.
        """
        assert self.optimiser is not None
        self.optimiser.zero_grad()
        self.accelerator.backward(loss)
        self.team.sum_gradients(p for group in self.optimiser.param_groups for p in group["params"])
        self.optimiser.step()
        where = f"batch {self.step + 1} of epoch {self.epoch + 1}"
        self._refuse(self.watch.note(where, index, watched | {"loss": loss.detach()}))

    def test_of(self, dataset: ReIDDataset | Split) -> ReIDDataset | Split:
        """What is to be judged: a data set; without its test, and with a line that says so, if that has no score."""
        if isinstance(dataset, Split) or not (self.config.evaluate_every and dataset.query and dataset.gallery):
            return dataset
        q, g = len(dataset.query), len(dataset.gallery)
        try:
            rules = RankingRules.of(q, g, *ranking_columns(dataset.query, dataset.gallery))
            if any(len(rules(i)[0]) for i in range(q)):
                return dataset
            why = f"none of the {q} queries has a match in the gallery, the same person by another camera"
        except InputError as error:
            why = str(error)
        self.say(f"{why}; trains without scores, as with --evaluate-every 0")
        return dataset.train

    def end_epoch(self, columns: Row, *looks: Callable[[], Row]) -> None:
        """Save, and add a row to the history, with the columns of all looks in every n-th epoch and in the last."""
        self._save_or_stop(True, self.step)
        self.interrupts.waiting = False  # an evaluation may be stopped at once
        every, done = self.config.evaluate_every, self.epoch + 1
        due = every > 0 and (done % every == 0 or done == self.config.epochs)
        row = {"epoch": done, **columns, **self.means.result()}
        for look in looks if due else ():
            try:
                row |= look()
            except Exception as error:  # an image of the test that is gone, say, must not end a training
                if self.team.size > 1:  # the other processes wait for this one
                    raise
                self.say(f"{error}; the training goes on without scores of this epoch")
        self.history.add(row)
        self.epoch, self.step, self.means = done, 0, Means()

    def save(self) -> None:
        """Write a checkpoint, unless there is one of this very step. Every process has to call it."""
        self._refuse(self.watch.settle())
        self.folder.save(self.steps, self._everything)

    def finish(self, net: PatchNet, **memories: FeatureMemory) -> Run:
        """The run as it is handed back; with a folder, also as ``run.safetensors``."""
        run = Run(net.eval().requires_grad_(True), self.history.rows, self.config, self.folder.path, memories)
        try:
            if run.folder and self.team.leads:
                save(run, run.folder / "run.safetensors")
        except InputError as error:  # the last checkpoint has it all
            raise InputError(f"{error}; {self.folder.how_to_go_on()}") from None
        return run

    def say(self, text: str, level: int = logging.WARNING) -> None:
        """One line for the user, from one process."""
        if self.team.leads:
            logging.getLogger("paullite").log(level, text)

    def _save_or_stop(self, late: bool, of: int) -> None:
        """Save if it is time or the user wants to stop; one process is enough to say so."""
        stop, late = self.team.any(self.interrupts.asked > 0, late)
        if stop or late:
            self.save()
        if stop:
            after = f"stopped after step {self.step} of {of} in epoch {self.epoch + 1}"
            raise Stopped(f"{after}; {self.folder.how_to_go_on()}")

    def _refuse(self, fault: Fault | None) -> None:
        if fault is None:
            return
        paths = [self.images.paths[i] for i in fault.places]
        found = f"found NaN or infinity in the {fault.name} of {fault.where}, with {listed(paths, 3)}"
        expected = "expected finite numbers; nothing that came of this batch is kept, and the last checkpoint stays"
        do = "look at these images, or use a smaller learning rate"
        raise InputError(found + self.folder.note("bad_batch.txt", paths), expected, do)

    def _everything(self) -> tuple[Tensors, Facts]:
        """All that the next step depends on. Every process has to ask at the same time."""
        assert self.optimiser is not None
        named = {name: one.state_dict() for name, one in self.parts.items()}
        kept = ((number, state.get(MOMENTUM)) for number, state in self.optimiser.state_dict()["state"].items())
        named["optimiser"] = {f"{number}.{MOMENTUM}": momentum for number, momentum in kept if momentum is not None}
        facts: Facts = {name: getattr(self, name) for name in ("identity", "epoch", "step", "steps")}
        facts |= {"history": self.history.rows, "seconds": self.history.seconds()}
        facts["means"] = {"sums": self.means.state(), "count": self.means.count}
        facts["random"] = self.team.objects(checkpoint.random_state(self.device))
        facts["scaler"] = self.accelerator.scaler.state_dict() if self.accelerator.scaler else None
        return {f"{name}.{key}": value for name, state in named.items() for key, value in state.items()}, facts
