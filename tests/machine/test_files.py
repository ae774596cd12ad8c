"""Files and folders that are there whole or not at all; one process at a time; links."""

import errno
import os
import threading

import pytest
from file_server import PATIENCE

from seglab.machine.files import alone, folder_written_whole, link_or_copy, written_whole


def test_a_file_is_there_whole_or_as_it_was(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with written_whole(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    with pytest.raises(KeyboardInterrupt), written_whole(path) as temporary:
        temporary.write_text("hal")
        raise KeyboardInterrupt
    assert path.read_text() == "whole" and list(path.parent.iterdir()) == [path]


def fill(folder, name: str = "a") -> None:
    folder.mkdir()
    (folder / name).write_text(name)


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    with pytest.raises(KeyboardInterrupt), folder_written_whole(tmp_path / "data") as temporary:
        fill(temporary)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with folder_written_whole(tmp_path / "data") as temporary:
        fill(temporary)
    with pytest.raises(OSError), folder_written_whole(tmp_path / "data") as temporary:
        fill(temporary, "b")
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "a"]


def test_only_one_works_and_no_lock_stays(tmp_path, capsys):
    inside, entered, end = [], threading.Event(), threading.Event()

    def work():
        with alone(tmp_path / "data"):
            inside.append(1)
            entered.set()
            assert len(inside) == 1 and end.wait(PATIENCE)
            inside.pop()

    first, second = threading.Thread(target=work), threading.Thread(target=work)
    first.start()
    assert entered.wait(PATIENCE)
    second.start()
    said = ""
    while "waiting for it" not in said:
        said += capsys.readouterr().out
    end.set()
    first.join(PATIENCE), second.join(PATIENCE)
    assert inside == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("links", [True, False])
def test_a_link_where_the_disk_can(tmp_path, monkeypatch, links):
    def link(old, new):
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", link)
    (tmp_path / "old").write_text("content")
    link_or_copy(tmp_path / "old", tmp_path / "new")
    assert (tmp_path / "new").read_text() == "content"
    assert os.path.samefile(tmp_path / "old", tmp_path / "new") == links
