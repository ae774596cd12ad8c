"""The bundle for a room without a network: made from small stand-in packages that an index on this
machine serves, then set up by its own start script where no index can be reached. The real thing
is in test_bundle_real.py.
"""

import ensurepip
import hashlib
import http.server
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest
from helpers import REPOSITORY

from seglab.classroom import bundle, stick
from seglab.classroom.bundle import PLATFORMS, BundleError
from seglab.classroom.clone import CloneError
from seglab.classroom.shell import main

TARGET = stick.this_target()
HERE, PYTHON = TARGET.split("-python")
CP = "cp" + PYTHON.replace(".", "")
OTHER = "windows-x86_64" if HERE != "windows-x86_64" else "linux-x86_64"
# What wheels for each platform may call it.
TAGS = {
    "linux-x86_64": "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "linux-aarch64": "manylinux_2_28_aarch64",
    "windows-x86_64": "win_amd64",
    "macos-arm64": "macosx_14_0_arm64",
}

pytestmark = [
    pytest.mark.skipif(
        not (shutil.which("uv") or os.environ.get("UV")), reason="uv, which chooses, is not here"
    ),
    pytest.mark.skipif(HERE not in PLATFORMS, reason=f"no bundles for {HERE}"),
]
shell = pytest.mark.skipif(sys.platform == "win32", reason="runs a script for a Unix shell")

JUPYTERLAB = """
import json, os, sys
from importlib.metadata import version
import seglab, torch
print(json.dumps({"words": sys.argv[1:], "folder": os.getcwd(), "prefix": sys.prefix,
                  "torch": torch.__file__, "seglab": seglab.__file__, "pip": version("pip")}))
"""

BACKEND = """
import zipfile
def build_wheel(directory, *more):
    name = "seglab-0.1.0-py3-none-any.whl"
    info = "seglab-0.1.0.dist-info"
    files = {"seglab/__init__.py": "", info + "/METADATA": METADATA, info + "/WHEEL": WHEEL}
    files[info + "/RECORD"] = "".join(path + ",,\\n" for path in files)
    with zipfile.ZipFile(directory + "/" + name, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name
METADATA = "Metadata-Version: 2.1\\nName: seglab\\nVersion: 0.1.0\\nRequires-Dist: torch>=1\\n"
WHEEL = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
"""

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "seglab"
version = "0.1.0"
dependencies = ["torch>=1"]
[dependency-groups]
jupyter = ["jupyterlab>=4", "nbval>=0.1"]
satellite = ["basemap-data>=2.0"]
"""


def stand_in(folder, name, version="4.0", tag="py3-none-any", requires=(), files=()):
    """A small wheel that installs like a real one."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    files = {f"{name}/__init__.py": "", **dict(files)}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
    )
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in files)
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


class Index(http.server.SimpleHTTPRequestHandler):
    """A package index: a page for each package, with links to its files."""

    def do_GET(self):
        self.server.asked.append(self.path)
        folder, files = self.server.folder, []
        if self.path.startswith("/simple/"):
            name = self.path.removeprefix("/simple/").strip("/").replace("-", "_")
            files = sorted(folder.glob(f"{name}-*.whl"))
            text = "".join(f'<a href="/{f.name}#sha256={digest(f)}">{f.name}</a>' for f in files)
            self.send_response(200 if files else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!DOCTYPE html><html><body>{text}</body></html>".encode())
            return
        if self.path.startswith("/torch-") and "pip/" in self.headers["User-Agent"]:
            self.server.reached.set()
            self.server.gate.wait()
        super().do_GET()

    def log_message(self, *words):
        pass


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Stand-ins for every platform; only pip is real, because it is to install the others."""
    folder = tmp_path_factory.mktemp("packages")
    for tag in TAGS.values():
        stand_in(folder, "torch", "2.9", f"{CP}-{CP}-{tag}")
    colorama = 'colorama; sys_platform == "win32"'
    other = 'only_unix; sys_platform != "win32"'
    stand_in(folder, "jupyterlab", requires=[colorama, other], files=[JUPYTERLAB_MAIN])
    for name in ("nbval", "colorama", "only_unix", "basemap_data"):
        stand_in(folder, name)
    wheels = [*(Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")]
    wheels += Path("/usr/share/python-wheels").glob("pip-*.whl")  # Debian's place for it
    if not wheels:
        pytest.skip("this Python comes without a wheel of pip")
    shutil.copy(wheels[0], folder)
    return folder


JUPYTERLAB_MAIN = ("jupyterlab/__main__.py", JUPYTERLAB)


@pytest.fixture(scope="module")
def index(packages, tmp_path_factory):
    """The index; what uv and pip are told in their environment is that it is the only one."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *words: Index(*words, directory=str(packages))
    )
    server.folder, server.asked = packages, []
    server.gate, server.reached = threading.Event(), threading.Event()
    server.gate.set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
            patch.delenv(name)
        patch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
        patch.setenv("UV_NO_CONFIG", "1")
        patch.setenv("UV_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_NO_CACHE_DIR", "1")
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1")
        yield server
    server.shutdown()


@pytest.fixture
def clone(tmp_path):
    return make_clone(tmp_path / "clone")


def make_clone(folder):
    """A clone of a very small course."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "notebooks" / "01-first.ipynb").write_text('{"cells": []}')
    (folder / "notebooks" / "conftest.py").write_text("")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    return folder


@pytest.fixture(scope="module")
def made(index, tmp_path_factory):
    """One bundle for this machine and another system; nobody changes it."""
    folder = tmp_path_factory.mktemp("made")
    clone = make_clone(folder / "clone")
    return bundle.make(folder / "stick", [HERE, OTHER], clone=clone)


@pytest.fixture
def copied(made, tmp_path):
    """A learner's own copy, in a folder with a space in its name."""
    return shutil.copytree(made, tmp_path / "my course")


@pytest.fixture(scope="module")
def started(made, tmp_path_factory, index):
    """A copy that was started once, how that went, and whether it asked the index."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp("started") / "my course")
    asked = len(index.asked)
    return folder, start(folder, "--no-browser"), len(index.asked) - asked


def wheels(folder, target):
    return {name.split("-")[0] for name in files(folder, target)}


def start(folder, *words, python=None, **variables):
    """Run start.sh as a learner does, where no network is to be had."""
    tools = folder.parent / "bin"
    if not tools.exists():
        tools.mkdir()
        (tools / f"python{PYTHON}").symlink_to(python or os.path.realpath(sys.executable))
    nowhere = "http://127.0.0.1:9"  # the port "discard": nobody listens
    proxies = {f"{kind}_proxy": nowhere for kind in ("http", "https", "all")}
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "HOME": str(folder.parent),
        "PIP_INDEX_URL": f"{nowhere}/simple",
        **proxies,
        **{name.upper(): value for name, value in proxies.items()},
        **variables,
    }
    return subprocess.run(
        [*NO_NETWORK, "/bin/sh", folder / "start.sh", *words],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
    )


def without_network():
    """Words before a command that take away its network, if this system allows it."""
    words = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and not subprocess.run([*words, "true"]).returncode:
        return words
    return []


NO_NETWORK = without_network()


# ---------------------------------------------------------------- what is in it


def test_it_holds_wheels_notebooks_and_a_script_for_each_system(made):
    scripts = {"start.sh", "start.command", "start.bat"}
    tops = {"README.txt", "SHA256SUMS", "contents.json", "start.py", "notebooks", "wheels"}
    assert {path.name for path in made.iterdir()} == tops | scripts
    assert [path.name for path in (made / "notebooks").iterdir()] == ["01-first.ipynb"]
    listed = {
        name for target in (TARGET, f"{OTHER}-python{PYTHON}") for name in files(made, target)
    }
    assert listed == {path.name for path in (made / "wheels").iterdir()}
    assert not list(made.parent.glob(".*"))


def files(folder, target):
    return json.loads((folder / "contents.json").read_text())[target]["wheels"]


def test_each_system_has_what_it_needs_and_nothing_else(made):
    common = {"seglab", "torch", "jupyterlab", "nbval", "basemap_data", "pip"}
    windows = common | {"colorama"}
    assert wheels(made, f"windows-x86_64-python{PYTHON}") == windows
    unix = TARGET if HERE != "windows-x86_64" else f"{OTHER}-python{PYTHON}"
    assert wheels(made, unix) == common | {"only_unix"}
    for name in (HERE, OTHER):
        torch = [f for f in files(made, f"{name}-python{PYTHON}") if "torch" in f]
        assert torch == [f"torch-2.9-{CP}-{CP}-{TAGS[name]}.whl"]


def test_the_checksums_are_those_that_other_programs_compute(made):
    lines = (made / "SHA256SUMS").read_text().splitlines()
    sums = {name: value for value, name in (line.split("  ", 1) for line in lines)}
    present = {p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()}
    assert sums.keys() == present - {"SHA256SUMS"}
    assert all(digest(made / name) == value for name, value in sums.items())
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=made, check=True)


def test_the_text_for_learners_says_what_is_needed(made):
    text = (made / "README.txt").read_text()
    assert f"versions of Python: {PYTHON}\n" in text and "@" not in text
    assert all(f"{name}-python{PYTHON}: 0.0 GB once set up" in text for name in (HERE, OTHER))


def test_windows_gets_lines_as_it_wants_them(made):
    batch = (made / "start.bat").read_bytes()
    assert batch.count(b"\r\n") == batch.count(b"\n") > 10
    assert f"for %%v in ({PYTHON}) do".encode() in batch and b"%course% start.py %*" in batch
    assert b"\r" not in (made / "start.sh").read_bytes() + (made / "start.command").read_bytes()
    assert b"@" not in batch.replace(b"@echo", b"")


def test_what_every_notebook_needs_is_in_the_groups_that_are_bundled():
    groups = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["dependency-groups"]
    needed = [line for name in bundle.GROUPS for line in groups[name]]
    for package in ("jupyterlab", "nbval", "basemap-data"):  # the last one for notebook 09
        assert any(line.startswith(package) for line in needed)


# ---------------------------------------------------------------- in the room


@shell
def test_the_start_script_sets_up_the_course_without_a_network(started):
    folder, first, asked = started
    assert first.returncode == 0, first.stdout + first.stderr
    opened = json.loads(first.stdout.splitlines()[-1])
    home = folder / f"environment-{TARGET}"
    assert opened["words"] == ["notebooks", "--no-browser"]
    assert Path(opened["folder"]).samefile(folder) and Path(opened["prefix"]).samefile(home)
    assert all(Path(opened[name]).is_relative_to(home) for name in ("torch", "seglab"))
    assert list((folder / "wheels").glob(f"pip-{opened['pip']}-*"))
    assert "Checking" in first.stdout and "Installing 7 packages" in first.stdout
    second = start(folder)
    assert second.returncode == 0 and "Installing" not in second.stdout
    assert asked == 0


@shell
@pytest.mark.skipif(not NO_NETWORK, reason="this system cannot take the network away")
def test_the_network_really_is_away(index):
    script = f"import socket; socket.create_connection(('127.0.0.1', {index.server_port}), 5)"
    command = [sys.executable, "-c", script]
    subprocess.run(command, check=True)
    done = subprocess.run([*NO_NETWORK, *command], capture_output=True, text=True)
    assert "unreachable" in done.stderr


@shell
def test_an_interrupted_set_up_is_begun_anew_and_other_packages_do_not_mix_in(copied, tmp_path):
    home = copied / f"environment-{TARGET}"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").write_text("half of it")
    stranger = tmp_path / "elsewhere" / "torch"
    stranger.mkdir(parents=True)
    (stranger / "__init__.py").write_text("raise ImportError('of another program')")
    settings = tmp_path / "pip.conf"
    settings.write_text("[install]\nuser = true\nno-index = false\n")
    done = start(copied, PYTHONPATH=str(stranger.parent), PIP_CONFIG_FILE=str(settings))
    assert done.returncode == 0 and "Installing" in done.stdout, done.stderr


@shell
@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_a_damaged_copy_is_noticed_and_nothing_is_installed(copied, damage):
    path = next((copied / "wheels").glob("nbval-*"))
    content = path.read_bytes()
    path.write_bytes(content[:-9] if damage == "cut" else content.replace(b"nbval", b"nbvel"))
    if damage == "gone":
        path.unlink()
    done = start(copied)
    assert done.returncode == 1 and f"wheels/{path.name}: " in done.stderr
    assert "Copy the folder once more" in done.stderr and "Traceback" not in done.stderr
    assert not (copied / f"environment-{TARGET}").exists()
    assert start(copied, "--check").returncode == 1


@shell
def test_a_notebook_that_the_learner_has_changed_stops_nobody(started):
    folder, *_ = started
    assert "All files are as they were" in start(folder, "--check").stdout
    (folder / "notebooks" / "01-first.ipynb").write_text('{"cells": [1]}')
    assert start(folder).returncode == 0
    check = start(folder, "--check")
    assert check.returncode == 1 and check.stdout.count("notebooks/01-first.ipynb: not what") == 1


@shell
def test_without_the_right_python_it_says_which_one(copied, tmp_path):
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)
    script = copied / "start.sh"
    script.write_text(script.read_text().replace(PYTHON, "3.99"))
    done = start(copied, python=old)
    assert (
        done.returncode == 1 and "of these versions of Python: 3.99. None was found" in done.stderr
    )


def test_another_system_gets_told_for_which_ones_it_is(made, monkeypatch):
    monkeypatch.setattr(stick.platform, "machine", lambda: "riscv64")
    with pytest.raises(stick.Stop, match=rf"is for {TARGET}.*started it with \w+-riscv64-python"):
        stick.ready(made)


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("Linux", "x86_64", "linux-x86_64"),
        ("Linux", "aarch64", "linux-aarch64"),
        ("Windows", "AMD64", "windows-x86_64"),
        ("Darwin", "arm64", "macos-arm64"),
    ],
)
def test_every_system_has_the_name_that_platforms_are_chosen_by(
    monkeypatch, system, machine, expected
):
    monkeypatch.setattr(stick.platform, "system", lambda: system)
    monkeypatch.setattr(stick.platform, "machine", lambda: machine)
    assert stick.this_target() == f"{expected}-python{PYTHON}"
    assert expected in PLATFORMS


def test_a_python_of_32_bits_is_another_system(monkeypatch):
    monkeypatch.setattr(stick.sys, "maxsize", 2**31 - 1)
    assert "-32bit-python" in stick.this_target()


def test_a_full_disk_is_noticed_before_anything_is_installed(copied, monkeypatch):
    usage = namedtuple("usage", "total used free")(10, 9, 1)
    monkeypatch.setattr(stick.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(stick.Stop, match=r"GB are needed on this disk.*0\.0 GB are free"):
        stick.ready(copied)
    assert not (copied / f"environment-{TARGET}").exists()


def test_two_windows_do_not_set_up_at_once(copied):
    path = copied / f"environment-{TARGET}.lock"
    with closing(sqlite3.connect(path, isolation_level=None)) as other_window:
        other_window.execute("BEGIN EXCLUSIVE")
        with pytest.raises(stick.Stop, match="another window"):
            stick.ready(copied)
    assert not (copied / f"environment-{TARGET}").exists()


# ---------------------------------------------------------------- what can go wrong in making it


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"platforms": ["linux-x86"]}, r"platforms are linux-x86_64, .*found 'linux-x86'"),
        ({"pythons": ["3.12.1"]}, r"versions of Python .* found '3.12.1'"),
        ({"pythons": ["2.7"]}, r"versions of Python .* found '2.7'"),
    ],
)
def test_what_it_does_not_know_is_refused(clone, tmp_path, options, message):
    with pytest.raises(BundleError, match=message):
        bundle.make(tmp_path / "stick", clone=clone, **options)
    assert not list(tmp_path.glob("*stick*"))


def test_an_existing_folder_is_left_alone(clone, tmp_path):
    (tmp_path / "stick").mkdir()
    with pytest.raises(BundleError, match="stick exists already"):
        bundle.make(tmp_path / "stick", clone=clone)
    assert not list((tmp_path / "stick").iterdir())


def test_only_a_clone_has_the_notebooks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["bundle", "stick"]) == 1
    assert "comes without the notebooks" in capsys.readouterr().err
    clone = make_clone(tmp_path / "other")
    (clone / "pyproject.toml").write_text('[project]\nname = "other"\n')
    with pytest.raises(CloneError, match="this is no clone of the course"):
        bundle.make(tmp_path / "stick", clone=clone)
    assert not list(tmp_path.glob("*stick*"))


def test_a_wheel_of_seglab_that_cannot_be_built_is_named(index, clone, tmp_path):
    (clone / "backend.py").write_text("def build_wheel(*words): raise OSError('data is missing')")
    with pytest.raises(BundleError, match=r"(?s)seglab's own wheel cannot be built.*data is miss"):
        bundle.make(tmp_path / "stick", clone=clone)
    assert not list(tmp_path.glob("*stick*"))


def test_without_uv_it_says_how_to_get_it(clone, tmp_path, monkeypatch):
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError, match="pip install uv"):
        bundle.make(tmp_path / "stick", clone=clone)


def test_a_package_without_a_wheel_for_a_platform_is_named_with_it(
    index, packages, clone, tmp_path
):
    lacking = next(packages.glob(f"torch-*{TAGS[OTHER]}.whl"))
    lacking.rename(tmp_path / "away.whl")
    try:
        with pytest.raises(BundleError, match=rf"(?s)for {OTHER} with Python {PYTHON}.*torch"):
            bundle.make(tmp_path / "stick", [HERE, OTHER], clone=clone)
    finally:
        (tmp_path / "away.whl").rename(lacking)
    assert not list(tmp_path.glob("*stick*"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_in_the_middle_it_looks_like_nothing_and_the_next_one_is_whole(
    index, clone, tmp_path
):
    index.gate.clear()
    index.reached.clear()
    script = f"from seglab.classroom import bundle; bundle.make({str(tmp_path / 'stick')!r})"
    command = [sys.executable, "-c", script]
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        command, cwd=clone, env={**os.environ, "PYTHONPATH": path}, start_new_session=True
    )
    try:
        assert index.reached.wait(300), "it did not begin to download"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        index.gate.set()
    assert [p.name for p in tmp_path.glob("*stick*")] == [".stick.unfinished"]
    again = bundle.make(tmp_path / "stick", clone=clone)
    assert [p.name for p in tmp_path.glob("*stick*")] == ["stick"]
    assert stick.damaged(again) == []


def test_a_file_that_is_not_what_the_index_promised_is_refused(
    index, packages, clone, tmp_path, monkeypatch
):
    choose = bundle.choose

    def deceived(*words):
        return {name: line[:-64] + "0" * 64 for name, line in choose(*words).items()}

    monkeypatch.setattr(bundle, "choose", deceived)
    with pytest.raises(BundleError, match="pip could not download"):
        bundle.make(tmp_path / "stick", clone=clone)
    assert not list(tmp_path.glob("*stick*"))


def test_constraints_of_the_user_count_for_nothing(index, clone, tmp_path, monkeypatch):
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("torch==1\nnbval==99\n")
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nconstraint = {constraints}\nplatform = nowhere\n")
    for name in ("PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE"):
        monkeypatch.setenv(name, str(constraints))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_DRY_RUN", "1")
    assert stick.damaged(bundle.make(tmp_path / "stick", clone=clone)) == []


def test_where_files_come_from_is_the_users_own(monkeypatch):
    ours = {"UV_DEFAULT_INDEX": "a", "UV_INDEX_URL": "b", "PIP_CERT": "c", "HTTPS_PROXY": "d"}
    given = {**ours, "UV_CONSTRAINT": "e", "PIP_PLATFORM": "f"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bundle.subprocess, "run", lambda words, env, **more: env)
    assert bundle._uv().items() & given.items() == ours.items()


def test_an_error_names_three_files_at_most():
    assert bundle._some([]) == "none" and bundle._some("ab") == "a, b"
    assert bundle._some("edcba") == "a, b, c and 2 more"


# ---------------------------------------------------------------- torch without CUDA


LINUX = ("linux-x86_64", PYTHON)


def cpu_wheels(folder):
    for name in ("torch", "torchvision"):
        stand_in(folder, name, "2.8+cpu", f"{CP}-{CP}-manylinux_2_28_x86_64")
    return folder


def test_a_bundle_holds_them_and_not_newer_ones_of_the_index(index, clone, tmp_path):
    (clone / "backend.py").write_text(BACKEND.replace("Dist: torch>=1", "Dist: torchvision"))
    folder = cpu_wheels(tmp_path / "cpu")
    stick_ = bundle.make(tmp_path / "stick", LINUX[:1], LINUX[1:], folder, clone=clone)
    found = set(files(stick_, "-python".join(LINUX)))
    assert {path.name for path in folder.iterdir()} <= found
    assert len([name for name in found if name.startswith("torch")]) == 2
    assert stick.damaged(stick_) == []
    windows = bundle.choose("windows-x86_64", PYTHON, clone, folder)  # has no CUDA in the index
    assert [name.split("-")[1] for name in windows if name.startswith("torch")] == ["2.9"]


@pytest.mark.parametrize("lacking", ["torch", "torchvision", "both", "version"])
def test_a_folder_without_them_is_refused(index, clone, tmp_path, lacking):
    folder = cpu_wheels(tmp_path / "cpu")
    if lacking == "version":
        stand_in(folder, "torch", "2.7+cpu", f"{CP}-{CP}-manylinux_2_28_x86_64")
    for path in folder.glob("*.whl"):
        if lacking in ("both", path.name.split("-")[0]):
            path.unlink()
    with pytest.raises(BundleError, match=r"expected one version of torch.*for linux-x86_64"):
        bundle.choose(*LINUX, clone, folder)


def test_how_much_of_it_is_for_gpus_is_said(tmp_path, capsys):
    for names, said in ((["torch"], False), (["torch", "nvidia_nccl"], True)):
        for name in names:
            stand_in(tmp_path / "wheels", name)
        wheels = [f"{name}-4.0-py3-none-any.whl" for name in names]
        bundle._write_texts(tmp_path, {TARGET: wheels})
        shown = capsys.readouterr().out
        assert shown.startswith(f"{TARGET}: {len(names)} wheels, 0.00 GB")
        assert ("0.0 of it CUDA for GPUs (--torch-wheels)" in shown) is said


# ---------------------------------------------------------------- from a shell


def test_from_a_shell(index, clone, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(clone)
    words = ["--platforms", HERE, "--python", PYTHON]
    assert main(["bundle", str(tmp_path / "stick"), *words]) == 0
    shown = capfd.readouterr().out
    assert f"{TARGET}: 7 wheels, 0.00 GB" in shown and "stick is complete" in shown
    assert main(["bundle", str(tmp_path / "stick"), *words]) == 1
    assert "exists already" in capfd.readouterr().err
