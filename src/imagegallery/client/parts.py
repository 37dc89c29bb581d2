"""A large file in parts, several at once. Parts from an earlier run are not sent again."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from uuid import UUID

import anyio
from attrs import frozen

from imagegallery.client.api import Api
from imagegallery.client.documents import MissingParts, PartAddress, SignedParts, UploadPlan, read_data
from imagegallery.client.problems import ApiProblem
from imagegallery.client.progress import ProgressCounter
from imagegallery.client.source import LocalFile
from imagegallery.errors import ImageGalleryError, Unavailable, first_cause

# Addresses to request at once: they expire, and a slow line needs few.
ADDRESSES_AT_ONCE = 20
# Responses of a store (S3) and of ours to an expired signed URL.
_EXPIRED = frozenset({"http_403", "signature_expired"})


async def send_parts(api: Api, plan: UploadPlan, file: LocalFile, parallel: int, progress: ProgressCounter) -> None:
    """Send the missing parts, ``parallel`` at once. Raises what `Api.transfer` raises."""
    if plan.parts is None:
        raise Unavailable("The server did not say how large the parts are.")
    answer = await api.call("GET", f"/uploads/{plan.id}/parts")
    missing = read_data(MissingParts, answer.content).missing
    sending = _PartsTransfer(api, plan.id, plan.parts.size, file, progress)
    progress.add(file.size - sum(sending.length(number) for number in missing))
    await sending.run(missing, parallel)


@frozen
class _PartsTransfer:
    api: Api
    upload_id: UUID
    part_size: int
    file: LocalFile
    progress: ProgressCounter

    def length(self, number: int) -> int:
        """The bytes of a part."""
        return min(self.part_size, self.file.size - (number - 1) * self.part_size)

    async def run(self, missing: Sequence[int], parallel: int) -> None:
        turn = anyio.Lock()
        try:
            async with aclosing(self._addresses_of(missing)) as addresses, anyio.create_task_group() as tasks:
                for _ in range(min(parallel, len(missing))):
                    tasks.start_soon(self._work, addresses, turn)
        except* (ImageGalleryError, OSError) as errors:
            # Of several failures, one is raised.
            raise first_cause(errors) from None

    async def _work(self, addresses: AsyncIterator[PartAddress], turn: anyio.Lock) -> None:
        """Send parts until none are left."""
        while True:
            async with turn:
                address = await anext(addresses, None)
            if address is None:
                return
            await self._send(address)

    async def _addresses_of(self, numbers: Sequence[int]) -> AsyncGenerator[PartAddress, None]:
        for first in range(0, len(numbers), ADDRESSES_AT_ONCE):
            for address in await self._addresses(numbers[first : first + ADDRESSES_AT_ONCE]):
                yield address

    async def _send(self, address: PartAddress) -> None:
        sent = ProgressCounter(self.progress.add)
        try:
            await self._transfer(address, sent)
        except ApiProblem as problem:
            if problem.problem not in _EXPIRED:
                raise
            (renewed,) = await self._addresses([address.number])
            await self._transfer(renewed, sent)

    async def _transfer(self, address: PartAddress, sent: ProgressCounter) -> None:
        start, length = (address.number - 1) * self.part_size, self.length(address.number)
        await self.api.transfer(
            address.method,
            address.url,
            headers={**address.headers, "Content-Length": str(length)},
            body=lambda: sent.count(self.file.chunks(start, start + length)),
        )

    async def _addresses(self, numbers: Sequence[int]) -> tuple[PartAddress, ...]:
        answer = await self.api.call("POST", f"/uploads/{self.upload_id}/parts/sign", json={"numbers": list(numbers)})
        return read_data(SignedParts, answer.content).urls
