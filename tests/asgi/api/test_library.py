"""The library over HTTP: lists, months, many at once, and the trash."""

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest

Upload = Callable[..., str]


@pytest.fixture
def upload(owner: httpx.Client, gallery: str, photo: bytes) -> Upload:
    """Puts the photo into the gallery as another image, whose id it answers."""

    def post(**changes: bool) -> str:
        jpeg = {"Content-Type": "image/jpeg"}
        image_id: str = owner.post(f"/galleries/{gallery}/uploads", content=photo, headers=jpeg).json()["data"]["id"]
        if changes:
            owner.patch(f"/images/{image_id}", json=changes)
        return image_id

    return post


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["data"]]


def test_the_library_is_filtered_and_paged(owner: httpx.Client, upload: Upload) -> None:
    plain, favorite, archived = upload(), upload(is_favorite=True), upload(is_archived=True)

    assert ids(owner.get("/images")) == [archived, favorite, plain]
    assert ids(owner.get("/images?order=taken_at&is_archived=false")) == [favorite, plain]
    assert ids(owner.get("/images?is_favorite=true&mime_type=image/jpeg")) == [favorite]
    assert ids(owner.get("/images?taken_before=2001-01-01T00:00:00%2B01:00")) == []
    assert owner.get("/images?limit=2&is_archived=false").json()["pagination"]["hasMore"] is False
    page = owner.get("/images", params={"limit": 1, "is_archived": "false"}).json()["pagination"]
    rest = owner.get("/images", params={"limit": 1, "is_archived": "false", "cursor": page["nextCursor"]})
    assert ids(rest) == [plain]
    replayed = owner.get("/images", params={"limit": 1, "cursor": page["nextCursor"]})
    assert (replayed.status_code, replayed.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("order=size", "order"),
        ("is_favorite=maybe", "is_favorite"),
        ("taken_from=2024-06-01", "taken_from"),
        ("taken_from=2024-06-01T00:00:00", "taken_from"),
        ("taken_from=2024-06-31T00:00:00Z", "taken_from"),
        ("taken_from=0001-01-01T00:00:00%2B10:00", "taken_from"),
        ("taken_from=2024-06-01T00:00:00Z&taken_before=2024-05-01T00:00:00Z", "taken_before"),
        ("status=lost", "status"),
        ("tag=%00", "tag"),
        ("tag=", "tag"),
        ("rating=6", "rating"),
        ("rating_from=-1", "rating_from"),
        ("unattached=true&tag=tram", "tag"),
        ("trashed=true&order=taken_at", "order"),
        ("unattached=true&is_favorite=false", "is_favorite"),
        ("trashed=true&unattached=true", "unattached"),
    ],
)
def test_a_wrong_query_is_named(owner: httpx.Client, query: str, name: str) -> None:
    refused = owner.get(f"/images?{query}")

    assert (refused.status_code, refused.json()["faults"][0]["path"]) == (422, ["query", name])


def test_the_timeline_lays_out_what_is_there(owner: httpx.Client, visitor: httpx.Client, upload: Upload) -> None:
    newest = [upload(), upload()][::-1]

    months = owner.get("/images/timeline").json()["data"]["months"]
    columns = owner.get(f"/images/timeline/{months[0]['month']}/images").json()["data"]
    assert owner.get(f"/images/timeline/{months[0]['month']}").json()["data"]["id"] == columns["id"]

    assert sum(month["count"] for month in months) == 2
    assert columns["id"] == newest[: len(columns["id"])]
    assert {len(columns[name]) for name in ("id", "ratio", "blurhash", "taken_at")} == {months[0]["count"]}
    assert columns["ratio"][0] == 1.3333
    assert owner.get("/images/timeline?is_archived=true").json()["data"]["months"] == []
    owner.patch(f"/images/{newest[0]}", json={"is_favorite": True})
    favorites = owner.get("/images/timeline?is_favorite=true").json()["data"]["months"]
    assert sum(month["count"] for month in favorites) == 1
    of_month = owner.get(f"/images/timeline/{favorites[0]['month']}/images?is_favorite=true").json()["data"]
    assert of_month["id"] == [newest[0]]
    assert visitor.get("/images/timeline").status_code == 401
    refused = owner.get("/images/timeline/2024-13")
    assert (refused.status_code, refused.json()["faults"][0]["path"]) == (422, ["path", "month"])


def test_a_large_month_is_read_in_parts(owner: httpx.Client, upload: Upload) -> None:
    newest = [upload(), upload(), upload()][::-1]

    months = owner.get("/images/timeline?part_size=1").json()["data"]["months"]
    parts = [
        owner.get(f"/images/timeline/{month['month']}/images", params={"cursor": part["cursor"]}).json()["data"]["id"]
        for month in months
        for part in month["parts"]
    ]

    assert parts == [[each] for each in newest]
    wrong = owner.get("/images/timeline?part_size=0")
    assert (wrong.status_code, wrong.json()["faults"][0]["path"]) == (422, ["query", "part_size"])
    chosen = owner.get("/images", params={"ids": ",".join(newest[:2]), "limit": 100, "fields": "id,srcSet"})
    assert {image["id"] for image in chosen.json()["data"]} == set(newest[:2])


def test_the_trash_says_until_when_an_image_can_be_restored(owner: httpx.Client, upload: Upload) -> None:
    image = upload()
    owner.delete(f"/images/{image}")

    (trashed,) = owner.get("/images?trashed=true").json()["data"]
    moments = {name: datetime.fromisoformat(trashed[name]) for name in ("deleted_at", "purge_at")}
    assert moments["purge_at"] - moments["deleted_at"] == timedelta(days=30)
    assert owner.get("/images?trashed=true&fields=id").json()["data"] == [{"id": image}]


def test_many_at_once(owner: httpx.Client, stranger: httpx.Client, gallery: str, upload: Upload) -> None:
    first, second = upload(), upload()

    favored = owner.post("/images/batch", json={"ids": [second, first], "action": "favorite"})
    assert favored.json()["data"]["results"] == [
        {"id": second, "ok": True, "code": None},
        {"id": first, "ok": True, "code": None},
    ]
    out = {"ids": [first], "action": "remove_from_gallery", "gallery_id": gallery}
    assert owner.post("/images/batch", json=out).status_code == 200
    assert ids(owner.get(f"/galleries/{gallery}/images")) == [second]
    results = owner.post("/images/batch", json=out).json()["data"]["results"]
    assert results == [{"id": first, "ok": False, "code": "not_found"}]
    assert stranger.post("/images/batch", json=out).status_code == 403
    results = stranger.post("/images/batch", json={"ids": [first], "action": "trash"}).json()["data"]["results"]
    assert results == [{"id": first, "ok": False, "code": "not_found"}]


def test_a_wrong_batch_changes_nothing(owner: httpx.Client, upload: Upload) -> None:
    image = upload()
    numbers = [f"00000000-0000-7000-8000-{number:012}" for number in range(1000)]

    for body, path in (
        ({"ids": [image, *numbers], "action": "trash"}, ["body", "ids"]),
        ({"ids": [], "action": "trash"}, ["body", "ids"]),
        ({"ids": [image, image], "action": "trash"}, ["body", "ids", "1"]),
        ({"ids": [image], "action": "burn"}, ["body", "action"]),
        ({"ids": [image], "action": "add_to_gallery"}, ["body", "gallery_id"]),
        ({"ids": [image], "action": "trash", "gallery_id": numbers[0]}, ["body", "gallery_id"]),
    ):
        refused = owner.post("/images/batch", json=body)
        assert (refused.status_code, refused.json()["faults"][0]["path"]) == (422, path)
    assert ids(owner.get("/images")) == [image]


def test_the_trash_there_and_back(owner: httpx.Client, visitor: httpx.Client, gallery: str, image: str) -> None:
    public = owner.get(f"/images/{image}").json()["data"]["src"]
    file = str(owner.base_url.join(public))
    assert httpx.get(file).status_code == 200
    assert owner.get(f"/images/{image}").json()["data"]["deleted_at"] is None

    assert owner.delete(f"/images/{image}").status_code == 204
    assert owner.delete(f"/images/{image}").status_code == 404
    assert owner.get(f"/images/{image}").status_code == 404
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 0
    assert httpx.get(file).status_code == 404
    assert ids(owner.get("/images")) == []
    (trashed,) = owner.get("/images?trashed=true").json()["data"]
    assert (trashed["id"], trashed["deleted_at"] is not None) == (image, True)
    assert httpx.get(str(owner.base_url.join(trashed["src"]))).status_code == 200
    assert visitor.get("/images?trashed=true").status_code == 401

    restored = owner.post(f"/images/{image}/restore")
    assert (restored.status_code, restored.json()["data"]["deleted_at"]) == (200, None)
    assert owner.post(f"/images/{image}/restore").status_code == 200
    assert ids(visitor.get(f"/galleries/{gallery}/images")) == [image]
    assert httpx.get(file).status_code == 200


def test_what_nothing_uses_is_listed_by_its_owner(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, upload: Upload
) -> None:
    unused, _ = upload(), upload()
    assert ids(owner.get("/images?unattached=true")) == []
    owner.delete(f"/galleries/{gallery}/images/{unused}")
    assert ids(owner.get("/images?unattached=true")) == [unused]
    assert visitor.get("/images?unattached=true").status_code == 401


def test_an_image_is_deleted_for_good_from_where_it_is(owner: httpx.Client, image: str, gallery: str) -> None:
    assert owner.delete(f"/images/{image}?permanent=true").status_code == 204
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 0
    assert owner.delete(f"/images/{image}?permanent=true").status_code == 404


def test_what_is_in_the_trash_is_deleted_for_good(owner: httpx.Client, image: str) -> None:
    owner.delete(f"/images/{image}")
    assert owner.delete(f"/images/{image}?permanent=true").status_code == 204
    assert owner.post(f"/images/{image}/restore").status_code == 404
    assert ids(owner.get("/images?trashed=true")) == []


def test_the_library_is_kept_for_its_owner_and_shows_every_change(
    owner: httpx.Client, visitor: httpx.Client, image: str
) -> None:
    """Also by the short way, which knows addresses but not who asks."""
    first, again = owner.get("/images?limit=50"), owner.get("/images?limit=50")
    assert first.content == again.content
    tag = again.headers["ETag"]
    assert owner.get("/images?limit=50", headers={"If-None-Match": tag}).status_code == 304
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert visitor.get("/images?limit=50").status_code == 401
    owner.patch(f"/images/{image}", json={"alt_text": "A tram at noon"})
    assert owner.get("/images?limit=50").json()["data"][0]["alt_text"] == "A tram at noon"
    owner.delete(f"/images/{image}")
    assert owner.get("/images?limit=50").json()["data"] == []
