"""The life of a link, step by step, between two processes, with every answer searched for what it must not tell.

::

    python -m benchmarks.shared_link

Two servers of the API serve one database and one folder. Ana shares a private gallery by a link with a password at one
of them; whoever has the link opens it at the other. One of the photographs says where it was taken. What comes back
below the link, headers and bodies, is searched for that place in every way in which it could be written: as the numbers
of JSON, as the fractions of EXIF, as the name of the file. Each step prints what was seen; the first that is not as it
has to be ends the run.
"""

import io
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from anyio.from_thread import start_blocking_portal
from attrs import define, field
from PIL import Image as Pillow
from tests.support.images import exif_block
from tests.support.photographs import photograph
from tests.support.servers.api import running_api
from tests.support.waiting import until

from imagegallery import Settings
from imagegallery.backends import running_database

LATITUDE, LONGITUDE = 38.7139, -9.1334
FILENAME = "rua-augusta.jpg"
JPEG = {"Content-Type": "image/jpeg"}
PASSWORD = "open sesame"
# Guests add nothing unless somebody wants them to.
GUESTS = {"IMAGEGALLERY_ADMINISTRATION_GUEST_UPLOADS": "true"}
SERVED = Path(__file__).parents[1] / "tests" / "asgi" / "served.py"


def fractions(degrees: float) -> Iterator[bytes]:
    """The degrees as EXIF has them, in both orders of bytes."""
    thousandths = round(abs(degrees) * 10_000)
    for order in "<>":
        yield struct.pack(f"{order}II", thousandths, 10_000)


TELLS_PLACE = (b"38.71", b"9.133", *fractions(LATITUDE), *fractions(LONGITUDE))


@define
class Elsewhere:
    """Who has the link and nothing else, at another process. All that comes back is searched."""

    client: httpx.Client
    link: str
    hidden: list[bytes] = field(factory=lambda: [*TELLS_PLACE])
    answers: int = 0
    read: int = 0

    def ask(self, method: str, path: str = "", **said: Any) -> httpx.Response:
        answer = self.client.request(method, self.link + path, **said)
        while answer.is_redirect:
            self.search(answer)
            answer = self.client.request("GET", str(answer.next_request.url) if answer.next_request else "")
        self.search(answer)
        return answer

    def search(self, answer: httpx.Response) -> None:
        told = str(answer.headers.raw).encode() + answer.content
        self.answers += 1
        self.read += len(told)
        found = [each for each in self.hidden if each in told]
        expect(not found, f"{answer.request.method} {answer.request.url.path} told {found}")


def expect(holds: object, otherwise: str) -> None:
    if not holds:
        sys.exit(f"  FAILED: {otherwise}")


def step(said: str) -> None:
    print(f"* {said}", flush=True)


def seen(answer: httpx.Response, status: int, code: str | None = None) -> str:
    """What an answer was, which has to be this."""
    told = answer.json() if answer.status_code >= 400 else {}
    expect((answer.status_code, told.get("code")) == (status, code), f"{answer.status_code} {answer.text[:300]}")
    why = f", {told['details']['reason']}" if status == 410 else ""
    return f"{status}{f' {code}' if code else ''}{why}"


def photo_with_place() -> bytes:
    file = io.BytesIO()
    picture = Pillow.open(io.BytesIO(photograph(640, 480)))
    picture.save(file, "JPEG", quality=90, exif=exif_block(gps=(LATITUDE, LONGITUDE), make="FUJIFILM", model="X100V"))
    data = file.getvalue()
    expect(any(each in data for each in TELLS_PLACE), "the photograph itself does not tell its place")
    return data


def is_complete(owner: httpx.Client, image_id: str) -> bool:
    return bool(owner.get(f"/images/{image_id}").json()["data"]["processing_status"] == "complete")


def run(here: str, elsewhere: str) -> None:
    owner = httpx.Client(base_url=f"{here}/api/v1", headers={"X-User": "ana"}, timeout=60)
    gallery = owner.post("/galleries", json={"name": "Lisbon"}).json()["data"]["id"]
    sent = owner.post(
        f"/galleries/{gallery}/uploads", params={"filename": FILENAME}, content=photo_with_place(), headers=JPEG
    )
    image = sent.json()["data"]["id"]
    until(lambda: is_complete(owner, image))
    own = owner.get(f"/images/{image}")
    place = own.json()["data"]
    expect(any(each in own.content for each in TELLS_PLACE), "the search does not find what the owner sees")
    step(f"Ana has a private gallery with a photograph: {FILENAME}, at {place['latitude']}, {place['longitude']}")

    said = {
        "targets": [{"gallery_id": gallery}],
        "permissions": ["view", "download", "add_images"],
        "metadata": "basic",
        "password": PASSWORD,
        "max_views": 2,
        "note": "From our weekend",
    }
    made = owner.post("/shares", json=said).json()["data"]
    share, link = f"/shares/{made['id']}", f"/s/{made['token']}"
    step(f"Ana shares it by a link with a password, for 2 views: token of {len(made['token'])} characters, shown once")
    expect(made["token"] not in owner.get(share).text, "the token is told again")

    there = Elsewhere(httpx.Client(base_url=f"{elsewhere}/api/v1", timeout=60), link)
    wrong = Elsewhere(there.client, link[:-1])
    step(f"At the other process: a truncated token {seen(wrong.ask('GET'), 404, 'not_found')}")
    step(f"  the link {seen(there.ask('GET'), 401, 'password_required')}")
    below = f"/galleries/{gallery}/images"
    step(f"  what is below it {seen(there.ask('GET', below), 401, 'password_required')}")
    step(f"  a wrong password {seen(there.ask('POST', '/unlock', json={'password': 'guess'}), 401, 'wrong_password')}")
    opened = there.ask("POST", "/unlock", json={"password": PASSWORD})
    cookie = "HttpOnly" in opened.headers["Set-Cookie"]
    step(
        f"  the password {seen(opened, 200)}: {opened.json()['data']['note']!r}; a cookie for this link alone: {cookie}"
    )

    listed = there.ask("GET", below)
    step(f"  the list {seen(listed, 200)}: {[each['filename'] for each in listed.json()['data']]}")
    detail = there.ask("GET", f"/images/{image}").json()["data"]
    step(f"  the image: latitude {detail['latitude']}, camera {(detail['exif'] or {}).get('model')}")
    for query in ("?order=position&taken_from=2000-01-01T00:00:00Z", "?visibility=private", "?fields=latitude"):
        there.ask("GET", below + query)
    original = there.ask("GET", f"/images/{image}/download")
    expect(original.status_code == 200, original.text[:200])
    with Pillow.open(io.BytesIO(original.content)) as picture:
        expect(not picture.getexif().get_ifd(0x8825), "the original tells its place")
    step(f"  the original: {len(original.content):,} bytes, without the place")

    guest = there.ask("POST", "/guests", json={"name": "Aunt Inês"})
    step(f"  a guest gives a name {seen(guest, 201)}")
    added = there.ask("POST", f"/galleries/{gallery}/uploads", content=photograph(320, 240), headers=JPEG)
    step(f"  and adds a photograph {seen(added, 202)}; the gallery has {len(there.ask('GET', below).json()['data'])}")
    waiting = owner.get("/guest-uploads").json()["data"]
    ids = [each["image"]["id"] for each in waiting]
    step(f"Ana finds {len(ids)} that waits, and approves it")
    owner.post("/guest-uploads/approve", json={"image_ids": ids}).raise_for_status()
    shown = [each["id"] for each in there.ask("GET", below).json()["data"]]
    expect(set(shown) == {image, *ids}, f"the gallery shows {shown}")
    step(f"  the gallery has {len(shown)} at the other process")

    owner.patch(share, json={"metadata": "none", "download": "none"}).raise_for_status()
    there.hidden += [FILENAME.encode(), b"X100V", b"FUJIFILM"]
    step("Ana hides all metadata, and takes downloads away")
    for path in (below, f"/galleries/{gallery}", f"/images/{image}", f"/images/{image}/view", f"{below}?page=1"):
        expect(there.ask("GET", path).is_success, f"{path} is not there")
    refused = there.ask("GET", f"/images/{image}/download")
    step(f"  name and camera are gone; the original {seen(refused, 403, 'forbidden')}")

    second = Elsewhere(httpx.Client(base_url=f"{elsewhere}/api/v1", timeout=60), link)
    step(f"Somebody else opens it {seen(second.ask('POST', '/unlock', json={'password': PASSWORD}), 200)}")
    third = Elsewhere(httpx.Client(base_url=f"{elsewhere}/api/v1", timeout=60), link)
    late = third.ask("POST", "/unlock", json={"password": PASSWORD})
    step(f"  and a third {seen(late, 410, 'share_ended')}; the first goes on {seen(there.ask('GET', below), 200)}")
    days = owner.get(f"{share}/accesses").json()["data"]
    step(f"Ana sees that it was opened {sum(each['opened'] for each in days)} times, by nobody's address")

    owner.delete(share).raise_for_status()
    for path in ("", below, f"/images/{image}"):
        step(
            f"Ana revokes it; the next request at the other process, {path or 'of the link'}: "
            f"{seen(there.ask('GET', path), 410, 'share_ended')}"
        )
    everybody = (there, second, third, wrong)
    count, read = sum(each.answers for each in everybody), sum(each.read for each in everybody)
    step(f"{count} answers with {read:,} bytes were searched, and none told the place")


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        portal = stack.enter_context(start_blocking_portal())
        settings = portal.call(Settings.embedded, folder / "database")
        running = stack.enter_context(portal.wrap_async_context_manager(running_database(settings)))
        dsn = str(running.database.dsn)
        servers = [stack.enter_context(running_api(SERVED, dsn, folder, GUESTS)) for _ in range(2)]
        run(*(each.url for each in servers))


if __name__ == "__main__":
    main()
