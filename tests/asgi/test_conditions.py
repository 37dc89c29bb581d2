"""A change that was meant for what its client has seen changes nothing else: nobody's text is lost."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


@pytest.fixture(params=["image", "gallery"])
def path(request: pytest.FixtureRequest, image: str, gallery: str) -> str:
    return f"/images/{image}" if request.param == "image" else f"/galleries/{gallery}"


def text(path: str, value: str) -> dict[str, str]:
    return {"alt_text": value} if path.startswith("/images") else {"description": value}


def test_a_stale_change_loses_nobodys_text(owner: httpx.Client, path: str) -> None:
    tag = owner.get(path).headers["ETag"]
    mine = owner.patch(path, json=text(path, "mine"), headers={"If-Match": tag})
    assert mine.status_code == 200, mine.text
    for stale in ({"If-Match": tag}, {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}):
        for refused in (
            owner.patch(path, json=text(path, "late"), headers=stale),
            owner.delete(path, headers=stale),
        ):
            assert (refused.status_code, refused.json()["code"]) == (412, "condition_failed")
    now = owner.get(path)
    assert now.json()["data"].items() >= text(path, "mine").items()
    assert now.headers["ETag"] == mine.headers["ETag"]
    assert owner.delete(path, headers={"If-Match": now.headers["ETag"]}).status_code == 204


def test_of_several_changes_at_once_one_is_made(owner: httpx.Client, path: str) -> None:
    tag = owner.get(path).headers["ETag"]

    def change(number: int) -> int:
        return owner.patch(path, json=text(path, f"{number}"), headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(change, range(4))) == [200, 412, 412, 412]
