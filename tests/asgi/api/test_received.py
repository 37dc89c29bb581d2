"""Keeping and leaving what others share, and a partner's library, over HTTP."""

from http import HTTPStatus

import httpx
from tests.asgi.api.test_shares import share


def test_a_link_is_kept_and_given_back(
    owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client, gallery: str, user: str
) -> None:
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    made = share(owner, gallery, password="sesame", note="For you")
    link, mine = f"/s/{made['token']}", "/galleries?shared=with-me"
    assert stranger.post(f"{link}/join").json()["code"] == "password_required"
    opened = stranger.post(f"{link}/unlock", json={"password": "sesame"})
    shown = {"Share-Visit": opened.json()["data"]["visit"]["token"]}
    assert visitor.post(f"{link}/join", headers=shown).status_code == HTTPStatus.UNAUTHORIZED
    assert owner.post(f"{link}/join", headers=shown).status_code == HTTPStatus.CONFLICT
    assert visitor.post("/s/kT3v0c2mQy7rZ9xL4bWn8sHd/join").status_code == HTTPStatus.UNAUTHORIZED
    assert stranger.post("/s/kT3v0c2mQy7rZ9xL4bWn8sHd/join").status_code == HTTPStatus.NOT_FOUND

    kept = stranger.post(f"{link}/join", headers=shown).json()["data"]
    assert (kept["id"], kept["owner_id"], kept["note"], kept["can_leave"]) == (made["id"], None, "For you", True)
    assert kept["targets"] == [{"gallery_id": gallery, "image_id": None, "library": False}]
    assert stranger.get("/received-shares").json()["data"] == [kept]
    assert [each["id"] for each in stranger.get(mine).json()["data"]] == [gallery]
    assert stranger.get(f"/galleries/{gallery}/images").status_code == HTTPStatus.OK
    assert stranger.get(f"{mine}&view=own").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert stranger.get(f"/received-shares/{made['id']}").json()["data"] == kept
    (*_, access) = sorted(owner.get(f"/shares/{made['id']}/accesses").json()["data"], key=lambda each: each["first_at"])
    assert access["recipient"]["by_link"] is True
    for path in ("/received-shares", f"/received-shares/{made['id']}", mine):
        assert visitor.get(path).status_code == HTTPStatus.UNAUTHORIZED

    (recipient,) = owner.get(f"/shares/{made['id']}").json()["data"]["recipients"]
    assert (recipient["by_link"], recipient["joined_at"] is not None) == (True, True)
    (*_, holder) = owner.get(f"/galleries/{gallery}/access").json()["data"]["holders"]
    assert (holder["kind"], holder["grants"][0]["share_id"]) == ("user", made["id"])
    assert stranger.delete(f"/shares/{made['id']}/recipients/{recipient['id']}").status_code == HTTPStatus.NOT_FOUND
    assert stranger.delete(f"/received-shares/{made['id']}").status_code == HTTPStatus.NO_CONTENT
    assert stranger.delete(f"/received-shares/{made['id']}").status_code == HTTPStatus.NOT_FOUND
    assert stranger.get(f"/galleries/{gallery}/images").status_code == HTTPStatus.NOT_FOUND

    stranger.post(f"{link}/join", headers=shown)
    (recipient,) = owner.get(f"/shares/{made['id']}").json()["data"]["recipients"]
    assert owner.delete(f"/shares/{made['id']}/recipients/{recipient['id']}").status_code == HTTPStatus.NO_CONTENT
    assert stranger.get("/received-shares").json()["data"] == []


def test_a_partners_library(
    owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client, gallery: str, image: str
) -> None:
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    partner = stranger.headers["X-User"]
    said = {"targets": [{"library": True}], "recipients": [{"user": partner}]}
    made = owner.post("/shares", json=said).json()["data"]
    asked = {"share": made["id"]}
    (shown,) = stranger.get("/images", params=asked).json()["data"]
    assert (shown["id"], shown["is_favorite"]) == (image, False)
    (month,) = stranger.get("/images/timeline", params=asked).json()["data"]["months"]
    columns = stranger.get(f"/images/timeline/{month['month']}/images", params=asked).json()["data"]
    assert (month["count"], columns["id"]) == (1, [image])
    assert stranger.get(f"/images/{image}").status_code == HTTPStatus.OK
    assert stranger.get("/images").json()["data"] == []
    for refused in ({"trashed": True}, {"unattached": True}, {"is_favorite": True}):
        answer = stranger.get("/images", params={**asked, **refused})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, refused

    link = f"/s/{made['token']}"
    assert [each["id"] for each in visitor.get(f"{link}/images").json()["data"]] == [image]
    assert visitor.get(f"{link}/images/timeline").json()["data"]["months"] == [month]
    for path in ("/images?trashed=true", "/images?unattached=true"):
        assert visitor.get(link + path).status_code == HTTPStatus.UNAUTHORIZED
    owner.delete(f"/shares/{made['id']}")
    for path in ("/images", "/images/timeline"):
        assert stranger.get(path, params=asked).status_code == HTTPStatus.NOT_FOUND
        assert visitor.get(link + path).status_code == HTTPStatus.GONE
