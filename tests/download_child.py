"""Processes that download and stop where a test wants them to, to be killed there."""

import importlib
import multiprocessing
import sys
import time
from pathlib import Path

from file_server import PATIENCE

from seglab.datasets import downloads, fetch
from seglab.datasets.sources import DATASETS, Source
from seglab.machine import files

# A server that has imported the package starts a process by copying itself: that takes no time.
# This file imports no more than the server has, for the same reason.
PROCESSES = None if sys.platform == "win32" else multiprocessing.get_context("forkserver")
if PROCESSES is not None:
    PROCESSES.set_forkserver_preload(["seglab.datasets.downloads"])


def set_impatient(set_attribute=setattr) -> None:
    """Waits and thresholds that suit files of a few kilobytes; patience where it is no test."""
    set_attribute(fetch, "STALL", PATIENCE)
    set_attribute(fetch, "PAUSE", 0.001)
    set_attribute(fetch, "PROGRESS", 500)


def download_in_child(name: str, source: Source, root: Path, halt: tuple | None, pipe) -> None:
    """Download; stop for good at a call of a function of the package.

    `halt` is (module, function, n): the n-th call of it, counted from 1, says so and waits.
    """
    set_impatient()
    DATASETS[name] = source
    files.print = lambda text, **_: pipe.send(text)
    if halt is not None:
        module, function, number = halt
        owner = importlib.import_module(module)
        *classes, function = function.split(".")
        for name_of_class in classes:
            owner = getattr(owner, name_of_class)
        original, calls = getattr(owner, function), []

        def halting(*arguments, **options):
            calls.append(function)
            if len(calls) == number:
                pipe.send("halted")
                time.sleep(PATIENCE)
            return original(*arguments, **options)

        setattr(owner, function, halting)
    downloads.download(name, root)
    pipe.send("done")


class Child:
    """A process that downloads."""

    def __init__(self, name: str, root: Path, halt: tuple | None = None):
        self.pipe, other_end = PROCESSES.Pipe(duplex=False)
        self.process = PROCESSES.Process(
            target=download_in_child,
            args=(name, DATASETS[name], root, halt, other_end),
            daemon=True,
        )
        self.process.start()
        other_end.close()

    def wait_for(self, text: str) -> None:
        """Hear it say this, whatever it says before."""
        heard = ""
        while text not in heard:
            assert self.pipe.poll(PATIENCE), f"the process does not say {text!r}"
            heard = self.pipe.recv()

    def kill(self) -> None:
        self.process.kill()
        self.process.join(PATIENCE)
