"""Limits for waiting clients: bodies that do not arrive, responses that nobody receives.

A client that opens all connections of a server, and sends one byte on each, would lock everybody else out for as long
as that is tolerated.
"""

import logging
from contextlib import ExitStack
from typing import Final

import anyio
from attrs import define
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegallery.errors import Overloaded
from imagegallery.http_options import ClientLimits
from imagegallery.rates.limiter import network_of
from imagegallery_asgi.framework.context import client_address, exchange_of
from imagegallery_asgi.framework.errors import BodyStalled
from imagegallery_asgi.middleware.exchange import AnswerStalled

logger = logging.getLogger("imagegallery_asgi")

RETRY_AFTER: Final = 10  # seconds


@define
class Patience:
    """With one body, of which ``received`` bytes were waited for ``waited`` seconds in all. Pure."""

    limits: ClientLimits
    waited: float = 0.0
    received: int = 0

    @property
    def left(self) -> float:
        """For how many seconds to wait for the next bytes."""
        stall = self.limits.stall.total_seconds()
        return min(stall, stall + self.received / self.limits.least_rate - self.waited)


class Patient:
    """ASGI middleware inside of the net for errors: ends what stalls, and counts the bodies that are on their way."""

    def __init__(self, app: ASGIApp, limits: ClientLimits) -> None:
        self._app = app
        self._limits = limits
        self._bodies = 0
        self._by_network: dict[str, int] = {}
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_patiently(message: Message) -> None:
            with anyio.move_on_after(self._limits.stall.total_seconds()) as waiting:
                await send(message)
            if waiting.cancelled_caught:
                raise AnswerStalled

        request = Request(scope)
        with ExitStack() as place:
            if exchange_of(request).unread:
                network = network_of(client_address(request))
                self._admit(network)
                place.callback(self._leave, network)
                receive = _Body(receive, Patience(self._limits), place).receive
            await self._app(scope, receive, send_patiently)

    def _admit(self, network: str) -> None:
        """Raises `Overloaded` when there are as many bodies as may be."""
        if self._bodies >= self._limits.bodies:
            raise Overloaded("Too much is being sent here at once; try again later.", retry_after=RETRY_AFTER)
        if self._by_network.get(network, 0) >= self._limits.bodies_per_address:
            self._warn(network)
            raise Overloaded("Too much is being sent from your address at once.", retry_after=RETRY_AFTER)
        self._bodies += 1
        self._by_network[network] = self._by_network.get(network, 0) + 1

    def _leave(self, network: str) -> None:
        self._bodies -= 1
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]

    def _warn(self, network: str) -> None:
        """Once, since a client must not fill the log."""
        if not self._has_warned:
            self._has_warned = True
            logger.warning("%s sends too many bodies at once; if it is a proxy of yours, trust it", network)


class _Body:
    """One body on its way; it gives back its ``place`` when all of it is there."""

    def __init__(self, receive: Receive, patience: Patience, place: ExitStack) -> None:
        self._receive = receive
        self._patience = patience
        self._place = place
        self._is_whole = False

    async def receive(self) -> Message:
        """What comes after the body, that the client has gone, is waited for without an end. Raises `BodyStalled`."""
        if self._is_whole:
            return await self._receive()
        began = anyio.current_time()
        with anyio.move_on_after(self._patience.left) as waiting:
            message = await self._receive()
        if waiting.cancelled_caught:
            raise BodyStalled("The rest of the body did not come in time.")
        self._patience.waited += anyio.current_time() - began
        self._patience.received += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._is_whole = True
            self._place.close()
        return message
