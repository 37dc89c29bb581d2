"""Owners are told who may do what with their things."""

import httpx


def test_owners_are_told_who_may_do_what_and_nobody_else_is(
    owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client, gallery: str, image: str, user: str
) -> None:
    for path in (f"/galleries/{gallery}/access", f"/images/{image}/access"):
        told = owner.get(path).json()["data"]
        assert (told["visibility"] in ("public", "unlisted"), told["is_whole"]) == (True, True)
        owners, everybody = told["holders"]
        assert (owners["kind"], owners["name"], "delete" in owners["permissions"]) == ("owner", user, True)
        assert everybody == {
            "kind": "everybody",
            "name": None,
            "permissions": ["view"],
            "metadata": "basic",
            "download": "none",
            "grants": [],
        }
        assert stranger.get(path).status_code == 403
        assert visitor.get(path).status_code == 401
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    assert stranger.get(f"/galleries/{gallery}/access").status_code == 404
    (only,) = owner.get(f"/images/{image}/access").json()["data"]["holders"]
    assert only["kind"] == "owner"
