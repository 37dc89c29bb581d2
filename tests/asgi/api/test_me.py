"""Who one is, the room one has, and the uploads that are open."""

import httpx

DECLARED = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": 10}


def test_room_and_open_uploads_are_told_and_can_be_given_up(
    owner: httpx.Client, visitor: httpx.Client, user: str
) -> None:
    ids = [owner.post("/uploads", json=DECLARED).json()["data"]["id"] for _ in range(3)]
    me = owner.get("/me").json()["data"]
    assert me == {
        "id": user,
        "role": "member",
        "storage_used": 0,
        "storage_limit": None,
        "storage_reserved": 30,
        "open_uploads": 3,
        "max_open_uploads": me["max_open_uploads"],
        "pending_guest_uploads": 0,
        "guests_may_upload": True,
    }
    page = owner.get("/uploads", params={"limit": 2}).json()
    rest = owner.get("/uploads", params={"limit": 2, "cursor": page["pagination"]["nextCursor"]}).json()
    assert [each["id"] for each in (*page["data"], *rest["data"])] == ids[::-1]
    assert rest["pagination"]["hasMore"] is False
    assert owner.delete(f"/uploads/{ids[0]}").status_code == 204
    assert owner.get("/me").json()["data"]["storage_reserved"] == 20
    assert visitor.get("/me").status_code == visitor.get("/uploads").status_code == 401


def test_readiness_tells_what_to_see_to(visitor: httpx.Client) -> None:
    assert visitor.get("/readyz").json()["warnings"] == []
