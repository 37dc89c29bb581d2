"""Requests with retries."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NoReturn

import anyio
import httpx
from attrs import frozen

from imagegallery.client.problems import ApiProblem, read_problem
from imagegallery.client.retries import RetryPolicy, is_passing
from imagegallery.errors import Unavailable

logger = logging.getLogger(__name__)

RequestBody = Callable[[], AsyncIterator[bytes]]


@frozen
class ApiAnswer:
    """A 2xx response with its whole body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@frozen
class RetryingRequests:
    """Sends requests, with retries by the policy.

    Nearly all may be repeated: the API handles a repeated start or completion like the first, and a repeated part
    replaces itself.
    """

    http: httpx.AsyncClient
    retries: RetryPolicy

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        body: RequestBody | None = None,
        once: bool = False,
    ) -> ApiAnswer:
        """Send a request and return the response.

        Args:
            body: Called again for each try.
            once: Do not retry a request that the server may have received.

        Raises:
            ApiProblem: If the server refuses.
            Unavailable: If it cannot be reached.
        """
        failures = 0
        while True:
            try:
                return await self._once(method, url, json, headers, body)
            except ApiProblem as problem:
                failures += 1
                if not is_passing(problem.status) or not self.retries.may_try_again(failures):
                    raise
                pause = self.retries.pause(failures, problem.retry_after)
            except httpx.RequestError as error:
                failures += 1
                if once or not self.retries.may_try_again(failures):
                    _give_up(error)
                pause = self.retries.pause(failures)
            logger.info("%s failed, next try in %.1f s", method, pause)
            await anyio.sleep(pause)

    async def _once(
        self, method: str, url: str, json: object, headers: Mapping[str, str] | None, body: RequestBody | None
    ) -> ApiAnswer:
        content = body() if body is not None else None
        response = await self.http.request(method, url, json=json, headers=headers, content=content)
        if response.is_success:
            return ApiAnswer(response.status_code, response.headers, response.content)
        raise read_problem(response.status_code, response.headers, response.content)


def _give_up(error: httpx.RequestError) -> NoReturn:
    """Raise without the URL, which may be signed."""
    raise Unavailable(f"The server cannot be reached ({type(error).__name__}).") from error
