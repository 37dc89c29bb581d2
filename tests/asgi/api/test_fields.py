"""What lists and single documents tell of images, and `fields`, which chooses."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx
import msgspec
import pytest
from tests.support.camera_roll import camera_roll
from tests.support.clock import ManualClock
from tests.support.studio import picture

from imagegallery import Principal, Visibility
from imagegallery.access.decision import Facts
from imagegallery.delivery.addresses import StoreUrls
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.images.presentation.urls import ImageUrls, show
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner
from imagegallery_asgi.api.documents import chosen_fields, image_list
from imagegallery_asgi.api.requests import GalleryImagesQuery
from imagegallery_asgi.api.responses.common import CursorPagination
from imagegallery_asgi.api.responses.images import GalleryImage, ImageDetail, ImageSummary
from imagegallery_asgi.framework.known_pages import CHOICE_LASTS, MAX_CHOICES, KeptChoices
from imagegallery_asgi.framework.parsing import parse_pairs

SUMMARY = [field.name for field in attrs.fields(ImageSummary)]
DETAIL = [field.name for field in attrs.fields(ImageDetail)]
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_lists_tell_a_summary_and_one_image_all_of_it(owner: httpx.Client, gallery: str, image: str) -> None:
    by_cursor, by_page = (owner.get(f"/galleries/{gallery}/images{query}").json() for query in ("", "?page=1"))
    assert list(by_cursor["data"][0]) == [*SUMMARY, "position"]
    assert by_page["data"] == by_cursor["data"]
    assert list(by_cursor["data"][0]["variants"][0]) == ["type", "format", "width", "height", "url"]
    library, one = owner.get("/images").json(), owner.get(f"/images/{image}").json()["data"]
    assert list(library["data"][0]) == SUMMARY
    assert list(one) == DETAIL
    assert library["sizes"] == by_cursor["sizes"] == by_page["sizes"] == one["sizes"]
    same = [name for name in SUMMARY if name != "variants"]
    assert {name: library["data"][0][name] for name in same} == {name: one[name] for name in same}


@pytest.mark.parametrize("where", ["/galleries/{gallery}/images", "/galleries/{gallery}/images?page=1", "/images"])
def test_a_grid_asks_for_what_it_needs(owner: httpx.Client, gallery: str, image: str, where: str) -> None:
    address = where.format(gallery=gallery)
    told = owner.get(
        address, params={**httpx.QueryParams(address.partition("?")[2]), "fields": "src,id,ratio,blurhash,id"}
    )
    one = owner.get(f"/images/{image}").json()["data"]
    assert told.json()["data"] == [{name: one[name] for name in ("id", "blurhash", "src", "ratio")}]
    assert list(told.json()["data"][0]) == ["id", "blurhash", "src", "ratio"]


def test_of_one_image_too(owner: httpx.Client, image: str) -> None:
    whole = owner.get(f"/images/{image}")
    chosen = owner.get(f"/images/{image}", params={"fields": "alt_text,variants"})
    assert chosen.json() == {"data": {name: whole.json()["data"][name] for name in ("alt_text", "variants")}}
    changed = owner.patch(
        f"/images/{image}", json={"alt_text": "A yellow tram"}, headers={"If-Match": chosen.headers["ETag"]}
    )
    assert changed.status_code == 200
    assert owner.get(f"/images/{image}", params={"fields": "alt_text"}).json() == {
        "data": {"alt_text": "A yellow tram"}
    }


@pytest.mark.parametrize(
    ("where", "fields", "path"),
    [
        ("/images", "id,position", ["1"]),
        ("/images", "id,owner_id", ["1"]),
        ("/images", "", ["0"]),
        ("/images", "id,,src", ["1"]),
        ("/images", ",".join(["id"] * 1_000), []),
        ("/galleries/{gallery}/images", "id, src", ["1"]),
        ("/galleries/{gallery}/images", "original_key", ["0"]),
        ("/images/{image}", "position", ["0"]),
    ],
)
def test_an_unknown_field_is_refused_by_its_path(
    owner: httpx.Client, gallery: str, image: str, where: str, fields: str, path: list[str]
) -> None:
    refused = owner.get(where.format(gallery=gallery, image=image), params={"fields": fields})
    assert refused.status_code == 422
    assert [fault["path"] for fault in refused.json()["faults"]] == [["query", "fields", *path]]
    assert refused.json()["faults"][0]["message"].startswith("must be one of id, filename" if path else "must have")


def test_the_description_lists_what_can_be_chosen(visitor: httpx.Client) -> None:
    described = visitor.get("/openapi.json").json()
    for path, also in (("/images", ()), ("/images/{image_id}", ()), ("/galleries/{gallery_id}/images", ("position",))):
        (parameter,) = (each for each in described["paths"][path]["get"]["parameters"] if each["name"] == "fields")
        assert set(parameter["schema"]["items"]["enum"]) == {*DETAIL, *also}
        assert parameter["explode"] is False
    choice = described["components"]["schemas"]["ImageChoice"]
    assert set(choice["properties"]) == {*DETAIL, "position"}
    assert not choice.get("required")


def test_what_is_in_the_trash_says_since_when(owner: httpx.Client, image: str) -> None:
    owner.delete(f"/images/{image}")
    (listed,) = owner.get("/images", params={"trashed": "true"}).json()["data"]
    assert list(listed) == [*SUMMARY, "deleted_at", "purge_at"]
    (chosen,) = owner.get("/images", params={"trashed": "true", "fields": "deleted_at"}).json()["data"]
    assert chosen == {"deleted_at": listed["deleted_at"]}


def test_the_position_says_where_an_image_was_put(owner: httpx.Client, gallery: str, image: str) -> None:
    jpeg = {"Content-Type": "image/jpeg"}
    second = owner.post(f"/galleries/{gallery}/uploads", content=picture(320, 240), headers=jpeg).json()["data"]
    for order in ("position", "created_at", "taken_at", "filename"):
        listed = owner.get(f"/galleries/{gallery}/images", params={"order": order, "fields": "id,position"}).json()
        by_place = sorted(listed["data"], key=lambda each: int(each["position"]))
        assert [each["id"] for each in by_place] == [image, second["id"]]


@pytest.mark.parametrize(
    ("fields", "plain", "packed"), [((), 2_000, 250), (("id", "ratio", "blurhash", "src"), 350, 100)]
)
def test_what_a_list_tells_of_an_image_is_small(
    tmp_path: Path, fields: tuple[str, ...], plain: int, packed: int
) -> None:
    clock = ManualClock()
    urls = ImageUrls(StoreUrls(FilesystemStore(tmp_path, UrlSigner(b"x" * 32, clock), clock)), DeliveryOptions(), clock)
    open_to_all = Facts("ana", Visibility.PUBLIC)
    shown = [show(each, Principal.anonymous(), urls, open_to_all, position=2**41) for each in camera_roll(100)]
    body = msgspec.json.encode(
        image_list(shown, CursorPagination("c" * 200, True), "/api/v1", GalleryImage, chosen_fields(fields))
    )
    assert len(body) / 100 <= plain
    assert len(gzip.compress(body, 6)) / 100 <= packed


def test_one_choice_has_one_name_in_whatever_order_it_is_written() -> None:
    assert (
        chosen_fields(["src", "id", "src", "position"])
        == chosen_fields(["position", "id", "src"])
        == ("id", "src", "position")
    )
    assert chosen_fields(None) == ()


def test_so_many_choices_are_kept_and_making_up_more_keeps_none() -> None:
    choices = KeptChoices()
    first = [f"id,{number}" for number in range(MAX_CHOICES)]
    assert all(choices.admit(each, NOW) for each in first)
    assert not any(choices.admit(f"made up,{number}", NOW + CHOICE_LASTS / 2) for number in range(1_000))
    assert choices.admit("", NOW)
    assert all(choices.admit(each, NOW + CHOICE_LASTS / 2) for each in first[1:])
    later = NOW + CHOICE_LASTS + timedelta(seconds=1)
    assert choices.admit("in the place of the first", later)
    assert not choices.admit(first[0], later)


def test_a_query_takes_all_fields_there_are() -> None:
    faults: list[object] = []
    query = parse_pairs(GalleryImagesQuery, [("fields", ",".join([*DETAIL, "position"]))], ("query",), faults)  # type: ignore[arg-type]
    assert faults == []
    assert query is not None
    assert chosen_fields(query.fields) == tuple(sorted([*DETAIL, "position"], key=chosen_fields(query.fields).index))
