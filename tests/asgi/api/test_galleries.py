"""Galleries over HTTP: each operation, who may use it, and how lists are cached and paged."""

import httpx

ABSENT = "01890c60-7a5c-7c2e-8d3f-0123456789ab"


def test_a_gallery_is_made_read_changed_and_deleted(owner: httpx.Client) -> None:
    made = owner.post("/galleries", json={"name": "Lisbon", "description": "Trams"})
    assert made.status_code == 201
    gallery = made.json()["data"]
    assert (gallery["name"], gallery["visibility"], gallery["image_count"]) == ("Lisbon", "private", 0)
    where = made.headers["Location"]
    assert where == f"/api/v1/galleries/{gallery['id']}"
    assert owner.get(f"/galleries/{gallery['id']}").json()["data"] == gallery
    changed = owner.patch(f"/galleries/{gallery['id']}", json={"name": "Lisboa"}).json()["data"]
    assert (changed["name"], changed["description"]) == ("Lisboa", "Trams")
    assert owner.delete(f"/galleries/{gallery['id']}").status_code == 204
    assert owner.get(f"/galleries/{gallery['id']}").status_code == 404


def test_a_private_gallery_does_not_exist_for_others(
    owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client
) -> None:
    gallery_id = owner.post("/galleries", json={"name": "Mine"}).json()["data"]["id"]
    for client in (stranger, visitor):
        hidden = client.get(f"/galleries/{gallery_id}")
        absent = client.get(f"/galleries/{ABSENT}")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.json()["detail"] == absent.json()["detail"]


def test_others_may_see_but_not_change_a_public_one(
    gallery: str, stranger: httpx.Client, visitor: httpx.Client
) -> None:
    assert visitor.get(f"/galleries/{gallery}").status_code == 200
    refused = stranger.patch(f"/galleries/{gallery}", json={"name": "Mine now"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    anonymous = visitor.delete(f"/galleries/{gallery}")
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "unauthenticated")
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"


def test_nobody_but_the_owner_is_told_whose_it_is(
    gallery: str, image: str, user: str, owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client
) -> None:
    assert owner.get(f"/galleries/{gallery}").json()["data"]["owner_id"] == user
    for client in (stranger, visitor):
        assert client.get(f"/galleries/{gallery}").json()["data"]["owner_id"] is None
        listed = client.get("/galleries", params={"view": "public", "limit": 100}).json()["data"]
        assert {each["owner_id"] for each in listed} == {None}
        told = [client.get(path) for path in (f"/galleries/{gallery}/images", f"/images/{image}")]
        refused = [client.patch(path, json={}) for path in (f"/galleries/{gallery}", f"/images/{image}")]
        away = [client.get(f"/images/{image}/{what}") for what in ("view", "download")]
        assert not [each.url for each in (*told, *refused, *away) if user in f"{each.headers} {each.text}"]


def test_galleries_are_listed_by_cursor(owner: httpx.Client) -> None:
    made = [owner.post("/galleries", json={"name": f"{number}"}).json()["data"]["id"] for number in range(5)]
    first = owner.get("/galleries", params={"limit": 3}).json()
    assert first["pagination"]["hasMore"]
    rest = owner.get("/galleries", params={"limit": 3, "cursor": first["pagination"]["nextCursor"]}).json()
    assert rest["pagination"] == {"nextCursor": None, "hasMore": False}
    assert [each["id"] for each in first["data"] + rest["data"]] == made[::-1]


def test_images_are_listed_by_page_and_by_cursor_but_not_both(owner: httpx.Client, gallery: str, image: str) -> None:
    images = f"/galleries/{gallery}/images"
    by_page = owner.get(images, params={"page": 1, "limit": 10, "order": "created_at"}).json()
    assert by_page["pagination"] == {"page": 1, "limit": 10, "total": 1, "totalPages": 1}
    by_cursor = owner.get(images).json()
    assert by_cursor["pagination"] == {"nextCursor": None, "hasMore": False}
    assert [each["id"] for each in by_cursor["data"]] == [each["id"] for each in by_page["data"]] == [image]
    both = owner.get(images, params={"page": 1, "cursor": "x"})
    assert both.status_code == 422
    assert [fault["path"] for fault in both.json()["faults"]] == [["query", "page"], ["query", "cursor"]]


def test_a_cursor_of_another_list_is_refused(owner: httpx.Client, gallery: str) -> None:
    for number in range(2):
        owner.post("/galleries", json={"name": f"{number}"})
    cursor = owner.get("/galleries", params={"limit": 1}).json()["pagination"]["nextCursor"]
    refused = owner.get(f"/galleries/{gallery}/images", params={"cursor": cursor})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_cursor")


def test_images_of_the_library_are_added_and_taken_out(owner: httpx.Client, image: str) -> None:
    other = owner.post("/galleries", json={"name": "Other"}).json()["data"]["id"]
    added = owner.post(f"/galleries/{other}/images", json={"image_ids": [image]})
    assert (added.status_code, added.json()["data"]["image_count"]) == (200, 1)
    assert owner.delete(f"/galleries/{other}/images/{image}").status_code == 204
    assert owner.delete(f"/galleries/{other}/images/{image}").status_code == 404
    assert owner.get(f"/images/{image}").status_code == 200
    unknown = owner.post(f"/galleries/{other}/images", json={"image_ids": [image, ABSENT]})
    assert [fault["path"] for fault in unknown.json()["faults"]] == [["body", "image_ids", "1"]]


def test_only_what_a_visitor_sees_of_public_galleries_may_be_shared(
    owner: httpx.Client, visitor: httpx.Client, gallery: str
) -> None:
    shared = "public, max-age=60, stale-while-revalidate=30"
    unlisted = owner.post("/galleries", json={"name": "Secret", "visibility": "unlisted"}).json()["data"]["id"]
    for path in (f"/galleries/{gallery}", f"/galleries/{gallery}/images", "/galleries"):
        assert visitor.get(path).headers["Cache-Control"] == shared
        assert visitor.get(path).headers["Vary"] == "Authorization, Cookie, Accept-Encoding"
        assert owner.get(path).headers["Cache-Control"] == "private, no-cache"
    for path in (f"/galleries/{unlisted}", f"/galleries/{unlisted}/images"):
        assert visitor.get(path).headers["Cache-Control"] == "private, no-cache"
    assert visitor.get(f"/galleries/{ABSENT}").headers["Cache-Control"] == "no-store"
