"""The client against a real service: what it sends, what it does not send again, and what it tells."""

import os
from itertools import accumulate
from pathlib import Path
from uuid import UUID

import anyio
import httpx
import pytest
from tests.client.conftest import PART_SIZE, PARTS_THRESHOLD, QUICKLY, MakeFile
from tests.client.recording import Recorder
from tests.support.images import jpeg
from tests.support.served import ServedUploads, token_of
from tests.support.servers.proxy import Cut, FailingNetwork, in_turn

from imagegallery.access.audience import Visibility
from imagegallery.client import ApiProblem, GalleryClient, StateFile
from imagegallery.common.meta import JsonValue
from imagegallery.errors import ConfigurationError, InvalidInput, Unavailable
from imagegallery.uploads.session.policy import OnDuplicate

REJECT = """
UPDATE upload_sessions
SET state = 'rejected', error_code = 'quota_exceeded', error_message = 'full', error_details = '{}'
WHERE id = $1"""


async def missing_parts(served: ServedUploads, token: str, user: str) -> list[int]:
    ((session_id,),) = served.rows("SELECT id FROM upload_sessions WHERE owner_id = $1", user)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=served.api, headers=headers) as http:
        numbers: list[int] = (await http.get(f"/uploads/{session_id}/parts")).json()["data"]["missing"]
    return numbers


# --- what comes in ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2_000, PARTS_THRESHOLD, PARTS_THRESHOLD + 1, 3 * PART_SIZE, 420_001])
async def test_a_file_of_any_size_comes_in_whole(
    size: int, served: ServedUploads, token: str, user: str, make_file: MakeFile
) -> None:
    path, told = make_file("tram.jpg", size), [0]
    async with GalleryClient.open(served.api, token=token) as client:
        image_id = await client.upload(path, advance=told.append)
        assert isinstance(image_id, UUID)
    served.check_has([path.read_bytes()], owner=user)
    assert sum(told) == size


async def test_into_a_gallery_that_is_made_once(
    served: ServedUploads, token: str, user: str, make_file: MakeFile
) -> None:
    async with GalleryClient.open(f"{served.api}/", token=token) as client:
        made, found = await client.find_or_make_gallery("Lisbon"), await client.find_or_make_gallery("Lisbon")
        assert made == found
        await client.upload(make_file("tram.jpg", 2_000), gallery_id=made)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=served.api, headers=headers) as http:
        assert (await http.get(f"/galleries/{made}")).json()["data"]["image_count"] == 1


async def test_with_what_the_application_keeps_of_it(served: ServedUploads, token: str, make_file: MakeFile) -> None:
    path = make_file("tram.jpg", 2_000)
    meta: dict[str, JsonValue] = {"sku": "A-1", "sizes": [1, 2.5]}
    async with GalleryClient.open(served.api, token=token) as client:
        first = await client.upload(path, meta=meta, visibility=Visibility.UNLISTED)
        again = await client.upload(path, meta=dict(reversed(meta.items())), visibility=Visibility.UNLISTED)
        plain = await client.upload(path)
        with pytest.raises(ApiProblem, match="deep"):
            await client.upload(path, meta={"a": [[[[[[[[[]]]]]]]]]})
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=served.api, headers=headers) as http:
        images = [(await http.get(f"/images/{each}")).json()["data"] for each in (first, plain)]
    assert first == again
    assert [(each["meta"], each["visibility"]) for each in images] == [(meta, "unlisted"), ({}, "private")]


async def test_a_gallery_beyond_the_first_page_is_found(served: ServedUploads, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=served.api, headers=headers) as http:
        for number in range(101):
            (await http.post("/galleries", json={"name": f"Gallery {number}"})).raise_for_status()
    async with GalleryClient.open(served.api, token=token) as client:
        ids = {await client.find_or_make_gallery(f"Gallery {number}") for number in (0, 50, 100)}
    assert len(ids) == 3
    async with httpx.AsyncClient(base_url=served.api, headers=headers) as http:
        page = (await http.get("/galleries?view=own&limit=100")).json()
        rest = (await http.get("/galleries", params={"view": "own", "cursor": page["pagination"]["nextCursor"]})).json()
    assert len(page["data"]) + len(rest["data"]) == 101


async def test_what_the_owner_has_already_need_not_be_sent(
    served: ServedUploads, token: str, make_file: MakeFile
) -> None:
    """Where the service answers with the image that is there: told by the digest alone."""
    path = make_file("tram.jpg", 420_000)
    recorder, told = Recorder(), [0]
    async with httpx.AsyncClient(transport=recorder) as http:
        async with GalleryClient.open(served.api, token=token, http=http) as client:
            first = await client.upload(path)
        sent = recorder.parts_sent()
        async with GalleryClient.open(
            served.api, token=token, http=http, on_duplicate=OnDuplicate.RETURN_EXISTING
        ) as client:
            assert await client.upload(path, advance=told.append) == first
    assert recorder.parts_sent() == sent > 0
    assert sum(told) == 420_000


# --- what is refused ----------------------------------------------------------------------------------------


async def test_a_file_that_is_no_image_is_not_sent(served: ServedUploads, token: str, tmp_path: Path) -> None:
    notes, told = tmp_path / "notes.txt", list[int]()
    notes.write_text("not a picture")
    recorder = Recorder()
    async with (
        httpx.AsyncClient(transport=recorder) as http,
        GalleryClient.open(served.api, token=token, http=http) as client,
    ):
        with pytest.raises(InvalidInput, match=r"notes\.txt is not an image"):
            await client.upload(notes, advance=told.append)
        with pytest.raises(FileNotFoundError):
            await client.upload(tmp_path / "nothing.jpg")
    assert recorder.requests == []
    assert told == []


@pytest.mark.parametrize("size", [50_000, 420_000])
async def test_a_broken_picture_is_refused_and_does_not_count(
    size: int, served: ServedUploads, token: str, user: str, tmp_path: Path
) -> None:
    broken, told = tmp_path / "broken.jpg", [0]
    broken.write_bytes(jpeg()[:100] + os.urandom(size))
    async with GalleryClient.open(served.api, token=token) as client:
        with pytest.raises(ApiProblem) as caught:
            await client.upload(broken, advance=told.append)
    assert (caught.value.status, caught.value.problem) == (422, "bad_image")
    assert sum(told) == 0
    served.check_has([], owner=user)


async def test_a_file_that_changes_while_it_is_sent_is_refused(
    served: ServedUploads, token: str, user: str, make_file: MakeFile
) -> None:
    path = make_file("tram.jpg", 420_000)

    def shorten(count: int) -> None:
        os.truncate(path, 1_000)

    async with GalleryClient.open(served.api, token=token, parallel_parts=1) as client:
        with pytest.raises(InvalidInput, match="became shorter"):
            await client.upload(path, advance=shorten)
        served.check_has([], owner=user)
        path.write_bytes(jpeg())
        await client.upload(path)
    served.check_has([jpeg()], owner=user)


@pytest.mark.parametrize("url", ["nonsense", "ftp://somewhere", "https://", ""])
async def test_what_is_no_address_is_said_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match="address"):
        async with GalleryClient.open(url):
            pass


async def test_another_service_is_no_api(served: ServedUploads, token: str, make_file: MakeFile) -> None:
    async with GalleryClient.open(served.service.url, token=token, retries=QUICKLY) as client:
        with pytest.raises(ApiProblem) as caught:
            await client.upload(make_file("tram.jpg", 2_000))
    assert caught.value.status == 404


async def test_a_token_of_another_key_is_refused(served: ServedUploads, make_file: MakeFile) -> None:
    async with GalleryClient.open(served.api, token=token_of("ada")[:-4] + "AAAA", retries=QUICKLY) as client:
        with pytest.raises(ApiProblem) as caught:
            await client.upload(make_file("tram.jpg", 2_000))
    assert (caught.value.status, caught.value.problem) == (401, "invalid_token")


async def test_a_server_that_is_away_is_told_without_its_address(make_file: MakeFile) -> None:
    async with GalleryClient.open("http://127.0.0.1:1/api/v1", retries=QUICKLY) as client:
        with pytest.raises(Unavailable) as caught:
            await client.upload(make_file("tram.jpg", 2_000))
    assert "127.0.0.1" not in caught.value.message


# --- going on -----------------------------------------------------------------------------------------------


async def test_only_the_parts_that_are_missing_are_sent_again(
    served: ServedUploads, network: FailingNetwork, token: str, user: str, make_file: MakeFile
) -> None:
    path, state, told = make_file("large.jpg", 420_000), StateFile.in_memory(), [0]
    async with GalleryClient.open(network.url, token=token, state=state, parallel_parts=1) as client:
        with anyio.CancelScope() as scope:

            def watch(count: int) -> None:
                told.append(count)
                if sum(told) > 4 * PART_SIZE:
                    scope.cancel()

            await client.upload(path, advance=watch)
    assert sum(told) == 0, "what was broken off is taken back"
    missing = await missing_parts(served, token, user)
    assert len(missing) in (4, 5), "of nine"
    recorder, again = Recorder(), [0]
    async with (
        httpx.AsyncClient(transport=recorder) as http,
        GalleryClient.open(network.url, token=token, state=state, http=http) as client,
    ):
        await client.upload(path, advance=again.append)
    assert recorder.parts_sent() == len(missing)
    assert sum(again) == 420_000
    served.check_has([path.read_bytes()], owner=user)


async def test_a_file_that_is_in_is_not_even_read_again(served: ServedUploads, token: str, make_file: MakeFile) -> None:
    path, state, told = make_file("tram.jpg", 2_000), StateFile.in_memory(), [0]
    async with GalleryClient.open(served.api, token=token, state=state) as client:
        first = await client.upload(path)
    status = path.stat()
    path.write_bytes(b"x" * 2_000)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    async with GalleryClient.open("http://127.0.0.1:1", token=token, state=state, retries=QUICKLY) as elsewhere:
        with pytest.raises(InvalidInput):
            await elsewhere.upload(path)
    async with GalleryClient.open(served.api, token=token, state=state) as client:
        assert await client.upload(path, advance=told.append) == first
    assert sum(told) == 2_000


class Crash(BaseException):
    """The end of the process, as far as the client can tell."""


@pytest.mark.parametrize("size", [2_000, 420_000])
async def test_a_session_whose_client_never_heard_of_it_is_found_again(
    size: int, served: ServedUploads, token: str, user: str, make_file: MakeFile
) -> None:
    class Deaf(Recorder):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await super().handle_async_request(request)
            raise Crash

    path, state = make_file("tram.jpg", size), StateFile.in_memory()
    async with httpx.AsyncClient(transport=Deaf()) as http:
        with pytest.raises(Crash):
            async with GalleryClient.open(served.api, token=token, state=state, http=http) as client:
                await client.upload(path)
    ((begun,),) = served.rows("SELECT id FROM upload_sessions WHERE owner_id = $1", user)
    async with GalleryClient.open(served.api, token=token, state=state) as client:
        await client.upload(path)
    assert served.rows("SELECT id FROM upload_sessions WHERE owner_id = $1", user) == [(begun,)]
    served.check_has([path.read_bytes()], owner=user)


@pytest.mark.parametrize("size", [2_000, 420_000])
async def test_what_has_arrived_whole_is_only_completed(
    size: int, served: ServedUploads, token: str, make_file: MakeFile
) -> None:
    class Hasty(Recorder):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/complete"):
                raise Crash
            return await super().handle_async_request(request)

    path, state, recorder = make_file("tram.jpg", size), StateFile.in_memory(), Recorder()
    async with httpx.AsyncClient(transport=Hasty()) as http:
        with pytest.raises(Crash):
            async with GalleryClient.open(served.api, token=token, state=state, http=http) as client:
                await client.upload(path)
    async with (
        httpx.AsyncClient(transport=recorder) as http,
        GalleryClient.open(served.api, token=token, state=state, http=http) as client,
    ):
        await client.upload(path)
    assert [request.url.path.rpartition("/")[2] for request in recorder.requests] == ["uploads", "complete"]


async def test_an_answer_that_is_lost_costs_no_second_session(
    served: ServedUploads, token: str, user: str, make_file: MakeFile
) -> None:
    class HardOfHearing(Recorder):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            if len(self.requests) == 1:
                await answer.aclose()
                raise httpx.ReadError("the answer is lost", request=request)
            return answer

    path = make_file("tram.jpg", 2_000)
    async with (
        httpx.AsyncClient(transport=HardOfHearing()) as http,
        GalleryClient.open(served.api, token=token, http=http, retries=QUICKLY) as client,
    ):
        await client.upload(path)
    served.check_has([path.read_bytes()], owner=user)
    assert len(served.rows("SELECT id FROM upload_sessions WHERE owner_id = $1", user)) == 1


@pytest.mark.parametrize("size", [50_000, 420_000])
@pytest.mark.parametrize("became", ["cancelled", "rejected", "forgotten"])
async def test_a_session_that_is_over_is_begun_anew(
    size: int, became: str, served: ServedUploads, token: str, user: str, make_file: MakeFile
) -> None:
    path, state, told = make_file("tram.jpg", size), StateFile.in_memory(), [0]
    async with GalleryClient.open(served.api, token=token, state=state, parallel_parts=1) as client:
        with anyio.CancelScope() as scope:
            await client.upload(path, advance=lambda count: scope.cancel())
    ((session_id,),) = served.rows("SELECT id FROM upload_sessions WHERE owner_id = $1", user)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=served.api, headers=headers) as http:
        (await http.delete(f"/uploads/{session_id}")).raise_for_status()
    if became != "cancelled":
        sql = {
            "rejected": REJECT,
            "forgotten": "DELETE FROM upload_sessions WHERE id = $1",
        }[became]
        served.rows(sql, session_id)
    async with GalleryClient.open(served.api, token=token, state=state) as client:
        await client.upload(path, advance=told.append)
    assert sum(told) == size
    served.check_has([path.read_bytes()], owner=user)


# --- retries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [False, True])
@pytest.mark.parametrize("size", [50_000, 420_000])
async def test_what_is_cut_off_is_sent_again_and_counted_once(
    size: int, answers: bool, served: ServedUploads, network: FailingNetwork, token: str, user: str, make_file: MakeFile
) -> None:
    path, told = make_file("tram.jpg", size), [0]
    network.cuts = in_turn([Cut(after, answers) for after in (0, 10, 300, 30, 1_000, 200, 600, 40, 700, 800, 100)])
    async with GalleryClient.open(network.url, token=token, retries=QUICKLY) as client:
        await client.upload(path, advance=told.append)
    assert network.was_cut > 3
    assert (sum(told), max(accumulate(told))) == (size, size), "never more than there is"
    assert served.originals(user).total() == 1


async def test_a_file_whose_arrival_was_not_heard_of_is_not_refused(
    served: ServedUploads, network: FailingNetwork, token: str, user: str, make_file: MakeFile
) -> None:
    """The address takes one file: sent again after a lost answer, it is refused, and yet it is there."""
    path, told = make_file("tram.jpg", 50_000), [0]

    class LosesAnAnswer(httpx.AsyncHTTPTransport):
        lost = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            if "/objects/" in request.url.path and not self.lost:
                self.lost += 1
                await response.aclose()
                raise httpx.ReadError("the answer is lost")
            return response

    transport = LosesAnAnswer()
    async with (
        httpx.AsyncClient(transport=transport) as http,
        GalleryClient.open(network.url, token=token, http=http, retries=QUICKLY) as client,
    ):
        await client.upload(path, advance=told.append)
    assert transport.lost == 1
    assert sum(told) == 50_000
    served.check_has([path.read_bytes()], owner=user)


async def test_a_gallery_whose_making_was_not_heard_of_is_not_made_twice(
    served: ServedUploads, network: FailingNetwork, token: str
) -> None:
    class LosesAnAnswer(httpx.AsyncHTTPTransport):
        lost = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            if request.method == "POST" and not self.lost:
                self.lost += 1
                await response.aclose()
                raise httpx.ReadError("the answer is lost")
            return response

    async with httpx.AsyncClient(transport=LosesAnAnswer()) as http:
        async with GalleryClient.open(network.url, token=token, http=http, retries=QUICKLY) as client:
            made = await client.find_or_make_gallery("Lisbon")
        page = (await http.get(f"{served.api}/galleries?view=own", headers={"Authorization": f"Bearer {token}"})).json()
    assert [each["id"] for each in page["data"]] == [str(made)]


async def test_addresses_of_parts_that_expired_are_renewed(
    served: ServedUploads, token: str, user: str, make_file: MakeFile
) -> None:
    class Expires(httpx.AsyncHTTPTransport):
        """The first address of each part is past its time when it is used."""

        used = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.used += request.method == "PUT"
            if request.method == "PUT" and self.used <= 2:
                assert isinstance(request.stream, httpx.AsyncByteStream)
                async for _ in request.stream:
                    pass
                return httpx.Response(403, content=b"<Error><Code>AccessDenied</Code></Error>")
            return await super().handle_async_request(request)

    path, told = make_file("tram.jpg", 420_000), [0]
    transport = Expires()
    async with (
        httpx.AsyncClient(transport=transport) as http,
        GalleryClient.open(served.api, token=token, http=http, parallel_parts=2) as client,
    ):
        await client.upload(path, advance=told.append)
    assert transport.used == 9 + 2
    assert (sum(told), max(accumulate(told))) == (420_000, 420_000), "never more than there is"
    served.check_has([path.read_bytes()], owner=user)


async def test_uploads_are_under_the_policy_that_is_named(
    served: ServedUploads, token: str, make_file: MakeFile
) -> None:
    state, path = StateFile.in_memory(), make_file("tram.jpg", 2_000)
    async with GalleryClient.open(served.api, token=token, state=state) as client:
        await client.upload(path)
    async with GalleryClient.open(served.api, token=token, state=state, policy="avatar") as client:
        with pytest.raises(ApiProblem, match="policy must not be given: there is none"):
            await client.upload(path)  # what is in under none is not in under this one
