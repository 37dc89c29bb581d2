"""Words over HTTP: what is said of an image, how it is told to whom, and what becomes of a strange one."""

import httpx
import pytest
from tests.imaging.test_words import WORDS, XMP


def test_words_are_said_told_and_taken_back(owner: httpx.Client, visitor: httpx.Client, image: str) -> None:
    words = {"tags": ["tram", "Yellow"], "title": "Line 28", "description": "Up to the castle.", "rating": 4}
    said = owner.patch(f"/images/{image}", json=words)
    assert said.status_code == 200, said.text
    assert {name: said.json()["data"][name] for name in words} == words
    told = visitor.get(f"/images/{image}").json()["data"]
    assert (told["title"], told["description"], told["tags"], told["rating"]) == (
        "Line 28",
        "Up to the castle.",
        [],
        None,
    )
    assert owner.get("/images?fields=tags,rating,title").json()["data"] == [
        {"title": "Line 28", "tags": ["tram", "Yellow"], "rating": 4}
    ]

    bare = owner.patch(f"/images/{image}", json={"tags": [], "rating": None})
    told = bare.json()["data"]
    assert (told["tags"], told["rating"], told["title"]) == ([], None, "Line 28")


@pytest.mark.parametrize(
    "words",
    [
        {"tags": ["a\0b"]},
        {"tags": ["\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe"]},
        {"tags": ["<img src=x onerror=alert(1)>"]},
        {"tags": [str(number) for number in range(101)]},
        {"tags": "tram"},
        {"tags": None},
        {"title": "\0"},
        {"rating": 6},
        {"rating": "4"},
    ],
)
def test_strange_words_are_one_error_and_change_nothing(
    owner: httpx.Client, image: str, words: dict[str, object]
) -> None:
    before = owner.get(f"/images/{image}").json()
    refused = owner.patch(f"/images/{image}", json=words)
    assert refused.status_code == 422, refused.text
    assert {fault["path"][1] for fault in refused.json()["faults"]} == set(words)
    assert owner.get(f"/images/{image}").json() == before


def test_tags_are_listed_renamed_merged_and_deleted(owner: httpx.Client, visitor: httpx.Client, image: str) -> None:
    owner.patch(f"/images/{image}", json={"tags": ["tram", "sea", "Tramway"]})
    listed = owner.get("/tags?prefix=TRAM").json()
    (tram, tramway) = listed["data"]
    assert (tram["name"], tram["image_count"], listed["pagination"]) == (
        "tram",
        1,
        {"nextCursor": None, "hasMore": False},
    )
    assert owner.patch(f"/tags/{tram['id']}", json={"name": "SEA"}).status_code == 409
    assert owner.patch(f"/tags/{tram['id']}", json={"name": "Line 28"}).json()["data"]["name"] == "Line 28"
    merged = owner.post(f"/tags/{tram['id']}/merge", json={"tag_ids": [tramway["id"]]})
    assert merged.json()["data"]["image_count"] == 1
    assert owner.get(f"/images/{image}").json()["data"]["tags"] == ["Line 28", "sea"]
    assert owner.delete(f"/tags/{tram['id']}").status_code == 204
    assert owner.delete(f"/tags/{tram['id']}").status_code == 404
    assert owner.get("/images?fields=tags").json()["data"] == [{"tags": ["sea"]}]
    assert visitor.get("/tags").status_code == 401


def test_many_are_tagged_and_lists_are_asked_by_it(owner: httpx.Client, visitor: httpx.Client, image: str) -> None:
    def batch(**body: object) -> httpx.Response:
        return owner.post("/images/batch", json={"ids": [image], **body})

    assert batch(action="add_tags", tags=["tram", "sea & sun"]).json()["data"]["results"][0]["ok"]
    assert batch(action="rate", rating=4).status_code == 200
    assert batch(action="rate").status_code == batch(action="add_tags", tags=[]).status_code == 422
    for query, count in (("tag=TRAM", 1), ("tag=sea+%26+sun&rating=4", 1), ("rating_from=5", 0), ("tag=x", 0)):
        assert len(owner.get(f"/images?{query}").json()["data"]) == count, query
    assert batch(action="remove_tags", tags=["Tram"]).status_code == 200
    assert batch(action="rate", rating=None).status_code == 200
    told = owner.get(f"/images/{image}").json()["data"]
    assert (told["tags"], told["rating"]) == (["sea & sun"], None)
    owner.delete(f"/images/{image}")
    assert len(owner.get("/images?trashed=true&tag=sea+%26+sun").json()["data"]) == 1
    assert owner.get("/images?trashed=true&tag=tram").json()["data"] == []


def test_a_sidecar_is_read_over_http(owner: httpx.Client, visitor: httpx.Client, image: str) -> None:
    xmp = {"Content-Type": "application/rdf+xml"}
    read = owner.put(f"/images/{image}/sidecar", content=XMP, headers=xmp)
    assert read.json()["data"]["tags"] == list(WORDS.tags), read.text
    assert owner.put(f"/images/{image}/sidecar", content=b"<x", headers=xmp).status_code == 422
    assert owner.put(f"/images/{image}/sidecar", content=bytes(2**20 + 1), headers=xmp).status_code == 413
    assert visitor.put(f"/images/{image}/sidecar", content=XMP, headers=xmp).status_code in (401, 403)
