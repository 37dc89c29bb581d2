"""A network that cuts connections, wherever hypothesis says: 300 files come in, byte for byte, each once.

They are JPEGs of 653 bytes to 40 MB. Uploads of fewer bytes, from one on, are partial ones here, which make an image
together.
"""

from collections.abc import Iterator
from itertools import cycle

import anyio
import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from attrs import frozen
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.javascript.conftest import end_unheard_of
from tests.support.images import jpeg_of_size
from tests.support.served import ServedUploads, token_of
from tests.support.servers.proxy import Cut, FailingNetwork, in_turn

API = "/api/v1"
FILES, EXAMPLES = 50, 6  # 300 files
SMALLEST = 653
LARGE = cycle((40_000_000, 5_000_000, 2_000_000))  # one of these each time
AT_ONCE = 4
IN_PIECES = ((1,), (1, 1, 42), (600, 7))  # so many bytes, and the rest, are uploads of their own
VERSION = {"Tus-Resumable": "1.0.0"}
METADATA = {"Upload-Metadata": "filename dHJhbS5qcGc=,filetype aW1hZ2UvanBlZw=="}


def mostly_small(smallest: int, largest: int) -> st.SearchStrategy[int]:
    """As many of each order of magnitude."""
    return st.floats(0, 1).map(lambda share: int(smallest * (largest / smallest) ** share))


sizes = st.lists(mostly_small(SMALLEST, 1_000_000), min_size=FILES - 1, max_size=FILES - 1)
cuts = st.lists(
    st.none()
    | st.builds(Cut, mostly_small(1, 30_000_000))
    | st.builds(Cut, st.integers(0, 2_000))
    | st.builds(Cut, st.integers(0, 600), st.just(True)),
    min_size=30,
    max_size=150,
)


@frozen
class TusClient:
    """As little of a tus client as goes on after anything."""

    http: httpx.AsyncClient

    async def upload(self, data: bytes) -> str:
        """The upload's URL, when all of it was acknowledged."""
        return await self._whole(data, METADATA)

    async def upload_in_pieces(self, data: bytes, lengths: tuple[int, ...]) -> None:
        urls, start = [], 0
        for stop in (*(sum(lengths[: index + 1]) for index in range(len(lengths))), len(data)):
            urls.append(await self._whole(data[start:stop], {"Upload-Concat": "partial"}))
            start = stop
        await self._create({**METADATA, "Upload-Concat": f"final;{' '.join(urls)}"})

    async def _whole(self, data: bytes, fields: dict[str, str]) -> str:
        url = await self._create({**fields, "Upload-Length": str(len(data))})
        offset = 0
        while offset < len(data):
            offset = await self._append(url, data, offset)
        return url

    async def _create(self, fields: dict[str, str]) -> str:
        while True:
            try:
                answer = await self.http.post(f"{API}/uploads/resumable", headers={**VERSION, **fields})
            except httpx.TransportError:
                continue
            assert answer.status_code == 201, answer.text
            return str(answer.headers["Location"])

    async def _append(self, url: str, data: bytes, offset: int) -> int:
        fields = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        try:
            answer = await self.http.patch(url, headers={**VERSION, **fields}, content=data[offset:])
            if answer.status_code != 204:
                assert answer.status_code == 409, answer.text  # another request for it came in between
                answer = await self.http.head(url, headers=VERSION)
        except httpx.TransportError:
            return await self._offset(url)
        return int(answer.headers["Upload-Offset"])

    async def _offset(self, url: str) -> int:
        while True:
            try:
                answer = await self.http.head(url, headers=VERSION)
            except httpx.TransportError:
                continue
            assert answer.status_code in (200, 204), answer.status_code
            return int(answer.headers["Upload-Offset"])


@pytest.fixture(scope="module")
def away(served: ServedUploads) -> Iterator[FailingNetwork]:
    """The network of all examples: a client keeps nothing of what was before."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FailingNetwork.before(served.api)) as it:
        yield it


async def send_all(network: FailingNetwork, user: str, files: list[bytes]) -> None:
    waiting = iter(enumerate(files))
    headers = {"Authorization": f"Bearer {token_of(user)}"}

    async def work(client: TusClient) -> None:
        for number, data in waiting:
            if number < len(IN_PIECES):
                await client.upload_in_pieces(data, IN_PIECES[number])
            else:
                await client.upload(data)

    origin = network.url.removesuffix(API)
    async with (
        httpx.AsyncClient(base_url=origin, headers=headers, timeout=60) as http,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(AT_ONCE):
            tasks.start_soon(work, TusClient(http))


@settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(sizes=sizes, cuts=cuts, name=st.uuids())
def test_files_come_in_whole_and_once(
    served: ServedUploads, away: FailingNetwork, sizes: list[int], cuts: list[Cut | None], name: object
) -> None:
    user = f"user-{name}"
    files = [jpeg_of_size(size, f"{user} {number}") for number, size in enumerate([*sizes, next(LARGE)])]
    was_cut = away.was_cut
    away.cuts = in_turn([Cut(0), *cuts])
    anyio.run(send_all, away, user, files)
    assert away.was_cut > was_cut
    end_unheard_of(served, user)
    served.check_has(files, owner=user)
