"""One POST to an address that was checked: the name is resolved here, every address it has must be allowed, and the
connection goes to one of those, so that a name which changes between check and use (DNS rebinding) leads nowhere
else. Redirects are not followed, and of the answer only the status is read.
"""

import socket
import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Final

import anyio
import h11
from anyio.abc import ByteStream
from attrs import frozen

from imagegallery.errors import ImageGalleryError
from imagegallery.webhooks.addresses import is_metadata, is_public
from imagegallery.webhooks.webhook import WebhookTarget

_READ_SIZE: Final = 4096
_MAX_HEAD: Final = 16_384  # bytes of the answer's status and headers


class DeliveryFailed(ImageGalleryError):
    """A webhook's receiver was not reached, or did not answer as it should."""

    code = "delivery_failed"


class AddressRefused(DeliveryFailed):
    """A webhook's host has an address that nothing may be delivered to."""

    code = "address_refused"


@frozen
class Sender:
    """Sends within ``timeout`` from resolving the name to the status. ``allow_private``: to any address but those where
    clouds tell a machine its keys."""

    timeout: timedelta
    allow_private: bool = False

    async def addresses(self, target: WebhookTarget) -> Sequence[str]:
        """The host's addresses. Raises `DeliveryFailed` if it has none, `AddressRefused` if one of them is."""
        try:
            with anyio.fail_after(self.timeout.total_seconds()):
                found = await anyio.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
            raise DeliveryFailed(f"The host name {target.host} cannot be resolved.") from error
        addresses = [str(address[0]) for *_, address in found]
        if any(map(is_metadata, addresses)):
            raise AddressRefused(f"The host {target.host} has an address that is not public: a cloud's metadata.")
        if not self.allow_private and not all(map(is_public, addresses)):
            raise AddressRefused(f"The host {target.host} has an address that is not public.")
        return addresses

    async def post(self, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer. Raises `DeliveryFailed`."""
        try:
            with anyio.fail_after(self.timeout.total_seconds()):
                addresses = await self.addresses(target)
                async with await _connect(target, addresses) as stream:
                    return await _exchange(stream, target, headers, body)
        except TimeoutError as error:
            raise DeliveryFailed(f"There was no answer within {self.timeout.total_seconds():g} s.") from error
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError) as error:
            raise DeliveryFailed("The connection failed.") from error
        except h11.RemoteProtocolError as error:
            raise DeliveryFailed("The answer is not HTTP.") from error


async def _connect(target: WebhookTarget, addresses: Sequence[str]) -> ByteStream:
    """A connection to the first address that takes one. Raises `OSError`."""
    failure: OSError = OSError("no address")
    for address in addresses:
        try:
            if not target.secure:
                return await anyio.connect_tcp(address, target.port)
            context = await anyio.to_thread.run_sync(_tls_context)
            return await anyio.connect_tcp(
                address, target.port, ssl_context=context, tls_hostname=target.host, tls_standard_compatible=False
            )
        except OSError as error:  # ssl.SSLError is one
            failure = error
    raise failure


async def _exchange(stream: ByteStream, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
    own = {"Host": target.authority, "Content-Length": str(len(body)), "Connection": "close"}
    request = h11.Request(method="POST", target=target.request_target, headers=[*{**own, **headers}.items()])
    parts = (request, h11.Data(data=body), h11.EndOfMessage())
    await stream.send(b"".join(connection.send(part) or b"" for part in parts))
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive(_READ_SIZE))
        elif not isinstance(event, h11.InformationalResponse):
            raise DeliveryFailed("The connection was closed without an answer.")


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """The system's authorities. Reads files: not for the event loop."""
    return ssl.create_default_context()
