"""Start JupyterLab as the README says, on a copy of the notebooks, and end it again."""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil
from helpers import REPOSITORY

START = 600  # seconds to wait for the server
FORGOTTEN = 3600  # seconds without anything to do, after which a server that was left over ends


def readme_command() -> list[str]:
    """What the README types to open the course, after `uv run`."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ {4}.*\buv run (jupyter lab\b.*)$", text, re.M)
    if len(lines) != 1:
        raise ValueError(f"expected one line in README.md that starts JupyterLab; found {lines}")
    return lines[0].split()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def write_json(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab.

    Attributes:
        folder: the copy of the repository's notebooks and data; nothing else is written to.
        port, token: how it is reached.
        process: the server.
        log: the file that it prints to.
    """

    folder: Path
    port: int
    token: str
    process: subprocess.Popen
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/lab?token={self.token}"

    def ask(self, path: str, method: str = "GET"):
        """One request to the server's interface; the answer, from JSON."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            headers={"Authorization": f"token {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")


def settings(folder: Path, token: str, port: int) -> dict[str, str]:
    """Write what differs from a learner's JupyterLab; return the environment that names it.

    The command stays the README's, so everything is in files: a port and a token of our own, no
    window on the screen, no questions about news, all cells of a notebook drawn at once.
    """
    write_json(
        folder / "config" / "jupyter_lab_config.json",
        {
            "ServerApp": {
                "ip": "127.0.0.1",
                "port": port,
                "port_retries": 0,
                "open_browser": False,
                "allow_root": True,
                "shutdown_no_activity_timeout": FORGOTTEN,
            },
            "MappingKernelManager": {"cull_idle_timeout": FORGOTTEN, "cull_connected": True},
            "IdentityProvider": {"token": token},
            "LabApp": {"expose_app_in_browser": True},
        },
    )
    lab = folder / "settings" / "@jupyterlab"
    write_json(
        lab / "apputils-extension" / "notification.jupyterlab-settings",
        {"checkForUpdates": False, "doNotDisturbMode": True, "fetchNews": "false"},
    )
    write_json(
        lab / "notebook-extension" / "tracker.jupyterlab-settings", {"windowingMode": "none"}
    )
    return {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "share"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
    }


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all that it started: the kernels of a server are among them."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def end(processes: list[psutil.Process], seconds: float = 20) -> None:
    """Ask all to end; after so many seconds, make them."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=seconds)


@contextlib.contextmanager
def running(folder: Path):
    """JupyterLab on a copy of the course in an empty folder, with the budget "test"; a `Lab`.

    Whatever happens inside of the `with`, the server and its kernels have ended after it.

    Raises:
        TimeoutError: the server did not answer in time.
    """
    course = folder / "course"
    shutil.copytree(
        REPOSITORY / "notebooks",
        course / "notebooks",
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"),
    )
    shutil.copytree(REPOSITORY / "data" / "rooms", course / "data" / "rooms")
    token, port = secrets.token_hex(16), free_port()
    environment = os.environ | settings(folder, token, port)
    environment |= {"SEGLAB_BUDGET": "test", "PATH": scripts() + os.pathsep + os.environ["PATH"]}
    log = folder / "jupyterlab.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [shutil.which("jupyter", path=scripts()), *readme_command()[1:]],
            cwd=course,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    lab = Lab(course, port, token, process, log)
    try:
        wait_for(lab)
        yield lab
    finally:
        end(family(psutil.Process(process.pid)))
        process.wait()


def scripts() -> str:
    """The folder with the commands of the Python that runs this."""
    return str(Path(sys.executable).parent)


def wait_for(lab: Lab) -> None:
    """Return when the server answers."""
    last = time.monotonic() + START
    while time.monotonic() < last:
        if lab.process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once:\n{lab.log.read_text()[-3000:]}")
        with contextlib.suppress(OSError):
            lab.ask("status")
            return
        time.sleep(0.3)
    raise TimeoutError(f"no answer from JupyterLab in {START} s:\n{lab.log.read_text()[-3000:]}")
