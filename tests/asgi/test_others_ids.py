"""An id of somebody else's private thing, put anywhere, tells nothing: the answer is that to an id that was never
given out, in every field of every operation, and costs as many statements. New operations fall in by themselves.
"""

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from attrs import frozen
from starlette.requests import Request
from tests.support import shares
from tests.support.photographs import photograph
from tests.support.shared_engine import SharedEngine
from tests.support.trace import counted
from tests.support.walk import IdField, fields_of

from imagegallery import ImageGallery, Policy, Principal, Settings
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import VIEWER
from imagegallery.database.options import DatabaseOptions
from imagegallery.queue.job import NewJob
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.webhooks.webhook import WebhookOptions
from imagegallery_asgi import create_app
from imagegallery_asgi.framework.openapi import Description
from imagegallery_asgi.routes import EVERYTHING, OPERATIONS

FIELDS: Final = fields_of(Description(OPERATIONS).at("/api/v1"))
ANA = Principal.user("ana")
NEVER: Final = "0190a3d8-5b0e-7c2a-9d1e-0123456789ab"
# What says nothing of the id: when, and the request's own.
_OWN_HEADERS: Final = frozenset(("x-request-id", "date"))
# What an upload is sent with, by the operation; nothing is read where the id is nobody's.
HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    "createResumableUpload": {"Tus-Resumable": "1.0.0", "Upload-Length": "10"},
    "appendResumableUpload": {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
    },
    "getResumableUploadHead": {"Tus-Resumable": "1.0.0"},
    "sendUploadContent": {"Content-Type": "image/jpeg"},
    "uploadGalleryImage": {"Content-Type": "image/jpeg"},
}
# What says the same to everybody, whatever the id.
ANSWERS_ALL: Final = frozenset(("getResumableUploadOptions",))
# What says of each thing asked for what became of it, or shows those that one may see; of others' private ones nothing.
LISTS: Final = frozenset(
    (
        "listGalleries",
        "listGalleryImages",
        "listImages",
        "getTimeline",
        "getTimelineMonth",
        "listAudit",
        "batchImages",
        "listShares",
        "listGuestUploads",
        "approveGuestUploads",
        "rejectGuestUploads",
    )
)
# What those may do to whom a gallery and its image are shown, with downloads and all metadata: by which field.
SHOWN: Final = frozenset(
    (
        ("getGallery", "gallery_id"),
        ("listGalleryImages", "gallery_id"),
        ("getImage", "image_id"),
        ("viewImage", "image_id"),
        ("downloadImage", "image_id"),
    )
)
# What is not there below a link.
SHOWN_TO_KNOWN: Final = frozenset((("makeGalleryCookies", "gallery_id"),))


def in_base64(text: str) -> str:
    return b64encode(text.encode()).decode()


_TUS: Final = {"Tus-Resumable": "1.0.0"}
_FILE: Final = {"filename": "tram.jpg", "type": "image/jpeg"}
# Where an id of this kind stands in a header, a text or a form: the request, by the id and the key of a file.
IN_TEXTS: Final[Mapping[str, tuple[str, Callable[[str, str], Mapping[str, Any]]]]] = {
    "metadata of tus": (
        "gallery",
        lambda given, _: {
            "method": "POST",
            "url": "/uploads/resumable",
            "headers": {**_TUS, "Upload-Length": "10", "Upload-Metadata": f"gallery_id {in_base64(given)}"},
        },
    ),
    "concatenation by tus": (
        "upload",
        lambda given, _: {
            "method": "POST",
            "url": "/uploads/resumable",
            "headers": {**_TUS, "Upload-Concat": f"final;/api/v1/uploads/resumable/{given}"},
        },
    ),
    "a form": (
        "gallery",
        lambda given, _: {
            "method": "POST",
            "url": f"/galleries/{given}/uploads",
            "files": {"file": ("tram.jpg", photograph(80, 60), "image/jpeg")},
        },
    ),
    "the query of Uppy": (
        "gallery",
        lambda given, _: {
            "method": "GET",
            "url": "/uploads/uppy/s3/params",
            "params": {**_FILE, "metadata[gallery_id]": given, "metadata[size]": "10"},
        },
    ),
    "the document of Uppy": (
        "gallery",
        lambda given, _: {
            "method": "POST",
            "url": "/uploads/uppy/s3/multipart",
            "json": {**_FILE, "metadata": {"gallery_id": given, "size": "10"}},
        },
    ),
    "a file of a gallery": (
        "gallery",
        lambda given, key: {"method": "GET", "url": f"/galleries/{given}/files/library/{key}"},
    ),
    "a public file": (
        "image",
        lambda given, key: {"method": "GET", "url": f"/files/library/images/{given}/{key.rpartition('/')[2]}"},
    ),
    "a page that is embedded": (
        "gallery",
        lambda given, _: {"method": "GET", "url": "/oembed", "params": {"url": f"http://test/embed/galleries/{given}"}},
    ),
}


@frozen
class World:
    """A service in which Ana has one private thing of each kind; and what others have of their own."""

    client: httpx.AsyncClient
    hers: Mapping[str, str]
    askers: Mapping[str, Principal]
    own: Mapping[str, Mapping[str, str]]
    links: Mapping[str, str]
    locked: tuple[str, str]
    """The token of a link with a password, and a visit by it."""

    async def ask(self, asker: str, field: IdField, given: str) -> tuple[httpx.Response, int]:
        """The answer, and how many statements it took."""
        wanted = field.operation.request(field, given, self.own.get(asker, {}))
        if (headers := HEADERS.get(field.operation.name)) is not None:
            wanted = {**wanted, "headers": headers, "content": photograph(80, 60)}
            del wanted["json"]
        if asker in self.links:
            wanted = {**wanted, "url": f"/s/{self.links[asker]}{wanted['url']}"}
        with counted() as trace:
            answered = await self.client.request(**wanted, auth=_As(asker))
        return answered, len(trace.statements)


@frozen
class _As(httpx.Auth):
    """Says to the host who asks."""

    asker: str

    def auth_flow(self, request):  # type: ignore[no-untyped-def]
        request.headers["X-Asker"] = self.asker
        yield request


@pytest.fixture
async def world(database_dsn: str, tmp_path: Path, imaging_engine: SharedEngine) -> AsyncIterator[World]:
    settings = Settings(
        data_dir=tmp_path / "data",
        database=DatabaseOptions(dsn=database_dsn),
        webhooks=WebhookOptions(allow_private=True),
        policies={"item": Policy()},
    )
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery:
        async with gallery.eager():
            other = await gallery.galleries.create(ANA, name="Another")
            hers = await things_of(gallery, ANA)
        own = {name: await things_of(gallery, Principal.user(name)) for name in ("stranger", "recipient", "other")}
        links = {"below the link": await link_to(gallery, hers["gallery"])}
        links["below the link of another"] = await link_to(gallery, str(other.id))
        askers = {
            "ana": ANA,
            "visitor": Principal.anonymous(),
            "stranger": Principal.user("stranger"),
            "recipient": Principal.user("recipient"),
            "recipient of another": Principal.user("other"),
            "link": Principal.by_link(await shown(gallery, hers, link=True)),
            "link of another": Principal.by_link(
                await shares.share(gallery._resources.database, galleries=[other.id], link=True)
            ),
        }
        await shares.share(gallery._resources.database, galleries=[other.id], to=["other"])
        await shown(gallery, hers, to=["recipient"])
        own["recipient of another"] = own.pop("other")

        def authenticate(request: Request) -> Principal:
            return askers.get(request.headers["X-Asker"], Principal.anonymous())

        app = create_app(gallery, authenticate=authenticate, operations=EVERYTHING)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
            yield World(client, hers, askers, own, links, await locked_link(gallery, hers["gallery"]))


async def things_of(gallery: ImageGallery, owner: Principal) -> Mapping[str, str]:
    """One private thing of each kind."""
    album = await gallery.galleries.create(owner, name="Lisbon")
    image = await gallery.uploads.add(owner, photograph(80, 60), gallery_id=album.id, filename="tram.jpg")
    trashed = await gallery.uploads.add(owner, photograph(81, 60), filename="gone.jpg")
    await gallery.images.delete(owner, trashed.id)
    upload = await gallery.uploads.create(owner, filename="tram.jpg", size=1000, content_type="image/jpeg")
    webhook = await gallery.webhooks.create(owner, url="http://127.0.0.1:9/")
    export = await gallery.exports.request(owner)
    share_id = await shares.share(
        gallery._resources.database, galleries=[album.id], to=["nobody"], owner_id=owner.require_user()
    )
    (recipient,) = (await gallery.shares.get(owner, share_id)).recipients
    queue = PostgresQueue(gallery._resources.database, gallery._resources.clock)
    async with gallery._resources.database.transaction() as connection:
        await queue.enqueue(connection, NewJob("work", owner_id=owner.require_user()), now=gallery._resources.clock())
    await gallery.images.update(owner, image.id, tags=["tram"])
    (tag,) = (await gallery.images.tags.list(owner)).items
    (job,) = await queue.claim(["work"], limit=1, lease=timedelta(minutes=1))
    await queue.bury(job, error="no such image")
    return {
        "gallery": str(album.id),
        "image": str(image.id),
        "upload": str(upload.id),
        "webhook": str(webhook.webhook.id),
        "share": str(share_id),
        "recipient": str(recipient.id),
        "export": str(export.id),
        "job": str(job.id),
        "tag": str(tag.id),
        "trashed": str(trashed.id),
    }


async def shown(gallery: ImageGallery, hers: Mapping[str, str], **whom: object) -> UUID:
    """Let somebody see her gallery, with downloads of originals and all metadata."""
    return await shares.share(
        gallery._resources.database,
        galleries=[UUID(hers["gallery"])],
        permissions=VIEWER,
        metadata=MetadataShown.ALL,
        download=DownloadAllowed.ORIGINAL,
        **whom,  # type: ignore[arg-type]
    )


async def link_to(gallery: ImageGallery, gallery_id: str) -> str:
    """The token of a link by which all of it is shown."""
    made = await gallery.shares.create_link(
        ANA, [UUID(gallery_id)], permissions=VIEWER, metadata=MetadataShown.ALL, download=DownloadAllowed.ORIGINAL
    )
    assert made.token is not None
    return made.token


async def locked_link(gallery: ImageGallery, gallery_id: str) -> tuple[str, str]:
    made = await gallery.shares.create_link(ANA, [UUID(gallery_id)], password="a tram in the rain")
    assert made.token is not None
    opened = await gallery.shares.links.open(made.token, password="a tram in the rain")
    assert opened.visit is not None
    return made.token, opened.visit.token


def altered(text: str) -> Iterator[str]:
    """The text with another character in one place, in many places; without its end, and with more."""
    for place in range(0, len(text), max(1, len(text) // 25)):
        instead = "A" if text[place] != "A" else "B"
        yield text[:place] + instead + text[place + 1 :]
    yield text[:-1]
    yield f"{text}A"


def told(answered: httpx.Response, given: str) -> tuple[int, Mapping[str, str], str]:
    """All that an answer says, but for the id itself and the request's own."""
    headers = {name: value for name, value in answered.headers.items() if name not in _OWN_HEADERS}
    own = answered.headers["x-request-id"]
    body = re.sub(re.escape(given), "ID", answered.text.replace(own, "REQUEST"), flags=re.IGNORECASE)
    return answered.status_code, {name: value.replace(given, "ID") for name, value in headers.items()}, body


def test_every_field_of_an_id_is_known() -> None:
    """Who adds one says in `tests.support.walk` what it is of."""
    assert len({str(field) for field in FIELDS}) == len(FIELDS) > 50
    assert {field.kind for field in FIELDS} >= {"image", "gallery", "upload", "webhook", "share"}


async def test_what_is_not_yours_is_not_there(world: World) -> None:
    wrong = []
    for asker in ("visitor", "stranger", "recipient of another", "link of another", "below the link of another"):
        for field in FIELDS:
            wrong += [f"{asker}: {field} of {each}" async for each in differences(world, asker, field)]
    assert not wrong, "\n".join(wrong)
    (known,) = [each for each in FIELDS if each.operation.name == "getImage"]
    _, cost = await world.ask("stranger", known, NEVER)
    assert cost == 2, "the image, and what shares grant on it"


async def differences(world: World, asker: str, field: IdField) -> AsyncIterator[str]:
    """What is answered otherwise, or takes more or fewer statements, than to an id that was never given out."""
    for warm in (NEVER, world.hers[field.kind]):
        await world.ask(asker, field, warm)
    never, cost = await world.ask(asker, field, NEVER)
    for kind in (field.kind, *(["trashed"] if field.kind == "image" else [])):
        given = world.hers[kind]
        answered, statements = await world.ask(asker, field, given)
        if told(answered, given) != told(never, NEVER):
            yield f"{kind}: {told(answered, given)}, and for none {told(never, NEVER)}"
        elif statements != cost:
            yield f"{kind}: {statements} statements, and for none {cost}"
        elif answered.is_success and field.operation.name not in LISTS | ANSWERS_ALL:
            yield f"{kind}: {answered.status_code}"


async def test_nor_is_it_in_headers_texts_and_forms(world: World) -> None:
    shown = (await world.client.get(f"/images/{world.hers['image']}", auth=_As("ana"))).json()["data"]
    key = shown["src"].partition("/library/")[2]
    wrong = []
    for asker in ("visitor", "stranger", "recipient of another", "link of another", "below the link of another"):
        for name, (kind, wanted) in IN_TEXTS.items():
            said = []
            for given in (NEVER, world.hers[kind], NEVER, world.hers[kind]):  # first, both are new
                request = {**wanted(given, key)}
                if asker in world.links:
                    request["url"] = f"/s/{world.links[asker]}{request['url']}"
                with counted() as trace:
                    answered = await world.client.request(**request, auth=_As(asker))
                said.append((told(answered, given), len(trace.statements)))
                assert answered.is_error, (asker, name, given)
            wrong += [f"{asker}: {name}: {said}"] if said[2] != said[3] else []
    assert not wrong, "\n".join(wrong)


async def test_a_share_allows_what_it_says_and_no_more(world: World) -> None:
    for asker in ("recipient", "link", "below the link"):
        allowed = set()
        for field in FIELDS:
            answered, _ = await world.ask(asker, field, world.hers[field.kind])
            assert answered.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (asker, str(field))
            if answered.status_code < HTTPStatus.BAD_REQUEST and field.operation.name not in ANSWERS_ALL:
                allowed.add((field.operation.name, field.names[0]))
        may = SHOWN if asker in world.links else SHOWN | SHOWN_TO_KNOWN
        assert may <= allowed, asker
        assert {(name, field) for name, field in allowed - may if name not in LISTS} == set(), asker


async def test_a_token_that_is_altered_is_one_that_was_never_given_out(world: World) -> None:
    token, gallery_id = world.links["below the link"], world.hers["gallery"]
    for below in ("", f"/galleries/{gallery_id}", f"/galleries/{gallery_id}/images"):
        assert (await world.client.get(f"/s/{token}{below}", auth=_As("visitor"))).status_code == HTTPStatus.OK
        unknown = await world.client.get(f"/s/{'x' * len(token)}{below}", auth=_As("visitor"))
        for guess in altered(token):
            answered = await world.client.get(f"/s/{guess}{below}", auth=_As("visitor"))
            assert told(answered, guess) == told(unknown, "x" * len(token)), guess
        assert unknown.status_code == HTTPStatus.NOT_FOUND


async def test_a_visit_that_is_altered_is_none(world: World) -> None:
    token, visit = world.locked
    url = f"/s/{token}/galleries/{world.hers['gallery']}"
    for header in ("Share-Visit", "Cookie"):
        name = "imagegallery_visit=" if header == "Cookie" else ""
        shown = await world.client.get(url, headers={header: f"{name}{visit}"}, auth=_As("visitor"))
        assert shown.status_code == HTTPStatus.OK
        for guess in altered(visit):
            refused = await world.client.get(url, headers={header: f"{name}{guess}"}, auth=_As("visitor"))
            assert (refused.status_code, refused.json()["code"]) == (HTTPStatus.UNAUTHORIZED, "password_required")


async def test_a_signed_address_that_is_altered_opens_nothing(world: World) -> None:
    sent = await world.client.get(f"/images/{world.hers['image']}/download", auth=_As("recipient"))
    url = httpx.URL(sent.headers["Location"])
    assert (await world.client.get(f"http://test{url}")).status_code == HTTPStatus.OK
    for guess in altered(url.path.partition("/objects/")[2]):
        answered = await world.client.get(f"http://test/api/v1/objects/{guess}")
        assert answered.status_code >= HTTPStatus.BAD_REQUEST, guess


async def test_what_a_client_claims_of_its_way_makes_it_nobody_else(world: World) -> None:
    claims = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "localhost",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/admin",
        "Forwarded": "for=127.0.0.1;host=localhost;proto=https",
        "X-Original-URL": "/api/v1/me",
        "X-Rewrite-URL": "/api/v1/me",
        "X-HTTP-Method-Override": "DELETE",
        "X-Forwarded-User": "ana",
        "Remote-User": "ana",
    }
    for path in (f"/images/{world.hers['image']}", f"/galleries/{world.hers['gallery']}", "/audit", "/admin/audit"):
        for asker in ("visitor", "stranger"):
            plain = await world.client.get(path, auth=_As(asker))
            for name, value in claims.items():
                answered = await world.client.get(path, headers={name: value}, auth=_As(asker))
                assert told(answered, NEVER) == told(plain, NEVER), (asker, path, name)
