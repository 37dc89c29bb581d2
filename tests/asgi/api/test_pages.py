"""Cached pages over HTTP: tags and 304, what is counted, and nobody sees what is not theirs, or not true any more."""

import httpx
import pytest

AS_IT_IS = {"Accept-Encoding": "identity"}
SHARED = "public, max-age=60, stale-while-revalidate=30"


@pytest.fixture
def paths(gallery: str, image: str) -> tuple[str, ...]:
    return (f"/galleries/{gallery}", f"/galleries/{gallery}/images", f"/galleries/{gallery}/images?page=1")


def count(client: httpx.Client, name: str) -> float:
    lines = client.get(str(client.base_url.join("/metrics"))).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f"imagegallery_page_cache_{name}"))


def test_a_page_has_a_tag_and_who_has_it_gets_304(visitor: httpx.Client, paths: tuple[str, ...]) -> None:
    for path in (*paths, "/galleries"):
        page = visitor.get(path, headers=AS_IT_IS)
        tag = page.headers["ETag"]
        for sent in (tag, f'"other", W/{tag}', "*"):
            again = visitor.get(path, headers={**AS_IT_IS, "If-None-Match": sent})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == tag
            assert again.headers["Cache-Control"] == SHARED
            assert again.headers["Vary"] == "Authorization, Cookie"
        assert visitor.get(path, headers={"If-None-Match": '"other"'}).content == page.content


def test_a_second_asking_is_a_hit(visitor: httpx.Client, paths: tuple[str, ...]) -> None:
    for path in paths:
        visitor.get(path)
    before = count(visitor, 'requests_total{result="hit"}')
    pages = [visitor.get(path) for path in paths]
    assert count(visitor, 'requests_total{result="hit"}') - before == len(paths)
    assert [page.headers["Content-Type"] for page in pages] == ["application/json"] * len(paths)
    plain = [visitor.get(path, headers=AS_IT_IS) for path in paths]
    assert all(int(page.headers["Content-Length"]) == len(page.content) for page in plain)
    assert all(page.headers["X-Request-ID"] for page in pages)
    assert all(page.headers["X-Content-Type-Options"] == "nosniff" for page in pages)


def test_a_hit_and_a_miss_look_alike(visitor: httpx.Client, owner: httpx.Client, gallery: str, image: str) -> None:
    path = f"/galleries/{gallery}/images"
    owner.patch(f"/images/{image}", json={"alt_text": "A tram"})
    miss, hit = visitor.get(path), visitor.get(path)
    own_words = {"x-request-id", "date"}
    assert {name: text for name, text in miss.headers.items() if name not in own_words} == {
        name: text for name, text in hit.headers.items() if name not in own_words
    }
    assert miss.content == hit.content


def test_head_answers_as_get_does(visitor: httpx.Client, paths: tuple[str, ...]) -> None:
    for path in paths:
        page, head = visitor.get(path, headers=AS_IT_IS), visitor.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["ETag"] == page.headers["ETag"]
        assert head.headers["Content-Length"] == page.headers["Content-Length"]


def test_a_change_is_in_the_next_answer(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, image: str, paths: tuple[str, ...]
) -> None:
    for number in range(3):
        tags = [visitor.get(path).headers["ETag"] for path in paths]
        owner.patch(f"/images/{image}", json={"alt_text": f"Tram {number}"})
        changed = [visitor.get(path, headers={"If-None-Match": tag}) for path, tag in zip(paths, tags, strict=True)]
        assert [page.status_code for page in changed] == [200, 200, 200]
        assert changed[1].json()["data"][0]["alt_text"] == f"Tram {number}"


def test_a_gallery_that_becomes_private_is_gone_at_once(
    owner: httpx.Client, visitor: httpx.Client, stranger: httpx.Client, gallery: str, paths: tuple[str, ...]
) -> None:
    for client in (visitor, stranger, owner):
        for path in paths:
            assert client.get(path).status_code == 200
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    for path in paths:
        assert visitor.get(path).status_code == stranger.get(path).status_code == 404
        assert visitor.get(path, headers={"If-None-Match": "*"}).status_code == 404
        assert owner.get(path).headers["Cache-Control"] == "private, no-cache"


def test_the_owner_is_told_more_and_others_never_get_that(
    owner: httpx.Client, visitor: httpx.Client, stranger: httpx.Client, gallery: str, image: str
) -> None:
    path = f"/galleries/{gallery}/images?fields=sha256"
    for _ in range(2):
        assert owner.get(path).json()["data"][0]["sha256"] is not None
        assert visitor.get(path).json()["data"][0]["sha256"] is None
        assert stranger.get(path).json()["data"][0]["sha256"] is None


def test_the_path_where_it_is_mounted_is_part_of_the_page(
    server: object, visitor: httpx.Client, gallery: str, image: str
) -> None:
    path = f"/galleries/{gallery}/images"
    for _ in range(2):
        alone = visitor.get(path).json()["data"][0]["src"]
        mounted = visitor.get(f"{str(visitor.base_url).replace('/api/v1', '/pictures/api/v1').rstrip('/')}{path}")
        assert alone.startswith("/api/v1/files/")
        assert mounted.json()["data"][0]["src"].startswith("/pictures/api/v1/files/")


def test_the_short_way_is_not_for_requests_with_a_body_or_an_error(
    visitor: httpx.Client, paths: tuple[str, ...]
) -> None:
    for path in paths:
        visitor.get(path)
        assert visitor.request("GET", path, content=b"something").status_code == 200
        assert visitor.post(path.replace("/images", "")).status_code in (405, 422)
        marked = visitor.get(path, headers={"X-Request-ID": "my-own"})
        assert marked.headers["X-Request-ID"] == "my-own"


def results(client: httpx.Client) -> dict[str, float]:
    return {name: count(client, f'requests_total{{result="{name}"}}') for name in ("hit", "stale", "miss", "bypass")}


def test_each_choice_of_fields_is_a_page_of_its_own_however_it_is_written(visitor: httpx.Client, gallery: str) -> None:
    path, before = f"/galleries/{gallery}/images?fields=", results(visitor)
    for fields in ("id,src", "src,id", "id,src,id", "id", "id"):
        assert visitor.get(path + fields).status_code == 200
    after = results(visitor)
    assert (after["miss"] - before["miss"], after["hit"] - before["hit"]) == (2, 3)


def test_a_list_for_one_user_is_no_miss(owner: httpx.Client, visitor: httpx.Client, gallery: str) -> None:
    before = results(visitor)
    for _ in range(2):
        assert owner.get("/galleries").headers["Cache-Control"] == "private, no-cache"
    assert results(visitor) == {**before, "bypass": before["bypass"] + 2}


def test_made_up_seeds_take_no_room_in_the_cache(visitor: httpx.Client, gallery: str, image: str) -> None:
    path = f"/galleries/{gallery}/images"
    visitor.get(path)  # the facts and the page in its own order are kept
    before = results(visitor)
    for query in ({}, {"page": 1}):
        for _ in range(2):
            page = visitor.get(path, params={"order": "random", "seed": 7, **query})
            assert (page.status_code, page.headers["Cache-Control"]) == (200, SHARED)
            again = visitor.get(page.url, headers={"If-None-Match": page.headers["ETag"]})
            assert again.status_code == 304
    visitor.get(path)
    assert results(visitor) == {**before, "bypass": before["bypass"] + 8, "hit": before["hit"] + 1}


@pytest.mark.parametrize(
    "query", ["?limit=49", "?status=complete", "?mime_type=image/jpeg", "?taken_from=2026-01-01T00:00:00Z"]
)
def test_nor_do_made_up_sizes_and_filters(visitor: httpx.Client, gallery: str, image: str, query: str) -> None:
    path = f"/galleries/{gallery}/images"
    visitor.get(path)
    before = results(visitor)
    for _ in range(2):
        assert visitor.get(f"{path}{query}").status_code == 200
    assert results(visitor) == {**before, "bypass": before["bypass"] + 2}


def test_nor_do_sizes_of_the_list_of_galleries(visitor: httpx.Client, gallery: str) -> None:
    before = results(visitor)
    for _ in range(2):
        assert visitor.get("/galleries?limit=49").status_code == 200
    assert results(visitor) == {**before, "bypass": before["bypass"] + 2}
