"""tus-js-client, as it is published, against a running service."""

import subprocess
from pathlib import Path

import cattrs
import httpx
import pytest
from attrs import frozen
from tests.javascript.conftest import end_unheard_of
from tests.support.images import jpeg_of_size
from tests.support.node import NodePrograms
from tests.support.served import ServedUploads, token_of
from tests.support.servers.proxy import FailingNetwork, by_chance
from tests.support.waiting import until

_CONVERTER = cattrs.Converter()
METADATA = {"filename": "tram.jpg", "filetype": "image/jpeg"}
SIZE = 1_234_567


@frozen
class Upload:
    """What became of one file."""

    requests: list[tuple[str, int]]
    url: str | None = None
    error: str | None = None
    status: int | None = None

    def statuses(self, method: str) -> list[int]:
        return [status for asked, status in self.requests if asked == method]


@frozen
class Sender:
    """A user with the client."""

    clients: NodePrograms
    api: str
    token: str
    folder: Path

    def file(self, name: str = "tram.jpg", size: int = SIZE) -> Path:
        path = self.folder / name
        path.write_bytes(jpeg_of_size(size, name))
        return path

    def options(self, *files: Path, **options: object) -> dict[str, object]:
        return {
            "endpoint": f"{self.api}/uploads/resumable",
            "files": [str(file) for file in files],
            "metadata": METADATA,
            "headers": {"Authorization": f"Bearer {self.token}"},
            **options,
        }

    def send(self, *files: Path, **options: object) -> list[Upload]:
        answer = self.clients.run("tus.mjs", self.options(*files, **options))
        return _CONVERTER.structure(answer["uploads"], list[Upload])


@pytest.fixture
def sender(node_clients: NodePrograms, served: ServedUploads, token: str, tmp_path: Path) -> Sender:
    return Sender(node_clients, served.api, token, tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunkSize": 300_000},
        {"uploadDataDuringCreation": True},
        {"uploadDataDuringCreation": True, "chunkSize": 300_000},
        {"overridePatchMethod": True, "chunkSize": 300_000},
        {"parallelUploads": 4},
        {"parallelUploads": 3, "chunkSize": 100_000},
        {"stream": True, "chunkSize": 300_000},
    ],
    ids=lambda options: ", ".join(options) or "plain",
)
def test_a_file_comes_in(options: dict[str, object], sender: Sender, served: ServedUploads, user: str) -> None:
    file = sender.file()
    (upload,) = sender.send(file, **options)
    assert upload.error is None
    assert {status // 100 for _, status in upload.requests} == {2}
    served.check_has([file.read_bytes()], owner=user)
    assert served.rows("SELECT filename FROM images WHERE owner_id = $1", user) == [("tram.jpg",)]


@pytest.mark.parametrize("parallel", [1, 4])
def test_killed_and_started_again_it_goes_on(
    parallel: int, sender: Sender, served: ServedUploads, user: str, tmp_path: Path
) -> None:
    file = sender.file(size=12_000_000)
    options = {"urlFile": str(tmp_path / "urls.json"), "chunkSize": 200_000, "parallelUploads": parallel}
    arrived = "SELECT coalesce(sum(received_offset), 0)::bigint FROM upload_sessions WHERE owner_id = $1"
    command = sender.clients.command("tus.mjs", sender.options(file, **options))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until(lambda: served.rows(arrived, user)[0][0] > 2_000_000)
    process.kill()
    process.wait()
    assert served.originals(user).total() == 0
    (upload,) = sender.send(file, **options)
    assert upload.error is None
    assert len(upload.statuses("PATCH")) <= 52, "of 60 pieces, those that were missing"
    assert len(upload.statuses("POST")) == (parallel > 1), "nothing was begun anew; parts were joined"
    served.check_has([file.read_bytes()], owner=user)


def test_an_upload_that_is_given_up_is_gone(sender: Sender, served: ServedUploads, user: str) -> None:
    (upload,) = sender.send(sender.file(), terminateAfter=400_000, chunkSize=200_000)
    assert upload.statuses("DELETE") == [204]
    headers = {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {sender.token}"}
    assert httpx.head(str(upload.url), headers=headers).status_code == 410
    served.check_has([], owner=user)


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"filename": "notes.txt", "filetype": "text/plain"}, 415),
        ({**METADATA, "gallery_id": "no id"}, 400),
        ({**METADATA, "gallery_id": "01a1fec0-fd27-7415-833d-ce697215d6ba"}, 404),
    ],
)
def test_metadata_that_is_wrong_is_refused(
    metadata: dict[str, str], status: int, sender: Sender, served: ServedUploads, user: str
) -> None:
    (upload,) = sender.send(sender.file(), metadata=metadata, retryDelays=[])
    assert upload.status == status
    served.check_has([], owner=user)


def test_a_path_in_a_filename_is_no_path(sender: Sender, served: ServedUploads, user: str) -> None:
    (upload,) = sender.send(sender.file(), metadata={**METADATA, "filename": "../../etc/träm.jpg"})
    assert upload.error is None
    assert served.rows("SELECT filename FROM images WHERE owner_id = $1", user) == [("träm.jpg",)]


def test_a_file_that_is_no_image_is_refused(sender: Sender, served: ServedUploads, user: str, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("not a picture" * 1_000)
    (upload,) = sender.send(tmp_path / "notes.jpg", retryDelays=[])
    assert upload.status == 422
    assert "bad_image" in str(upload.error) or "type_mismatch" in str(upload.error)
    served.check_has([], owner=user)


def test_an_upload_is_its_owners(sender: Sender, served: ServedUploads, user: str) -> None:
    file = sender.file()
    (begun,) = sender.send(file, terminateAfter=10**9)
    stranger = {"Authorization": f"Bearer {token_of('eve')}"}
    (upload,) = sender.send(file, uploadUrl=begun.url, headers=stranger, endpoint=None, retryDelays=[])
    assert upload.status == 404
    served.check_has([file.read_bytes()], owner=user)


def test_a_network_that_fails_delays_it(
    sender: Sender, served: ServedUploads, network: FailingNetwork, user: str
) -> None:
    network.cuts = by_chance(5, share=0.4, longest=2_000_000)
    files = [sender.file(f"{number}.jpg", size) for number, size in enumerate([700, 5_000, 80_000, 900_000] * 5)]
    away = Sender(sender.clients, network.url, sender.token, sender.folder)
    uploads = [*away.send(*files[:10]), *away.send(*files[10:], parallelUploads=2)]
    assert [upload.error for upload in uploads] == [None] * 20
    assert network.was_cut > 0
    end_unheard_of(served, user)
    served.check_has(map(Path.read_bytes, files), owner=user)
