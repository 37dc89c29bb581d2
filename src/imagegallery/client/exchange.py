"""Requests that are tried again while that can help."""

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

Body = Callable[[], AsyncIterator[bytes]]


@frozen
class ApiAnswer:
    """A 2xx answer, read whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@frozen
class Exchange:
    """Sends requests, each as often as the policy allows. Nearly every one may be repeated: the API answers a repeated
    beginning or completion like the first one, and a part that is sent twice is one part."""

    http: httpx.AsyncClient
    retries: RetryPolicy

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        once: bool = False,
    ) -> ApiAnswer:
        """The answer. ``body`` is opened anew for each try; with ``once`` there is no second one after a request that
        may have been heard.

        Raises `ApiProblem` when the server refuses, and `Unavailable` when it cannot be reached, however often tried.
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
        self, method: str, url: str, json: object, headers: Mapping[str, str] | None, body: Body | None
    ) -> ApiAnswer:
        content = body() if body is not None else None
        response = await self.http.request(method, url, json=json, headers=headers, content=content)
        if response.is_success:
            return ApiAnswer(response.status_code, response.headers, response.content)
        raise read_problem(response.status_code, response.headers, response.content)


def _give_up(error: httpx.RequestError) -> NoReturn:
    """Without the address, which may be signed."""
    raise Unavailable(f"The server cannot be reached ({type(error).__name__}).") from error
