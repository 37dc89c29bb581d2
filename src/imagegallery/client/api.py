"""Requests to the API, with the token, which is sent nowhere else."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urljoin

from attrs import frozen

from imagegallery.client.exchange import ApiAnswer, RequestBody, RetryingRequests


@frozen
class Api:
    """``root`` is the URL of the API, without a trailing slash."""

    root: str
    exchange: RetryingRequests
    authorization: Mapping[str, str]

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        once: bool = False,
    ) -> ApiAnswer:
        """Call ``path`` below the root. Raises what `RetryingRequests.send` raises."""
        ours = {**self.authorization, **headers}
        return await self.exchange.send(method, self.root + path, json=json, headers=ours, once=once)

    async def transfer(self, method: str, url: str, *, headers: Mapping[str, str], body: RequestBody) -> ApiAnswer:
        """Send bytes where the server said. ``url`` may be relative to its host. A store does not get the token.

        Raises like `call`.
        """
        target = urljoin(self.root, url)
        ours = self.authorization if target.startswith(f"{self.root}/") else {}
        return await self.exchange.send(method, target, headers={**ours, **headers}, body=body)
