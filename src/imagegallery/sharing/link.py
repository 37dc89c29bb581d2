"""Links: their tokens, their public names, and the visits of who has opened one. Pure.

A token has 144 random bits. We keep its SHA-256 alone, which nobody can turn back, so that who reads the database opens
nothing. A *visit* is what who has opened a link shows with each request after that: that they gave the password, and
that they are counted. It is signed with a key of the share's own, which is another one after each new password.
"""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.principal import Principal
from imagegallery.sharing.share import MAX_SLUG, Share

_TOKEN_BYTES: Final = 18
_SLUG = re.compile(r"[a-z0-9]++(?:-[a-z0-9]++)*+")
_VISIT = re.compile(r"([1-9a-f][0-9a-f]{0,11})\.([0-9a-f]{64})")
MAX_VISIT: Final = 100
_GUEST = re.compile(r"([A-Za-z0-9_-]{23,700})\.([0-9a-f]{64})")
MAX_GUEST: Final = 800


def make_token() -> str:
    """A new link's: 24 characters that a URL takes as they are."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """What we keep of a token, and find its share by. Anything that stands for one has a hash: no guess is faster."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def is_slug(text: str) -> bool:
    """Lower-case letters and digits, in words with a hyphen between them."""
    return len(text) <= MAX_SLUG and _SLUG.fullmatch(text) is not None


@frozen
class Visit:
    """What shows until ``expires_at`` that its bearer has opened a link: a secret of theirs."""

    token: str = field(repr=False)
    expires_at: datetime


@frozen
class OpenedShare:
    """An open link: the ``principal`` that came by it, the share, and the ``visit`` that this began, if it did; and the
    share's ``key``, by which guests are known."""

    principal: Principal
    share: Share
    visit: Visit | None = None
    key: bytes = field(default=b"", repr=False, eq=False)


def begin_visit(share_id: UUID, key: bytes, now: datetime, lasts: timedelta) -> Visit:
    """A visit that begins ``now``; ``key`` is the share's."""
    seconds = int((now + lasts).timestamp())
    return Visit(f"{seconds:x}.{_signature(share_id, key, seconds)}", datetime.fromtimestamp(seconds, UTC))


def is_visit(token: str | None, share_id: UUID, key: bytes, now: datetime) -> bool:
    """Whether this shows a visit to the share that goes on."""
    match = _VISIT.fullmatch(token) if token is not None and len(token) <= MAX_VISIT else None
    if match is None:
        return False
    seconds = int(match[1], 16)
    is_ours = hmac.compare_digest(match[2], _signature(share_id, key, seconds))
    return is_ours and now.timestamp() < seconds


def _signature(share_id: UUID, key: bytes, seconds: int) -> str:
    return _signed(key, f"visit {share_id} {seconds}")


def _signed(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@frozen
class Guest:
    """A visitor who gave a ``name``. It is kept with what they add, and otherwise with them alone, as is the ``token``
    that shows who they are: a secret of theirs. It ends as visits do, with the password or the link."""

    id: UUID
    name: str
    token: str = field(repr=False)


def make_guest(share_id: UUID, key: bytes, guest_id: UUID, name: str) -> Guest:
    """``key`` is the share's."""
    said = base64.urlsafe_b64encode(guest_id.bytes + name.encode()).decode().rstrip("=")
    return Guest(guest_id, name, f"{said}.{_signed(key, f'guest {share_id} {said}')}")


def read_guest(token: str | None, share_id: UUID, key: bytes) -> Guest | None:
    """The guest of this share whose token it is, to the letter."""
    match = _GUEST.fullmatch(token) if token is not None and len(token) <= MAX_GUEST else None
    if token is None or match is None:
        return None
    if not hmac.compare_digest(match[2], _signed(key, f"guest {share_id} {match[1]}")):
        return None
    said = base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4))
    return Guest(UUID(bytes=said[:16]), said[16:].decode(), token)


def visitor_hash(salt: bytes, network: str) -> bytes:
    """What is kept of who came from there. The salt is of one day, and deleted after it."""
    return hmac.new(salt, network.encode(), hashlib.sha256).digest()
