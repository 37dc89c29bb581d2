"""One POST to a checked address.

The name is resolved here, every address must be allowed, and the connection goes to one of them. So a name that changes
between check and use (DNS rebinding) leads nowhere else. Redirects are not followed, and only the status of the
response is read.
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
_MAX_HEAD: Final = 16_384  # bytes of the response's status and headers


class DeliveryFailed(ImageGalleryError):
    """The receiver of a webhook was not reached, or did not respond as it should."""

    code = "delivery_failed"


class AddressRefused(DeliveryFailed):
    """A webhook's host has an address that is not allowed."""

    code = "address_refused"


@frozen
class Sender:
    """Sends within ``timeout``, from resolving the name to the status. ``allow_private`` allows all addresses except
    those
    where clouds give a machine its keys.
    """

    timeout: timedelta
    allow_private: bool = False

    async def addresses(self, target: WebhookTarget) -> Sequence[str]:
        """Return the host's addresses. Raises `DeliveryFailed` if it has none, `AddressRefused` if one is not
        allowed."""
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
        """Send a POST and return the response's status. Raises `DeliveryFailed`."""
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
    """Connect to the first address that accepts. Raises `OSError`."""
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
