"""Uppy with its plugins, as they are published, against a running service."""

from pathlib import Path

import httpx
import pytest
from attrs import evolve, frozen
from tests.javascript.conftest import end_unheard_of
from tests.support.images import jpeg_of_size
from tests.support.node import NodePrograms
from tests.support.served import ServedUploads
from tests.support.servers.proxy import FailingNetwork, each_once
from tests.support.waiting import until

IN_PARTS: dict[str, object] = {"shouldUseMultipart": True}
IN_ONE: dict[str, object] = {"shouldUseMultipart": False}
TWO_PARTS = 6_000_000
SIZE = 12_000_000  # three parts: Uppy makes none below 5 MiB


@frozen
class Page:
    """A page with Uppy on it, and its user."""

    clients: NodePrograms
    api: str
    token: str
    file: Path

    def upload(
        self,
        plugin: str,
        options: dict[str, object],
        then: str | None = None,
        meta: dict[str, object] | None = None,
        retries: int = 0,
    ) -> dict[str, object]:
        given = {
            "api": self.api,
            "token": self.token,
            "file": str(self.file),
            "name": "tram.jpg",
            "plugin": plugin,
            "options": options,
            "then": then,
            "meta": meta or {},
            "retries": retries,
        }
        return dict(self.clients.run("uppy.mjs", given))


@pytest.fixture
def page(node_clients: NodePrograms, served: ServedUploads, token: str, tmp_path: Path) -> Page:
    file = tmp_path / "any.jpg"
    file.write_bytes(jpeg_of_size(SIZE))
    return Page(node_clients, served.api, token, file)


@pytest.mark.parametrize(
    ("plugin", "options"),
    [("AwsS3", IN_PARTS), ("AwsS3", IN_ONE), ("Tus", {}), ("Tus", {"chunkSize": 3_000_000})],
    ids=["in parts", "in one request", "tus", "tus in pieces"],
)
def test_a_file_comes_in(plugin: str, options: dict[str, object], page: Page, served: ServedUploads, user: str) -> None:
    done = page.upload(plugin, options)
    assert (done["successful"], done["failed"]) == (1, [])
    served.check_has([page.file.read_bytes()], owner=user)
    assert served.rows("SELECT filename, mime_type FROM images WHERE owner_id = $1", user) == [
        ("tram.jpg", "image/jpeg")
    ]


@pytest.mark.parametrize(
    ("plugin", "options"), [("AwsS3", IN_PARTS), ("Tus", {"chunkSize": 3_000_000})], ids=["in parts", "tus"]
)
def test_paused_it_goes_on(
    plugin: str, options: dict[str, object], page: Page, served: ServedUploads, user: str
) -> None:
    done = page.upload(plugin, options, then="pause")
    assert (done["successful"], done["failed"]) == (1, [])
    served.check_has([page.file.read_bytes()], owner=user)
    assert served.rows("SELECT count(*) FROM upload_sessions WHERE owner_id = $1", user) == [(1,)]


@pytest.mark.parametrize(
    ("plugin", "options"), [("AwsS3", IN_PARTS), ("Tus", {"chunkSize": 3_000_000})], ids=["in parts", "tus"]
)
def test_cancelled_it_leaves_nothing(
    plugin: str, options: dict[str, object], page: Page, served: ServedUploads, user: str
) -> None:
    assert page.upload(plugin, options, then="cancel")["successful"] == 0
    until(lambda: served.rows("SELECT state FROM upload_sessions WHERE owner_id = $1", user) == [("cancelled",)])
    until(lambda: not served.unfinished())
    served.check_has([], owner=user)


@pytest.mark.parametrize(("plugin", "options"), [("AwsS3", IN_PARTS), ("AwsS3", IN_ONE), ("Tus", {})])
def test_into_a_gallery(plugin: str, options: dict[str, object], page: Page, served: ServedUploads, user: str) -> None:
    headers = {"Authorization": f"Bearer {page.token}"}
    made = httpx.post(f"{served.api}/galleries", json={"name": "Lisbon"}, headers=headers).json()["data"]
    done = page.upload(plugin, options, meta={"gallery_id": made["id"]})
    assert done["successful"] == 1
    assert served.rows("SELECT image_count FROM galleries WHERE owner_id = $1", user) == [(1,)]


@pytest.mark.parametrize(("plugin", "options"), [("AwsS3", IN_PARTS), ("AwsS3", IN_ONE), ("Tus", {"retryDelays": []})])
def test_what_is_no_image_fails_and_leaves_nothing(
    plugin: str, options: dict[str, object], page: Page, served: ServedUploads, user: str
) -> None:
    page.file.write_bytes(b"no picture" * 1_000)
    done = page.upload(plugin, options)
    assert done["successful"] == 0
    assert done["failed"]
    served.check_has([], owner=user)


@pytest.mark.parametrize(
    ("plugin", "options", "kinds"),
    [
        (
            "AwsS3",
            IN_PARTS,
            (
                "POST .*/multipart",
                "GET .*/multipart/[^/]+/1",
                "PUT .*/objects/.*",
                "GET .*/multipart/[^/]+/2",
                "POST .*/complete",
                "GET .*/multipart/[^/]+",
            ),
        ),
        ("AwsS3", IN_ONE, ("GET .*/params", "POST .*/objects/.*")),
        ("Tus", {"retryDelays": [0] * 8}, ("POST .*/resumable", "PATCH .*", "HEAD .*")),
    ],
    ids=["in parts", "in one request", "tus"],
)
def test_each_answer_is_lost_once_and_the_file_is_in_once(
    plugin: str,
    options: dict[str, object],
    kinds: tuple[str, ...],
    page: Page,
    served: ServedUploads,
    network: FailingNetwork,
    user: str,
) -> None:
    """Of every step that it takes; its user tries again as long as something failed."""
    page.file.write_bytes(jpeg_of_size(TWO_PARTS))
    network.loses = each_once(*kinds)
    done = evolve(page, api=network.url).upload(plugin, options, retries=len(kinds))
    assert (done["successful"], done["failed"]) == (1, [])
    assert len(network.lost) == len(kinds), network.lost
    end_unheard_of(served, user)
    served.check_has([page.file.read_bytes()], owner=user)


def test_who_is_not_let_in_is_told(page: Page, served: ServedUploads) -> None:
    for plugin in ("AwsS3", "Tus"):
        done = evolve(page, token="nonsense").upload(plugin, {"retryDelays": []} if plugin == "Tus" else IN_PARTS)
        assert done["successful"] == 0
        assert done["failed"]
    served.check_nothing_is_left()
