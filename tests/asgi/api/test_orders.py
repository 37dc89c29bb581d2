"""Orders, filters, moves and removals over HTTP: what the service does is tested in tests/galleries."""

import httpx
import pytest

ABSENT = "01890c60-7a5c-7c2e-8d3f-0123456789ab"


@pytest.fixture
def images(owner: httpx.Client, gallery: str, photo: bytes) -> list[str]:
    """Three images in the gallery, by name not in the order in which they came."""
    jpeg = {"Content-Type": "image/jpeg"}
    added = f"/galleries/{gallery}/images"
    return [
        owner.post(added, params={"filename": name}, content=photo, headers=jpeg).json()["data"]["id"]
        for name in ("img10.jpg", "img2.jpg", "img1.jpg")
    ]


def listed(client: httpx.Client, gallery: str, **query: str | int | bool) -> list[str]:
    answer = client.get(f"/galleries/{gallery}/images", params=query)
    assert answer.status_code == 200, answer.text
    return [image["id"] for image in answer.json()["data"]]


def test_images_are_moved_and_removed(owner: httpx.Client, gallery: str, images: list[str]) -> None:
    a, b, c = images
    where = f"/galleries/{gallery}/images"

    moved = owner.post(f"{where}/move", json={"image_ids": [c, b], "before": a})
    assert (moved.status_code, moved.json()["data"]["image_count"]) == (200, 3)
    assert listed(owner, gallery) == [c, b, a]
    owner.post(f"{where}/move", json={"image_ids": [c], "after": a})
    assert listed(owner, gallery) == [b, a, c]
    removed = owner.post(f"{where}/remove", json={"image_ids": [b, c]})
    assert (removed.status_code, removed.json()["data"]["image_count"]) == (200, 1)
    assert listed(owner, gallery) == [a]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"image_ids": [ABSENT]}, [["body", "before"], ["body", "after"]]),
        ({"image_ids": [ABSENT], "after": ABSENT}, [["body", "after"]]),
        ({"image_ids": [], "after": ABSENT}, [["body", "image_ids"]]),
        ({"image_ids": ["x"], "after": 1}, [["body", "image_ids", "0"], ["body", "after"]]),
        ({"image_ids": [ABSENT] * 1001, "after": ABSENT}, [["body", "image_ids"]]),
        ({}, [["body", "image_ids"]]),
    ],
)
def test_bad_moves_name_what_is_wrong(
    owner: httpx.Client, gallery: str, images: list[str], body: dict[str, object], paths: list[list[str]]
) -> None:
    refused = owner.post(f"/galleries/{gallery}/images/move", json=body)

    assert refused.status_code == 422
    assert [fault["path"] for fault in refused.json()["faults"]] == paths
    assert listed(owner, gallery) == images


def test_every_order_is_asked_for_by_name(owner: httpx.Client, gallery: str, images: list[str]) -> None:
    ten, two, one = images
    assert listed(owner, gallery, order="filename") == [one, two, ten]
    assert listed(owner, gallery, order="created_at") == [one, two, ten]
    assert sorted(listed(owner, gallery, order="taken_at")) == sorted(images)
    shuffles = {tuple(listed(owner, gallery, order="random", seed=seed)) for seed in range(40)}
    assert len(shuffles) > 1
    assert {tuple(sorted(shuffle)) for shuffle in shuffles} == {tuple(sorted(images))}


def test_filters_are_query_parameters(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, images: list[str]
) -> None:
    assert owner.patch(f"/images/{images[1]}", json={"is_favorite": True}).status_code == 200

    assert listed(owner, gallery, is_favorite=True) == [images[1]]
    assert listed(owner, gallery, mime_type="image/png") == []
    assert listed(visitor, gallery, mime_type="image/jpeg") == images
    assert listed(owner, gallery, taken_from="2020-01-01T00:00:00Z", taken_before="2020-01-02T00:00:00Z") == []
    by_page = owner.get(f"/galleries/{gallery}/images", params={"is_favorite": "true", "page": 1}).json()
    assert by_page["pagination"]["total"] == 1


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"order": "random"}, "seed"),
        ({"seed": "1"}, "seed"),
        ({"order": "random", "seed": "-1"}, "seed"),
        ({"order": "size"}, "order"),
        ({"is_favorite": "yes"}, "is_favorite"),
        ({"taken_from": "yesterday"}, "taken_from"),
        ({"taken_from": "2024-01-01T00:00:00Z", "taken_before": "2023-01-01T00:00:00Z"}, "taken_before"),
        ({"status": "done"}, "status"),
    ],
)
def test_odd_queries_name_what_is_wrong(owner: httpx.Client, gallery: str, query: dict[str, str], path: str) -> None:
    refused = owner.get(f"/galleries/{gallery}/images", params=query)

    assert refused.status_code == 422
    assert [fault["path"] for fault in refused.json()["faults"]] == [["query", path]]


def test_what_is_the_owners_business_is_not_a_visitors_filter(visitor: httpx.Client, gallery: str) -> None:
    refused = visitor.get(f"/galleries/{gallery}/images", params={"is_archived": "false"})

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")


def test_a_cursor_goes_with_its_seed(owner: httpx.Client, gallery: str, images: list[str]) -> None:
    where = f"/galleries/{gallery}/images"
    first = owner.get(where, params={"order": "random", "seed": 1, "limit": 2}).json()
    cursor = first["pagination"]["nextCursor"]

    rest = owner.get(where, params={"order": "random", "seed": 1, "limit": 2, "cursor": cursor}).json()
    assert sorted(each["id"] for each in first["data"] + rest["data"]) == sorted(images)
    other = owner.get(where, params={"order": "random", "seed": 2, "limit": 2, "cursor": cursor})
    assert (other.status_code, other.json()["code"]) == (422, "invalid_cursor")
