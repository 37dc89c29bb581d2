"""The page's own uploader, as the page has it, against a running service and networks that fail."""

import subprocess
from itertools import chain, repeat
from pathlib import Path
from uuid import uuid4

import cattrs
import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, Phase, given, settings
from tests.javascript.test_failing_network import LARGE, cuts, sizes
from tests.support.images import jpeg_of_size
from tests.support.node import NodePrograms
from tests.support.served import ServedUploads, token_of
from tests.support.servers.proxy import Cut, FailingNetwork, by_chance, each_once, in_turn
from tests.support.waiting import until

import imagegallery_asgi

_CONVERTER = cattrs.Converter()
APP = Path(imagegallery_asgi.__file__).parent / "page" / "app"
EXAMPLES = 2  # of 50 files each


@frozen
class Upload:
    """What became of one file: its requests with their answers' statuses and their bytes."""

    requests: list[tuple[str, int, int]]
    image: str | None = None
    refusal: str | None = None


@frozen
class Sender:
    """A user with a page."""

    clients: NodePrograms
    api: str
    user: str
    folder: Path

    def file(self, name: str = "tram.jpg", size: int = 1_234_567) -> Path:
        path = self.folder / name
        path.write_bytes(jpeg_of_size(size, f"{self.user} {name}"))
        return path

    def options(self, files: list[Path], **options: object) -> dict[str, object]:
        given = {"app": str(APP), "api": self.api, "token": token_of(self.user), "files": [str(file) for file in files]}
        return {**given, **options}

    def send(self, *files: Path, **options: object) -> list[Upload]:
        answer = self.clients.run("page-uploader.mjs", self.options(list(files), **options))
        return _CONVERTER.structure(answer["uploads"], list[Upload])


@pytest.fixture
def sender(node_clients: NodePrograms, served: ServedUploads, user: str, tmp_path: Path) -> Sender:
    return Sender(node_clients, served.api, user, tmp_path)


def test_a_file_takes_one_request(sender: Sender, served: ServedUploads, user: str) -> None:
    file = sender.file()
    (upload,) = sender.send(file)
    assert upload.requests == [("POST", 202, 1_234_567)]
    assert upload.image is not None
    served.check_has([file.read_bytes()], owner=user)
    assert served.rows("SELECT filename FROM images WHERE owner_id = $1", user) == [("tram.jpg",)]


def test_what_is_refused_is_told_in_the_service_s_words(sender: Sender, served: ServedUploads, user: str) -> None:
    (sender.folder / "notes.jpg").write_text("not a picture" * 1_000)
    (upload,) = sender.send(sender.folder / "notes.jpg")
    assert upload.refusal == "type_mismatch"
    served.check_has([], owner=user)


def test_killed_and_started_again_it_goes_on(sender: Sender, served: ServedUploads, network: FailingNetwork) -> None:
    """With its key alone, and without a byte that has arrived."""
    file, keys = sender.file(size=40_000_000), [str(uuid4())]
    slow = evolve(sender, api=network.url)
    network.cuts = in_turn(chain(repeat(Cut(10_000_000), 2), repeat(Cut(0))))
    command = sender.clients.command("page-uploader.mjs", slow.options([file], keys=keys))
    arrived = "SELECT coalesce(sum(received_offset), 0)::bigint FROM upload_sessions WHERE owner_id = $1"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until(lambda: served.rows(arrived, sender.user)[0][0] > 1_000_000)
    process.kill()
    process.wait()
    (upload,) = sender.send(file, keys=keys)
    assert [method for method, _, _ in upload.requests] == ["POST", "PATCH"]
    assert upload.requests[1][2] < 39_000_000
    served.check_has([file.read_bytes()], owner=sender.user)


def test_each_answer_is_lost_once_and_the_file_is_in_once(
    sender: Sender, served: ServedUploads, network: FailingNetwork, user: str
) -> None:
    file = sender.file()
    network.loses = each_once("POST .*/resumable", "PATCH .*")
    (upload,) = evolve(sender, api=network.url).send(file, keys=[str(uuid4())])  # which it asks for first
    assert upload.image is not None
    assert [(method, status) for method, status, _ in upload.requests] == [
        ("POST", 0),
        ("POST", 201),
        ("PATCH", 0),
        ("POST", 202),
    ]
    served.check_has([file.read_bytes()], owner=user)


def test_a_network_that_fails_delays_it(
    sender: Sender, served: ServedUploads, network: FailingNetwork, user: str
) -> None:
    """And leaves no upload behind that nobody has heard of: the same key finds it."""
    network.cuts = by_chance(5, share=0.8, longest=2_000_000)
    files = [sender.file(f"{number}.jpg", size) for number, size in enumerate([700, 5_000, 80_000, 900_000] * 5)]
    uploads = evolve(sender, api=network.url).send(*files)
    assert [upload.refusal for upload in uploads] == [None] * 20
    assert network.was_cut > 0
    served.check_has(map(Path.read_bytes, files), owner=user)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(sizes=sizes, cuts=cuts)
def test_files_come_in_whole_and_once_wherever_connections_are_cut(
    node_clients: NodePrograms,
    served: ServedUploads,
    network: FailingNetwork,
    tmp_path: Path,
    sizes: list[int],
    cuts: list[Cut | None],
) -> None:
    sender = Sender(node_clients, network.url, f"user-{uuid4()}", tmp_path)
    files = [sender.file(f"{number}.jpg", size) for number, size in enumerate([*sizes, next(LARGE)])]
    was_cut = network.was_cut
    network.cuts = in_turn([Cut(0), *cuts])
    uploads = sender.send(*files)
    assert {upload.refusal for upload in uploads} == {None}
    assert network.was_cut > was_cut
    served.check_has(map(Path.read_bytes, files), owner=sender.user)
