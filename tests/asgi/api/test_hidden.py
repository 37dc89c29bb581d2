"""What a share hides is in the bytes of no answer, and nothing can be asked by it."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from attrs import frozen
from tests.asgi.conftest import ClientOf
from tests.imaging import test_removal as photo
from tests.support.servers.api import ApiServer
from tests.support.waiting import until

from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery_asgi.routes import OPERATIONS

NAME = "Avo in the Rua da Bica.jpg"
PLACE = [b"38.71", b"9.139", *photo.PLACES]
FILE = [b"Rua da Bica", b"Rua%20da", b"Canon", photo.SERIAL.encode(), photo.OWNER.encode(), b"1984"]
NONE, BASIC, ALL = MetadataShown
ORIGINAL = DownloadAllowed.ORIGINAL
READS = [
    each for each in OPERATIONS if each.method == "GET" and ("{image_id}" in each.path or "{gallery_id}" in each.path)
]


@frozen
class Shared:
    """Ana's private gallery with one photo that tells much, and who it is shared with."""

    server: ApiServer
    client_of: ClientOf
    owner: httpx.Client
    gallery_id: str
    image_id: str

    def with_somebody(
        self, metadata: MetadataShown, download: DownloadAllowed = ORIGINAL, *, by: str = "name"
    ) -> httpx.Client:
        """A client for one whom it is shared with, by name, or by a link."""
        name = f"ben-{uuid4()}"
        said = {
            "targets": [{"gallery_id": self.gallery_id}],
            "permissions": ["view", "download"],
            "metadata": metadata.name.lower(),
            "download": download.name.lower(),
            "link": by == "link",
            "recipients": [{"user": name}] if by == "name" else [],
        }
        created = self.owner.post("/shares", json=said).raise_for_status().json()["data"]
        client = self.client_of(name if by == "name" else None)
        if by == "link":
            client.base_url = httpx.URL(f"{self.owner.base_url}s/{created['token']}/")
            client.get("")
        return client

    def answers(self, client: httpx.Client) -> Iterator[httpx.Response]:
        """All there are to reads of the two, redirects and what they lead to among them."""
        fields = {"fields": "filename,taken_at,exif,latitude,longitude,meta,file_size,updated_at"}
        key = next(iter(self.server.stored(f"{self.image_id}/thumbnail")))
        for operation in READS:
            path = operation.path.replace("{key:path}", key)
            path = path.format(image_id=self.image_id, gallery_id=self.gallery_id)
            for params in ({}, fields, {"page": "1"}, {"order": "created_at"}, {"order": "filename"}):
                answer = client.get(path, params=params, follow_redirects=True)
                yield from (*answer.history, answer, client.head(path, follow_redirects=True))
        yield client.post("/images/batch", json={"action": "delete", "ids": [self.image_id]})
        for path in ("/galleries", "/images", "/images/timeline", "/audit", "/shares", ""):
            yield client.get(path)


def told(answer: httpx.Response) -> bytes:
    headers = b"\n".join(name + b": " + value for name, value in answer.headers.raw)
    return headers + answer.content


@pytest.fixture
def shared(server: ApiServer, client_of: ClientOf, owner: httpx.Client) -> Shared:
    gallery_id = owner.post("/galleries", json={"name": "Summer"}).json()["data"]["id"]
    taken = photo.exif()
    taken.get_ifd(photo.EXIF_IFD)[36867] = "1984:06:30 18:04:05"
    data = photo.jpeg(exif=taken)
    headers = {"Content-Type": "image/jpeg"}
    sent = owner.post(f"/galleries/{gallery_id}/uploads", params={"filename": NAME}, content=data, headers=headers)
    image_id = sent.json()["data"]["id"]
    until(lambda: owner.get(f"/images/{image_id}").json()["data"]["processing_status"] == "complete")
    owner.patch(f"/images/{image_id}", json={"is_favorite": True, "meta": {"note": "1984"}})
    return Shared(server, client_of, owner, gallery_id, image_id)


@pytest.mark.parametrize(
    ("metadata", "hidden", "is_told"),
    [(NONE, [*PLACE, *FILE], []), (BASIC, PLACE, [b"Canon", b"Rua da Bica", b"1984"]), (ALL, [], [b"38.71", b"Canon"])],
)
@pytest.mark.parametrize("by", ["name", "link"])
def test_no_answer_has_a_byte_of_it(
    shared: Shared, by: str, metadata: MetadataShown, hidden: list[bytes], is_told: list[bytes]
) -> None:
    client = shared.with_somebody(metadata, by=by)
    answers = list(shared.answers(client))
    found = [(str(each.url), word) for each in answers for word in hidden if word in told(each)]
    assert found == []
    assert all(any(word in told(each) for each in answers) for word in is_told)
    assert sum(each.status_code == 200 for each in answers) > 10
    detail = client.get(f"/images/{shared.image_id}").json()["data"]
    assert (detail["is_favorite"], detail["sha256"], detail["meta"], detail["policy"]) == (False, None, {}, None)
    gallery = client.get(f"/galleries/{shared.gallery_id}").json()["data"]
    assert gallery["image_count"] == (None if metadata is NONE else 1)
    numbered = client.get(f"/galleries/{shared.gallery_id}/images", params={"page": 1}).json()["pagination"]
    assert numbered["total"] == (None if metadata is NONE else 1)


@pytest.mark.parametrize(
    ("name", "fitting", "other"),
    [
        ("taken_from", "1984-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        ("taken_before", "1990-01-01T00:00:00Z", "1980-01-01T00:00:00Z"),
        ("order", "taken_at", "filename"),
        ("meta.note", "1984", "1985"),
        ("is_favorite", "true", "false"),
    ],
)
@pytest.mark.parametrize("by", ["name", "link"])
def test_what_is_hidden_cannot_be_asked_by(shared: Shared, by: str, name: str, fitting: str, other: str) -> None:
    client = shared.with_somebody(NONE, by=by)
    path = f"/galleries/{shared.gallery_id}/images"
    answers = [client.get(path, params={name: value}) for value in (fitting, other)]
    assert [each.status_code for each in answers] == [422, 422]
    (one, another) = [{**each.json(), "requestId": None} for each in answers]
    assert one == another
    assert name in str(one)


def test_a_change_of_what_is_hidden_is_not_seen(shared: Shared, owner: httpx.Client) -> None:
    client = shared.with_somebody(NONE)
    paths = [f"/images/{shared.image_id}", f"/galleries/{shared.gallery_id}/images"]
    fields = {"fields": "id,filename,updated_at,taken_at"}
    before = [client.get(path, params=fields).headers["ETag"] for path in paths]
    owner.patch(f"/images/{shared.image_id}", json={"is_favorite": False, "filename": "elsewhere.jpg"})
    assert [client.get(path, params=fields).headers["ETag"] for path in paths] == before


@pytest.mark.parametrize("metadata", MetadataShown)
@pytest.mark.parametrize("by", ["name", "link"])
def test_who_may_have_the_file_gets_what_they_may_know_of_it(shared: Shared, by: str, metadata: MetadataShown) -> None:
    client = shared.with_somebody(metadata, by=by)
    answer = client.get(f"/images/{shared.image_id}/download", follow_redirects=True)
    shown = [word for word in (photo.SERIAL.encode(), b"38,42.834N") if word in answer.content]
    assert len(shown) == metadata
    assert photo.pixels(answer.content, "jpg") == photo.pixels(photo.jpeg(), "jpg")
    said = answer.headers["Content-Disposition"]
    assert said.startswith("attachment")
    assert (shared.image_id in said) is (metadata is NONE)
    copies = {key for key in shared.server.stored(shared.image_id) if "/copy-" in key}
    assert len(copies) == (0 if metadata is ALL else 1)
    assert client.head(f"/images/{shared.image_id}/download", follow_redirects=True).status_code == 200


def test_who_may_not_have_the_original_gets_the_largest_variant_or_nothing(shared: Shared) -> None:
    path = f"/images/{shared.image_id}/download"
    variant = shared.with_somebody(ALL, DownloadAllowed.VARIANT).get(path, follow_redirects=True)
    assert variant.headers["Content-Type"] == "image/webp"
    assert variant.headers["Content-Disposition"].startswith("attachment")
    assert not [word for word in (*PLACE, *FILE) if word in variant.content]
    refused = shared.with_somebody(ALL, DownloadAllowed.NONE).get(path)
    assert refused.status_code == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert shared.client_of(f"user-{uuid4()}").get(path).status_code == 404
    assert shared.client_of(None).get(path).status_code == 401
