"""Where the work runs: one decision for a whole notebook."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from seglab.machine.memory import keep_freed_memory

BUDGETS = ("quick", "full", "test")


@dataclass(frozen=True)
class Runtime:
    """Device and number format for training and prediction.

    Attributes:
        device: the processor or the GPU.
        autocast: half-precision type for the forward pass, or None for plain float32.
        budget: `"quick"` (minutes on a laptop, embedded data), `"full"` (notebook 07 also trains
            on PASCAL VOC, with a GPU) or `"test"` (every training stops after ten steps and is
            scored once: for automatic tests that the notebooks run).
        workers: processes that read and augment images while the network computes. With none,
            which is enough for a processor, the training does it in between.
        compile: let `torch.compile` translate the network first: a minute or more of
            waiting, then faster steps. Not for short trainings.
    """

    device: torch.device
    autocast: torch.dtype | None = None
    budget: str = "quick"
    workers: int = 0
    compile: bool = False

    @property
    def runs(self) -> Path:
        """The folder for what a notebook makes: `runs` in the clone of the course.

        A notebook outside of one has it beside itself. The environment variable SEGLAB_RUNS names
        another one: on Colab, a folder in Google Drive. Under the budget "test" it is `runs/test`,
        so that a test does not replace what a reader has trained.
        """
        return results_folder() / ("test" if self.budget == "test" else "")

    def place(self, model: torch.nn.Module) -> torch.nn.Module:
        """Move a model to the device, with channels last in memory.

        Channels last keeps the numbers of one pixel side by side; convolutions run faster so
        (tests/benchmarks measures by how much).
        """
        return model.to(self.device, memory_format=torch.channels_last)

    def batch(self, images: torch.Tensor) -> torch.Tensor:
        """Move a batch of images `[N, 3, H, W]` to the device, channels last."""
        return images.to(self.device).contiguous(memory_format=torch.channels_last)

    def precision(self):
        """The context in which forward passes run."""
        return torch.autocast(self.device.type, self.autocast, enabled=self.autocast is not None)

    def __str__(self) -> str:
        if self.device.type == "cuda":
            place = torch.cuda.get_device_name(self.device)
        else:
            place = "CPU"
        kind = str(self.autocast or torch.float32).removeprefix("torch.")
        return f"{self.budget} budget on {place}, {kind}"


def results_folder() -> Path:
    """The folder for what the notebooks make, before a budget is chosen; see `Runtime.runs`."""
    here = Path("../runs" if Path("../data/rooms").is_dir() else "runs")
    return Path(os.environ.get("SEGLAB_RUNS") or here)


def default_runtime(budget: str | None = None) -> Runtime:
    """A CUDA GPU if there is one, else the processor.

    Args:
        budget: one of `BUDGETS`; default: the environment variable SEGLAB_BUDGET, else quick.

    Raises:
        ValueError: another budget.
    """
    budget = budget or os.environ.get("SEGLAB_BUDGET") or "quick"
    if budget not in BUDGETS:
        raise ValueError(
            f"the budget is {', '.join(BUDGETS[:-1])} or {BUDGETS[-1]}; found {budget!r}"
        )
    if torch.cuda.is_available():
        # GPUs before 2020 (Colab's T4) only emulate bfloat16, which is slow; float16 is not.
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        half = torch.bfloat16 if native else torch.float16
        # torchrun numbers the processes of one machine, one for each GPU.
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        return Runtime(device, half, budget, workers=min(8, os.cpu_count() or 1))
    keep_freed_memory()
    return Runtime(torch.device("cpu"), None, budget)


def start(budget: str | None = None, seed: int = 0) -> Runtime:
    """Begin a notebook: choose the device, seed torch, print one line saying what was chosen.

    Args:
        budget: see `default_runtime`.
        seed: of torch's global generator.
    """
    torch.manual_seed(seed)
    runtime = default_runtime(budget)
    print(f"seglab: {runtime}")
    return runtime
