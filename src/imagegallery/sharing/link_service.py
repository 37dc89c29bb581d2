"""Links of shares, for all who open one: the one place where a link's token becomes a principal."""

import secrets
from datetime import date, datetime
from typing import Final
from uuid import UUID

from attrs import evolve

from imagegallery.access.options import SharingOptions
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import (
    Forbidden,
    LinkMoved,
    NotFound,
    PasswordRequired,
    ShareEnded,
    VisitRequired,
    WrongPassword,
)
from imagegallery.ids import new_id
from imagegallery.principal import Principal
from imagegallery.rates.limiter import RateLimiter, network_of
from imagegallery.sharing import records
from imagegallery.sharing.input import check_guest_name
from imagegallery.sharing.link import (
    Guest,
    OpenedShare,
    begin_visit,
    is_slug,
    is_visit,
    make_guest,
    read_guest,
    token_hash,
    visitor_hash,
)
from imagegallery.sharing.passwords import Passwords
from imagegallery.sharing.records import FoundLink
from imagegallery.sharing.share import ShareEnd, ShareTarget

_SALT_BYTES: Final = 32
_PRUNED_AT_ONCE: Final = 10_000
_ENDS: Final = {
    ShareEnd.REVOKED: "Its owner has revoked this share.",
    ShareEnd.EXPIRED: "The time of this share is over.",
    ShareEnd.EXHAUSTED: "This link was opened as often as it may be.",
}


class LinkService:
    """Links, for all who have one. No principal is needed: the link is."""

    def __init__(
        self, database: Database, rates: RateLimiter, options: SharingOptions, clock: Clock, passwords: Passwords
    ) -> None:
        self._database = database
        self._rates = rates
        self._options = options
        self._clock = clock
        self._passwords = passwords

    async def open(
        self,
        token: str,
        *,
        visit: str | None = None,
        guest: str | None = None,
        password: str | None = None,
        address: str | None = None,
        visitor: Principal | None = None,
        begins: bool = True,
    ) -> OpenedShare:
        """Open a link: the one way from its token, or name, to a principal.

        Without a ``visit`` that goes on this counts a view and begins one, which the next call takes in place of the
        password.

        Args:
            guest: The token of the guest (`name_guest`). Another share's, or an altered one, is none.
            address: Of who opens it: wrong passwords are counted by it, and of visitors its hash is kept for the day.
            visitor: Who is signed in there, if anybody: a recipient of the share is noted as such. They come as the
                link all the same.
            begins: Whether this opens the share, or asks for something below it: then nothing is counted.

        Raises:
            NotFound: If there is no such link: whatever is wrong with the token, it is the same.
            LinkMoved: If this is an earlier name of it.
            ShareEnded: If it is revoked, has expired, or was opened as often as it may be.
            PasswordRequired: If it has a password and there is no visit.
            WrongPassword: If this is not it.
            RateLimited: For too many passwords from this address.
            VisitRequired: If it opens a limited number of times, and this does not open it.
        """
        name = token if is_slug(token) else None
        async with self._database.reading(Principal.anonymous()) as connection:
            found = await records.find_link(connection, token_hash(token), name)
        if found is None:
            raise NotFound.of("share")
        share, now = found.share, self._clock()
        if not found.is_by_token and share.slug != name:
            raise _moved(share.slug)
        if (end := share.ended(now)) is not None:
            raise _ended(end)
        opened = OpenedShare(
            _visitor(share.id, read_guest(guest, share.id, found.visit_key)), share, key=found.visit_key
        )
        if is_visit(visit, share.id, found.visit_key, now):
            return opened
        if share.is_exhausted:
            raise _ended(ShareEnd.EXHAUSTED)
        if found.password_hash is not None:
            await self._check_password(found.password_hash, share.id, password, address)
        elif not begins and share.max_views is not None:
            raise VisitRequired("Open this link first, and show the visit that this gives.")
        if not begins:
            return opened
        await self._note_view(found, address, visitor, now)
        return evolve(opened, visit=begin_visit(share.id, found.visit_key, now, self._options.visit))

    async def name_guest(self, opened: OpenedShare, name: str, *, address: str | None = None) -> Guest:
        """Let a visitor say who they are: what they add is kept under the name. One who has said so before stays the
        same guest, under another name from now on.

        Args:
            name: 1 to 100 printable characters. Anybody may give any.
            address: Of the visitor: names are counted by it.

        Raises:
            InvalidInput: For another name.
            Forbidden: If the link lets nobody add images.
            RateLimited: For too many names from this address.
        """
        checked, link = check_guest_name(name), opened.principal.link
        if link is None or Permission.ADD_IMAGES not in opened.share.permissions:
            raise Forbidden("By this link nobody can add images.")
        await self._rates.admit_guest(opened.share.id, address)
        return make_guest(opened.share.id, opened.key, link.guest_id or new_id(), checked)

    async def targets(self, opened: OpenedShare) -> tuple[ShareTarget, ...]:
        """What the opened share is of."""
        async with self._database.reading(opened.principal) as connection:
            return await records.targets_of(connection, opened.share.id)

    async def sweep(self) -> None:
        """Forget what is kept for a time: the salts of past days, and old accesses."""
        today = records.day_of(self._clock())
        async with self._database.transaction() as connection:
            await records.drop_salts(connection, today)
        oldest = today - self._options.accesses_kept
        count = _PRUNED_AT_ONCE
        while count == _PRUNED_AT_ONCE:
            async with self._database.transaction() as connection:
                count = await records.prune_accesses(connection, oldest, _PRUNED_AT_ONCE)

    async def _check_password(
        self, password_hash: str, share_id: UUID, password: str | None, address: str | None
    ) -> None:
        if password is None:
            raise PasswordRequired("This link has a password.")
        await self._rates.admit_password(share_id, address)
        if not await self._passwords.verify(password_hash, password):
            raise WrongPassword("This is not the password of the link.")

    async def _note_view(self, found: FoundLink, address: str | None, visitor: Principal | None, now: datetime) -> None:
        """Count it, and by whom it was. Of those who come at the same time for the last view, one gets it."""
        day = records.day_of(now)
        salt = await self._salt(day)
        async with self._database.transaction() as connection:
            if not await records.count_view(connection, found):
                await self._explain(connection, found.share.id)
            is_named = visitor is not None and await records.record_recipient(
                connection, found.share.id, visitor, now=now
            )
            if not is_named:
                who = visitor_hash(salt, network_of(address))
                await records.record_access(connection, found.share.id, day, who, None, now=now)

    async def _explain(self, connection: Connection, share_id: UUID) -> None:
        """Raise what has become of a share since it was found."""
        share = await records.get(connection, share_id)
        if share is None or not share.has_link:
            raise NotFound.of("share")
        if (end := share.ended(self._clock())) is not None:
            raise _ended(end)
        if share.is_exhausted:
            raise _ended(ShareEnd.EXHAUSTED)
        raise PasswordRequired("The password of this link was changed.")

    async def _salt(self, day: date) -> bytes:
        async with self._database.connection() as connection:
            known = await records.salt_of(connection, day)
            if known is not None:
                return known
            await records.drop_salts(connection, day)
            return await records.add_salt(connection, day, secrets.token_bytes(_SALT_BYTES))


def _visitor(share_id: UUID, guest: Guest | None) -> Principal:
    return Principal.by_link(share_id) if guest is None else Principal.by_link(share_id, guest.id, guest.name)


def _moved(slug: str | None) -> LinkMoved | NotFound:
    return NotFound.of("share") if slug is None else LinkMoved("This link has another name now.", slug=slug)


def _ended(end: ShareEnd) -> ShareEnded:
    return ShareEnded(_ENDS[end], reason=end.value)
