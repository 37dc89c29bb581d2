"""``imagegallery upload``: a tree of files, once, whatever happens in between."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.client.conftest import PART_SIZE, MakeFile
from tests.support.served import ServedUploads, token_of
from tests.support.servers.proxy import FailingNetwork, by_chance
from tests.support.waiting import until


@pytest.fixture
def tree(make_file: MakeFile) -> Path:
    """A folder with folders: 8 images, two of them so large that they go in parts."""
    for number, size in enumerate([1_000, 2_000, 3_000, 50_000, 99_999, 100_001, 150_000, 430_000]):
        path = make_file(f"day {number % 3}/träm {number}.jpg", size)
    return path.parents[1]


def contents(tree: Path) -> list[bytes]:
    return [path.read_bytes() for path in tree.rglob("*.jpg")]


def command(url: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "imagegallery.cli", "-v", "upload", "--url", url, "--json", *map(str, arguments)]


def run(token: str, url: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "IMAGEGALLERY_TOKEN": token}
    return subprocess.run(command(url, *arguments), env=environment, capture_output=True, text=True)


def lines(done: "subprocess.CompletedProcess[str]") -> list[dict[str, str | None]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_tree_comes_in_and_a_second_run_sends_nothing(
    tree: Path, tmp_path: Path, served: ServedUploads, network: FailingNetwork, token: str, user: str
) -> None:
    state = tmp_path / "state"
    first = run(token, network.url, tree, "--state-file", state, "--gallery", "Trip")
    assert first.returncode == 0, first.stderr
    served.check_has(contents(tree), owner=user)
    assert served.rows("SELECT name, image_count FROM galleries WHERE owner_id = $1", user) == [("Trip", 8)]
    carried = network.carried
    second = run(token, network.url, tree, "--state-file", state, "--gallery", "Trip")
    assert second.returncode == 0
    assert sorted(map(str, lines(first))) == sorted(map(str, lines(second)))
    assert network.carried - carried < 1_000, "it asked for the gallery, and no more"


def test_what_was_logged_opens_nothing(tree: Path, served: ServedUploads, token: str) -> None:
    done = run(token, served.api, tree)
    assert done.returncode == 0
    assert token not in done.stderr + done.stdout
    assert "/objects/" not in done.stderr + done.stdout


def test_files_that_cannot_come_in_are_named_and_the_others_do(
    tree: Path, served: ServedUploads, token: str, user: str
) -> None:
    (tree / "notes.txt").write_text("not a picture")
    (tree / "empty.png").touch()
    (tree / "unreadable.png").symlink_to("/proc/self/mem")  # a regular file whose reading fails, for root as well
    (tree / "broken.png").write_bytes(contents(tree)[0][:20])
    done = run(token, served.api, tree, tree / "notes.txt")
    assert done.returncode == 1
    failed = {Path(str(line["path"])).name: line["error"] for line in lines(done) if line["error"]}
    assert failed.keys() == {"notes.txt", "empty.png", "unreadable.png", "broken.png"}
    assert failed["unreadable.png"] == "Input/output error"
    assert "not an image" in str(failed["notes.txt"])
    served.check_has(contents(tree), owner=user)


def test_who_is_not_let_in_is_told_once(tree: Path, served: ServedUploads) -> None:
    done = run(token_of("ada")[:-4] + "AAAA", served.api, tree)
    assert done.returncode == 1
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.startswith("Error: ")] == [
        "Error: The token is not valid, or not any more."
    ]


def test_killed_in_the_middle_of_a_file_it_goes_on(
    tmp_path: Path, make_file: MakeFile, served: ServedUploads, network: FailingNetwork, token: str, user: str
) -> None:
    path, state = make_file("large.jpg", 400 * PART_SIZE), tmp_path / "state"
    process = subprocess.Popen(
        command(network.url, path, "--state-file", state),
        env={**os.environ, "IMAGEGALLERY_TOKEN": token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: len(served.unfinished()) > 20)
    process.kill()
    process.wait()
    there, carried = len(served.unfinished()), network.carried
    assert there < 400
    done = run(token, network.url, path, "--state-file", state)
    assert done.returncode == 0, done.stderr
    sent = network.carried - carried
    assert sent < (400 - there) * (PART_SIZE + 1_500) + 50_000, "only what was missing"
    served.check_has([path.read_bytes()], owner=user)


def test_killed_between_files_it_goes_on(
    tree: Path, tmp_path: Path, served: ServedUploads, token: str, user: str
) -> None:
    state = tmp_path / "state"
    process = subprocess.Popen(
        command(served.api, tree, "--state-file", state),
        env={**os.environ, "IMAGEGALLERY_TOKEN": token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: served.originals(user).total() >= 2)
    process.kill()
    process.wait()
    assert run(token, served.api, tree, "--state-file", state).returncode == 0
    served.check_has(contents(tree), owner=user)


def test_a_network_that_fails_delays_it(
    tree: Path, served: ServedUploads, network: FailingNetwork, token: str, user: str
) -> None:
    network.cuts = by_chance(1, share=0.3, longest=200_000)
    done = run(token, network.url, tree)
    assert done.returncode == 0, done.stderr
    assert network.was_cut > 0
    assert served.originals(user).total() == 8
    assert served.unfinished() == set()
