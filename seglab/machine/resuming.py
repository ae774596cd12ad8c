"""What a training keeps on the disk, so that it can go on after any accident (notebook 07)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path

import torch
from torch.utils.data import Dataset

from seglab.machine import checkpoints, distributed
from seglab.machine.faults import TrainingError
from seglab.machine.files import Occupied, alone, remove_leftovers

# A killed training's worker processes notice within five seconds that it is gone. Until then its
# lock is theirs.
SECONDS_TO_DIE = 10.0

STATEFUL = ("optimizer", "scaler")  # what a trainer has that changes from step to step


def last_of(checkpoint: str | Path) -> Path:
    """The file beside a checkpoint that holds what is needed to go on: NAME.last.pt."""
    path = Path(checkpoint)
    return path.with_name(f"{path.stem}.last{path.suffix}")


class TrainingFiles:
    """NAME.pt with the best network so far, and NAME.last.pt with all that is needed to go on.

    Only the first of several processes writes. `trainer` is a `seglab.training.Trainer`.

    Args:
        checkpoint: the path of NAME.pt, or None: no files at all.
        data: the training images; their classes are stored with the network.
        save: writes a network, see `seglab.training.store`.
    """

    def __init__(self, checkpoint: str | Path | None, data: Dataset, save: Callable):
        self.data, self.save = data, save
        self.writes = checkpoint is not None and distributed.rank() == 0
        self.best = None if checkpoint is None else Path(checkpoint)

    @contextmanager
    def kept_to_oneself(self, resume: bool) -> Iterator[None]:
        """Inside, no other training writes these files. All processes leave together.

        Raises:
            TrainingError: another one is writing them.
        """
        only_one = alone(self.best, SECONDS_TO_DIE if resume else 0.0)
        try:
            with only_one if self.writes else nullcontext():
                yield
                distributed.wait()  # until process 0 has written its files
        except Occupied as error:
            raise TrainingError(
                f"{self.best}: another training is writing there just now. Wait for its end, or "
                "give this one a checkpoint of its own (in a shell: --output FILE)."
            ) from error

    def begin(self, trainer, resume: bool) -> None:
        """Clean up; go on from NAME.last.pt if that is wanted and it is there, else write it.

        Raises:
            TrainingError: the file is of another training, or not all processes found it.
            CheckpointError: it cannot be read or written.
        """
        if self.best is None:
            return
        last = last_of(self.best)
        if self.writes:
            remove_leftovers(self.best)
            remove_leftovers(last)
        if resume and last.exists():
            self.restore(trainer, last)
        else:
            self.write(trainer)  # better that this fails now than after an hour
        distributed.wait()
        if distributed.total(torch.tensor(trainer.step)) != trainer.step * distributed.count():
            raise TrainingError(
                f"{last}: not all processes found the same file; put it into a folder that all "
                "machines share"
            )

    def write(self, trainer, best: bool = False) -> None:
        """Write NAME.last.pt, and before it NAME.pt if the network is the best so far.

        Random numbers need no place in it: all follow from the recipe's seed and the step.
        """
        if not self.writes:
            return
        if best:
            self.save(self.best, trainer, self.data)
        state = {name: getattr(trainer, name).state_dict() for name in STATEFUL}
        state |= {"step": trainer.step, "history": asdict(trainer.history)}
        state["settings"] = self.settings(trainer)
        self.save(last_of(self.best), trainer, self.data, state)

    def settings(self, trainer) -> dict:
        """What must be the same, from a training to the one that goes on with it."""
        unknown = {"name": type(trainer.model).__name__, "backbone": None}
        made_by = getattr(trainer.model, "architecture", unknown)
        network = {"model": made_by["name"], "backbone": made_by["backbone"]}
        return {**network, "classes": list(self.data.classes), **asdict(trainer.recipe)}

    def restore(self, trainer, path: Path) -> None:
        """Bring a trainer to where one was when a file was written."""
        content = checkpoints.read(path)
        state = content["training"]
        if state is None:
            raise TrainingError(f"{path}: a finished network; training goes on from NAME.last.pt")
        other = [
            f"{name} {state['settings'].get(name)} (now {value})"
            for name, value in self.settings(trainer).items()
            if state["settings"].get(name) != value
        ]
        if other:
            raise TrainingError(
                f"{path}: that training had {', '.join(other)}. Give the same settings to go on "
                "with it, or another checkpoint name to begin a new one."
            )
        trainer.model.load_state_dict(content["state"])
        for name in STATEFUL:
            getattr(trainer, name).load_state_dict(state[name])
        trainer.step = state["step"]
        vars(trainer.history).update(state["history"])
