"""A user of the page who has one of everything, called by words that are given."""

from collections.abc import Sequence

import httpx
from attrs import frozen
from tests.support.images import jpeg
from tests.support.served import ServedUploads
from tests.support.waiting import until

IMAGES = 5
# Past the API, which refuses markup in names: what came into the database on another way is text all the same.
_CALLED = (
    "UPDATE galleries SET name = left({text}, 255), description = {text} WHERE owner_id = $1 RETURNING 1",
    "UPDATE images SET filename = left({text}, 60), alt_text = left({text}, 500), title = left({text}, 200), "
    "description = {text} WHERE owner_id = $1 RETURNING 1",
    "UPDATE tags SET name = left({text}, 100) WHERE owner_id = $1 RETURNING 1",
    "UPDATE shares SET note = {text} WHERE owner_id = $1 RETURNING 1",
    "UPDATE images SET added_by_name = left({text}, 100) WHERE owner_id = $1 AND added_by IS NOT NULL RETURNING 1",
)


@frozen
class Furnished:
    """``link`` is the path of a share's page; all others are ids."""

    user: str
    gallery: str
    images: Sequence[str]
    share: str
    link: str

    @property
    def own_views(self) -> dict[str, str]:
        """The views of the user, who administers the service, and their addresses."""
        image = self.images[0]
        return {
            "library": "/",
            "viewer": f"/images/{image}",
            "galleries": "/galleries",
            "gallery": f"/galleries/{self.gallery}",
            "viewer in a gallery": f"/galleries/{self.gallery}/images/{image}",
            "shares": "/shares",
            "share": f"/shares/{self.share}",
            "inbox": "/inbox",
            "shared with me": "/shared-with-me",
            "trash": "/trash",
            "archive": "/archive",
            "duplicates": "/duplicates",
            "account": "/account",
            "administration": "/admin",
            "jobs": "/admin/jobs",
            "storage": "/admin/storage",
            "policy": "/admin/policy",
            "audit": "/admin/audit",
            "nothing": "/nowhere/at/all",
        }

    @property
    def visitors_views(self) -> dict[str, str]:
        return {"link": self.link, "sign-in": "/sign-in"}


def furnish(owner: httpx.Client, visitor: httpx.Client, user: str) -> Furnished:
    """Give a user images, one of them in the archive, one in the trash, a gallery, and a share with a guest's image.

    ``owner`` is the API for the user, ``visitor`` for nobody.
    """
    gallery = _done(owner.post("/galleries", json={"name": "Lisbon", "description": "Two days in May"}))
    images = [_image(owner, gallery["id"], number) for number in range(IMAGES)]
    archived, trashed = images.pop(), images.pop()
    owner.patch(f"/images/{archived}", json={"is_archived": True}).raise_for_status()
    owner.delete(f"/images/{trashed}").raise_for_status()
    said = {"targets": [{"gallery_id": gallery["id"]}], "permissions": ["view", "add_images"], "note": "For the family"}
    share = _done(owner.post("/shares", json=said))
    _add_as_guest(visitor, share["token"], gallery["id"])
    return Furnished(user, gallery["id"], images, share["id"], f"/s/{share['token']}")


def call_by(served: ServedUploads, user: str, texts: Sequence[str]) -> None:
    """Call all that the user has by these texts, in turns."""
    text = f"($2::text[])[1 + abs(hashtext(%s.id::text)) %% {len(texts)}]"
    for statement in _CALLED:
        table = statement.split()[1]
        assert served.rows(statement.format(text=text % table), user, list(texts)), table


def _image(owner: httpx.Client, gallery: str, number: int) -> str:
    answer = owner.post(
        f"/galleries/{gallery}/uploads",
        params={"filename": f"tram-{number}.jpg"},
        content=jpeg(640 + 40 * number, 480),
        headers={"Content-Type": "image/jpeg"},
    )
    image_id = _done(answer)["id"]
    said = {
        "alt_text": "A tram on a hill",
        "title": "Tram 28",
        "description": "On the way up",
        "tags": ["tram", "yellow"],
    }
    owner.patch(f"/images/{image_id}", json=said).raise_for_status()
    until(lambda: owner.get(f"/images/{image_id}").json()["data"]["processing_status"] == "complete")
    return image_id


def _add_as_guest(visitor: httpx.Client, token: str, gallery: str) -> None:
    visitor.get(f"/s/{token}").raise_for_status()
    visitor.post(f"/s/{token}/guests", json={"name": "Aunt Inês"}).raise_for_status()
    added = visitor.post(
        f"/s/{token}/galleries/{gallery}/uploads", content=jpeg(320, 200), headers={"Content-Type": "image/jpeg"}
    )
    added.raise_for_status()


def _done(answer: httpx.Response) -> dict[str, str]:
    assert answer.is_success, answer.text
    data: dict[str, str] = answer.json()["data"]
    return data
