"""The whole file in one request: to the store by form or PUT, or through the service."""

import secrets
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

from attrs import frozen

from imagegallery.client.api import Api
from imagegallery.client.documents import UploadPlan
from imagegallery.client.problems import ApiProblem
from imagegallery.client.progress import ProgressCounter
from imagegallery.client.source import LocalFile
from imagegallery.errors import Unavailable

_TAKEN = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})


@frozen
class FormBody:
    """A ``multipart/form-data`` body (RFC 7578): the fields, then the file, streamed."""

    before: bytes
    after: bytes
    boundary: str

    @classmethod
    def of(cls, fields: Mapping[str, str], content_type: str) -> "FormBody":
        boundary = secrets.token_hex(16)
        # The store takes the object's name from the fields; this one is only required.
        file = f'name="file"; filename="image"\r\nContent-Type: {content_type}'
        named = [(f'name="{name}"', value + "\r\n") for name, value in fields.items()] + [(file, "")]
        parts = [f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}" for head, value in named]
        return cls("".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode(), boundary)

    def headers(self, file_size: int) -> dict[str, str]:
        """Headers with the length, which stores require."""
        return {
            "Content-Type": f"multipart/form-data; boundary={self.boundary}",
            "Content-Length": str(len(self.before) + file_size + len(self.after)),
        }

    async def around(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        yield self.before
        async for chunk in chunks:
            yield chunk
        yield self.after


async def send_whole(api: Api, plan: UploadPlan, file: LocalFile, progress: ProgressCounter) -> None:
    """Send the file as ``plan`` says. Raises what `RetryingRequests.send` raises."""
    if plan.url is None or plan.method is None:
        raise Unavailable("The server did not say where to send the file.")
    try:
        await _send(api, plan, plan.method, plan.url, file, ProgressCounter(progress.add))
    except ApiProblem as problem:
        # The address takes one file: an earlier try arrived, and its response was lost. Completing shows what arrived.
        if problem.status not in _TAKEN:
            raise


async def _send(api: Api, plan: UploadPlan, method: str, url: str, file: LocalFile, sent: ProgressCounter) -> None:
    if method == "POST":
        form = FormBody.of(plan.fields, file.content_type)
        headers = {**plan.headers, **form.headers(file.size)}
        await api.transfer(method, url, headers=headers, body=lambda: form.around(sent.count(file.chunks())))
    else:
        headers = {**plan.headers, "Content-Length": str(file.size)}
        await api.transfer(method, url, headers=headers, body=lambda: sent.count(file.chunks()))
