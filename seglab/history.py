"""What happened while training, in memory and on disk."""

import csv
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from seglab.machine.files import written_whole
from seglab.metrics import ConfusionMatrix
from seglab.recipes import TrainingError


@dataclass
class History:
    """What happened while training.

    Attributes:
        steps: one `{"step", "loss", "learning_rate"}` for each step.
        scores: one `{"step", "mean_iou", "pixel_accuracy"}` for each evaluation.
        seconds: time spent training, reading of images included, evaluations not.
    """

    steps: list[dict] = field(default_factory=list)
    scores: list[dict] = field(default_factory=list)
    seconds: float = 0.0

    def add_score(self, step: int, matrix: ConfusionMatrix) -> bool:
        """Note an evaluation; is it the best so far?"""
        row = {"mean_iou": matrix.mean_iou, "pixel_accuracy": matrix.pixel_accuracy}
        best_before = max((earlier["mean_iou"] for earlier in self.scores), default=-math.inf)
        self.scores.append({"step": step, **row})
        return row["mean_iou"] > best_before

    def last_score(self) -> dict:
        """What the progress bar says about the last evaluation, if there was one."""
        return {"mIoU": f"{100 * self.scores[-1]['mean_iou']:.1f}"} if self.scores else {}

    def to_csv(self, path: str | Path) -> Path:
        """Write one line for each step, with the scores where there was an evaluation."""
        scores = {row["step"]: row for row in self.scores}
        columns = ["step", "loss", "learning_rate", "mean_iou", "pixel_accuracy"]
        with written_whole(path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(row | scores.get(row["step"], {}) for row in self.steps)
        return Path(path)

    def to_json(self, path: str | Path) -> Path:
        """Write everything, to be read back by `from_json`."""
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(asdict(self)))
        return Path(path)

    @classmethod
    def from_json(cls, path: str | Path) -> "History":
        """Read what `to_json` wrote."""
        return cls(**json.loads(Path(path).read_text()))


class TensorBoard:
    """Writes a history for TensorBoard, if that is installed; for `fit(watch=...)`.

    Args:
        folder: where; `tensorboard --logdir FOLDER` shows it.

    Raises:
        TrainingError: the package tensorboard is missing.
    """

    def __init__(self, folder: str | Path):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError(
                "the curves need the package tensorboard: pip install tensorboard"
            ) from error
        self.writer, self.steps, self.scores = SummaryWriter(str(folder)), 0, 0

    def __call__(self, history: History) -> None:
        """Write what is new since the last call."""
        for row in history.steps[self.steps :] + history.scores[self.scores :]:
            for name in row.keys() - {"step"}:
                self.writer.add_scalar(name, row[name], row["step"])
        self.steps, self.scores = len(history.steps), len(history.scores)
        self.writer.flush()
