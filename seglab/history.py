"""What happened while training, in memory and on disk."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from seglab.machine.files import write_csv, written_whole
from seglab.metrics import ConfusionMatrix


@dataclass
class History:
    """What happened while training.

    Attributes:
        steps: one `{"step", "loss", "learning_rate"}` for each step.
        scores: one `{"step", "mean_iou", "pixel_accuracy", "val_loss"}` for each evaluation.
        seconds: time spent training, reading of images included, evaluations not.
        best_counts: "counts" and "void_counts" of the best evaluation's confusion matrix, as lists.
    """

    steps: list[dict] = field(default_factory=list)
    scores: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    best_counts: dict | None = None

    def add_score(self, step: int, matrix: ConfusionMatrix) -> None:
        """Note an evaluation."""
        row = {"mean_iou": matrix.mean_iou, "pixel_accuracy": matrix.pixel_accuracy}
        self.scores.append({"step": step, **row, "val_loss": getattr(matrix, "loss", None)})
        if step == self.best_step:
            counts = {"counts": matrix.counts, "void_counts": matrix.void_counts}
            self.best_counts = {name: values.tolist() for name, values in counts.items()}

    @property
    def best_step(self) -> int | None:
        """The step of the best mean IoU so far, the first of equals; None without a score."""
        best = max(self.scores, key=lambda row: row["mean_iou"], default={})
        return best.get("step")

    @property
    def best_matrix(self) -> ConfusionMatrix | None:
        """The confusion matrix of the best evaluation; None if there was none."""
        if self.best_counts is None:
            return None
        matrix = ConfusionMatrix(len(self.best_counts["counts"]))
        matrix.counts = torch.tensor(self.best_counts["counts"])
        matrix.void_counts = torch.tensor(self.best_counts["void_counts"])
        return matrix

    @property
    def fruitless(self) -> int:
        """How many evaluations since the best one brought nothing better."""
        return sum(row["step"] > self.best_step for row in self.scores)

    def latest(self) -> dict[str, str]:
        """What the progress bar says: the last score, if there is one, and the last loss."""
        words = {"loss": f"{self.steps[-1]['loss']:.3f}"}
        if self.scores:
            words["mIoU"] = f"{100 * self.scores[-1]['mean_iou']:.1f}"
        return words

    def to_csv(self, path: str | Path) -> Path:
        """Write one line for each step, with the scores where there was an evaluation."""
        scores = {row["step"]: row for row in self.scores}
        columns = ["step", "loss", "learning_rate", "mean_iou", "pixel_accuracy", "val_loss"]
        rows = [row | scores.get(row["step"], {}) for row in self.steps]
        return write_csv(path, [columns, *([row.get(name) for name in columns] for row in rows)])

    def to_json(self, path: str | Path) -> Path:
        """Write everything, to be read back by `from_json`."""
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(asdict(self)))
        return Path(path)

    @classmethod
    def from_json(cls, path: str | Path) -> "History":
        """Read what `to_json` wrote."""
        return cls(**json.loads(Path(path).read_text()))
