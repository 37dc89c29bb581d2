"""What every answer has: request ids, problem details, headers; operations; and the mount point in every URL."""

import httpx
import pytest
from tests.support.servers.api import ApiServer


def test_a_request_id_is_given_or_kept(visitor: httpx.Client) -> None:
    assert len(visitor.get("/healthz").headers["X-Request-ID"]) == 36
    assert visitor.get("/healthz", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    assert visitor.get("/healthz", headers={"X-Request-ID": "no good"}).headers["X-Request-ID"] != "no good"


def test_a_problem_says_what_and_where(owner: httpx.Client) -> None:
    refused = owner.patch("/galleries/NO-ID", json={"name": "", "colour": "red"}, headers={"X-Request-ID": "mine-2"})
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Cache-Control"] == "no-store"
    problem = refused.json()
    assert (problem["status"], problem["code"], problem["requestId"]) == (422, "invalid_input", "mine-2")
    paths = [tuple(fault["path"]) for fault in problem["faults"]]
    assert paths == [("path", "gallery_id"), ("body", "name"), ("body", "colour")]


@pytest.mark.parametrize("path", ["/nothing", "/galleries/", "/api/v1", "/files"])
def test_no_such_address(visitor: httpx.Client, path: str) -> None:
    refused = visitor.get(path)
    assert (refused.status_code, refused.json()["code"]) == (404, "route_not_found")


def test_no_such_method(visitor: httpx.Client) -> None:
    refused = visitor.put("/galleries", json={})
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert refused.headers["Allow"] == "GET, HEAD, POST"


def test_a_json_body_says_that_it_is_one(owner: httpx.Client) -> None:
    refused = owner.post("/galleries", content=b'{"name": "x"}', headers={"Content-Type": "text/plain"})
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_body")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_json_body_is_bounded(owner: httpx.Client, chunked: bool) -> None:
    body = b'{"name": "' + b"x" * 1_000_000 + b'"}'
    content = iter([body[:500_000], body[500_000:]]) if chunked else body
    refused = owner.post("/galleries", content=content, headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


def test_head_is_get_without_the_body(owner: httpx.Client) -> None:
    got, head = owner.get("/galleries"), owner.head("/galleries")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


@pytest.mark.parametrize("prefix", ["", "/api/v1", "/pictures", "/pictures/api/v1"])
def test_operations_are_at_the_root_and_below_the_prefix(server: ApiServer, prefix: str) -> None:
    for path in ("healthz", "readyz", "openapi.json"):
        assert httpx.get(f"{server.url}{prefix}/{path}").status_code == 200


@pytest.mark.parametrize("mount", ["", "/pictures"])
def test_the_metrics_have_one_address_so_that_a_proxy_can_keep_them_back(server: ApiServer, mount: str) -> None:
    assert httpx.get(f"{server.url}{mount}/metrics").status_code == 200
    assert httpx.get(f"{server.url}{mount}/api/v1/metrics").status_code == 404


def test_metrics_count_by_template(server: ApiServer, owner: httpx.Client, image: str) -> None:
    owner.get(f"/images/{image}")
    text = httpx.get(f"{server.url}/metrics").text
    assert 'imagegallery_http_requests_total{method="GET",route="/api/v1/images/{image_id}",status="200"}' in text
    assert 'imagegallery_uploads_total{result="accepted"}' in text
    assert 'imagegallery_queue_jobs{state="waiting"}' in text
    assert image not in text


def test_the_description_names_the_address_where_it_is_mounted(server: ApiServer) -> None:
    for mount in ("", "/pictures"):
        described = httpx.get(f"{server.url}{mount}/openapi.json").json()
        assert described["openapi"] == "3.1.0"
        assert described["servers"] == [{"url": f"{mount}/api/v1"}]


def test_every_url_has_the_mount_point(server: ApiServer, user: str, photo: bytes, image: str) -> None:
    root = "/pictures/api/v1"
    with httpx.Client(base_url=f"{server.url}{root}", headers={"X-User": user}) as mounted:
        data = mounted.get(f"/images/{image}").json()["data"]
        urls = [data["src"], *data["srcSet"].split(", "), *(variant["url"] for variant in data["variants"])]
        assert all(url.startswith(f"{root}/files/") for url in urls)
        assert httpx.get(f"{server.url}{data['src']}").status_code == 200
        declared = {"filename": "a.jpg", "content_type": "image/jpeg", "size": len(photo)}
        begun = mounted.post("/uploads", json=declared)
        assert begun.headers["Location"].startswith(f"{root}/uploads/")
        session = begun.json()["data"]
        sent = httpx.put(f"{server.url}{session['url']}", content=photo, headers=session["headers"])
        assert sent.status_code == 204
        assert mounted.get(f"/images/{image}/download").headers["Location"].startswith(f"{root}/objects/")
