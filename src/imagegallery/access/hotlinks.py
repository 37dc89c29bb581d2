"""Which pages may show the public files of a gallery: its rule, and the decision about one request. Pure.

A rule keeps browsers from showing our files on pages of others. It is no protection of the files: a client that is no
browser says what it likes.
"""

import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from attrs import frozen

from imagegallery.common.validation import Faults
from imagegallery.errors import HotlinkRefused, NotFound

MAX_ORIGINS: Final = 20
MAX_BYTES: Final = 1000
"""Of all origins of a gallery together, with a blank between them: what an edge's table holds for one key."""
_ORIGIN: Final = re.compile(
    r"(https?)://(\*\.)?((?:[a-z0-9_-]{1,63}\.){0,20}[a-z0-9_-]{1,63}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?"
)
_MAX_ORIGIN: Final = 300
_PORTS: Final = {"http": "80", "https": "443"}
_MAX_PORT: Final = 65535
# A variant's key changes with its bytes.
_FOR_EVER: Final = "max-age=31536000, immutable"
# A link that is followed, or an address that is typed, shows the file by itself: it is on no page.
_BY_ITSELF: Final = "document"


@frozen
class AskingPage:
    """What a browser says of the page that asks for a file: the request's headers ``Origin`` (RFC 6454), ``Referer``
    (RFC 9110 section 10.1.3) and ``Sec-Fetch-Site`` and ``Sec-Fetch-Dest`` (Fetch Metadata). ``None``: it is not there.
    """

    origin: str | None = None
    referer: str | None = None
    fetch_site: str | None = None
    fetch_dest: str | None = None


@frozen
class HotlinkRule:
    """The pages that may show a file: those of some ``origins``, or all (``None``). An origin with ``*.`` before its
    host is every one below that host, on the same scheme and port."""

    origins: frozenset[str] | None = None

    @property
    def cache_control(self) -> str:
        """For how long, and by whom, a file may be kept: by browsers alone unless it is for all pages, since a shared
        cache cannot be asked which page it is for."""
        return f"{'public' if self.origins is None else 'private'}, {_FOR_EVER}"

    def allows(self, page: AskingPage, own: Collection[str]) -> bool:
        """Whether this page may show it. The service's ``own`` origins always may."""
        if self.origins is None or page.fetch_site in ("same-origin", "none") or page.fetch_dest == _BY_ITSELF:
            return True
        told = page.origin or page.referer
        if not told:
            # Old browsers, readers of feeds and applications say nothing. A new browser that tells the kind of site
            # has been told by the page not to say which.
            return page.fetch_site is None
        origin = origin_of(told)
        return origin is not None and (origin in own or self._names(origin))

    def require(self, page: AskingPage, own: Collection[str]) -> None:
        """Raise `HotlinkRefused` unless this page may show it."""
        if not self.allows(page, own):
            raise HotlinkRefused("The owner of this image does not let that page show it.")

    def _names(self, origin: str) -> bool:
        assert self.origins is not None
        scheme, _, host = origin.partition("://")
        labels = host.split(".")
        parents = (f"{scheme}://*.{'.'.join(labels[first:])}" for first in range(1, len(labels)))
        return origin in self.origins or any(each in self.origins for each in parents)

    def under(self, *, hotlinks: bool) -> "HotlinkRule":
        """What holds where administrators let other pages show what has no rule, or not."""
        return self if hotlinks or self.origins is not None else OWN_PAGES

    def to_bytes(self) -> bytes:
        """Encode for a cache; never empty."""
        return b"*" if self.origins is None else f"= {' '.join(sorted(self.origins))}".encode()

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "HotlinkRule":
        """The inverse of `to_bytes`."""
        return _decode(encoded)


ANY_PAGE: Final = HotlinkRule()
OWN_PAGES: Final = HotlinkRule(frozenset())
_PRIVATE: Final = b"-"


class EdgeCheck(StrEnum):
    """What a cache in front asks of all requests by itself: the ``rules`` of galleries, or their ``cookies``."""

    RULES = "rules"
    COOKIES = "cookies"


@frozen
class GalleryFileAccess:
    """Who may fetch the files of a gallery by its own addresses: of one that is open everybody, on the pages of its
    ``rule``; of a private one (no rule) those who have its cookie. An edge, a cache in front, gets what it may
    keep for others, if it has checked the same itself."""

    rule: HotlinkRule | None

    @property
    def is_private(self) -> bool:
        return self.rule is None

    def cache_control(
        self,
        page: AskingPage,
        own: Collection[str],
        *,
        edge: EdgeCheck | None,
        cookie_lasts: timedelta | None,
        ttl: timedelta,
    ) -> str:
        """For how long, and by whom, the file may be kept that this request asks for.

        Args:
            edge: What the edge has checked that sends it.
            cookie_lasts: For how long the request's cookie opens this gallery, if it does.
            ttl: For how long an edge may keep what is private.

        Raises:
            NotFound: For a private gallery without its cookie.
            HotlinkRefused: If that page may not show it.
        """
        if self.rule is None:
            if edge is EdgeCheck.COOKIES:
                return f"public, max-age={int(ttl.total_seconds())}"
            if cookie_lasts is None:
                raise NotFound.of("file")
            return f"private, max-age={max(0, int(cookie_lasts.total_seconds()))}"
        if edge is EdgeCheck.RULES:
            return ANY_PAGE.cache_control
        self.rule.require(page, own)
        return self.rule.cache_control

    def under(self, *, hotlinks: bool) -> "GalleryFileAccess":
        """The same for `HotlinkRule.under`."""
        return GalleryFileAccess(None if self.rule is None else self.rule.under(hotlinks=hotlinks))

    def to_bytes(self) -> bytes:
        """Encode for a cache."""
        return _PRIVATE if self.rule is None else self.rule.to_bytes()

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "GalleryFileAccess":
        """The inverse of `to_bytes`."""
        return cls(None if encoded == _PRIVATE else HotlinkRule.from_bytes(encoded))


@lru_cache(maxsize=1024)
def _decode(encoded: bytes) -> HotlinkRule:
    return ANY_PAGE if encoded == b"*" else HotlinkRule(frozenset(encoded.decode()[1:].split()))


def origin_of(address: str) -> str | None:
    """The origin of a page's address as browsers write it: lower case, without a scheme's usual port. ``None`` for
    whatever has none (``null``, ``about:blank``), and for one with credentials, which browsers leave out.
    """
    scheme, found, rest = address[: 2 * _MAX_ORIGIN].partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    named = _ORIGIN.fullmatch(f"{scheme}://{authority}".lower()) if found else None
    return None if named is None or named[2] else _written(named)


def check_allowed_origins(faults: Faults, path: tuple[str, ...], given: Sequence[str] | None) -> tuple[str, ...] | None:
    """The origins of a rule as browsers write them, each once. ``None`` (everybody) stays."""
    if given is None:
        return None
    if len(given) > MAX_ORIGINS:
        faults.add(path, f"must be at most {MAX_ORIGINS} origins")
        return ()
    found: dict[str, None] = {}
    for index, each in enumerate(given):
        named = _ORIGIN.fullmatch(each.lower()) if len(each) <= _MAX_ORIGIN else None
        if named is None or int(named[4] or 0) > _MAX_PORT:
            faults.add(
                (*path, str(index)),
                "must be the origin of pages, such as https://photos.example or https://*.photos.example "
                "(names of other scripts as xn--…)",
            )
        elif named[2] and ("." not in named[3] or named[3].replace(".", "").isdigit()):
            faults.add((*path, str(index)), "must have a name of two parts after the *, such as *.photos.example")
        else:
            found[_written(named)] = None
    if len(" ".join(found)) > MAX_BYTES:
        faults.add(path, f"must be at most {MAX_BYTES:,} characters together")
    return tuple(found)


def _written(named: re.Match[str]) -> str:
    scheme, wildcard, host, port = named.groups()
    number = str(int(port)) if port else ""
    return f"{scheme}://{wildcard or ''}{host}" + (f":{number}" if number and number != _PORTS[scheme] else "")
