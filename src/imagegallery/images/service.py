"""Images. Access is checked here, by principal.

An image is visible to its owner, and to everybody while it is not private itself, or in a gallery that is not. For
others it does not
exist: `NotFound`. Changing a visible image of another owner raises `Forbidden`, and any change without a user
`Unauthenticated`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import anyio
from attrs import frozen

from imagegallery.access import records as access_records
from imagegallery.access.audience import Audience, Visibility, VisibilityLike
from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import audience, is_public, require_owner
from imagegallery.access.disclosure import Disclosure, disclosure
from imagegallery.access.explanation import AccessReport
from imagegallery.access.grant import DownloadAllowed
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, AuditEntry, Warrant
from imagegallery.clock import Clock, Duration, as_timedelta
from imagegallery.common.attribute import AttributeOf
from imagegallery.common.meta import Meta, check_patch
from imagegallery.common.meta import changed as changed_meta
from imagegallery.common.unset import UNSET, Unset
from imagegallery.common.validation import SHA256_BYTES, Faults
from imagegallery.database.connection import Connection
from imagegallery.database.host.choice import HostConnection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, Forbidden, NotFound, Unavailable
from imagegallery.ids import Id, as_id, as_id_or_none, as_ids
from imagegallery.images.admission import Admission
from imagegallery.images.batch.service import BatchService
from imagegallery.images.copies import Copies, removal_for
from imagegallery.images.duplicates.service import DuplicateService
from imagegallery.images.image import membership, records
from imagegallery.images.image.access import check_many, find, find_allowed, find_many
from imagegallery.images.image.closed_urls import ClosedUrls
from imagegallery.images.image.filename import check_filename, download_name
from imagegallery.images.image.image import MAX_ALT_TEXT, Image, OriginalState, ProcessingStatus, Variant
from imagegallery.images.image.meta_checks import META_ATTEMPTS, MetaChange, MetaChecks, busy_meta
from imagegallery.images.image.records import FoundImage
from imagegallery.images.image.told_records import tell_updated
from imagegallery.images.jobs import process_image
from imagegallery.images.library.service import LibraryService
from imagegallery.images.presentation.disclosed import disclosed
from imagegallery.images.presentation.urls import ImageUrls, show
from imagegallery.images.presentation.variant_choice import choose_variant, no_newer
from imagegallery.images.trash.service import TrashOptions, TrashService
from imagegallery.images.words import records as tag_records
from imagegallery.images.words.service import TagService
from imagegallery.images.words.sidecars import Sidecars
from imagegallery.images.words.words import WordChanges, check_words
from imagegallery.pagination import DEFAULT_LIMIT, CursorPage
from imagegallery.policies.registry import Policies
from imagegallery.principal import Principal
from imagegallery.queue.protocol import JobOutbox
from imagegallery.storage.keys import content_type_of
from imagegallery.storage.protocol import ReadMethod

DEFAULT_LADDER: Final = ("thumbnail", "small", "medium", "large")
READY_TIMEOUT: Final = timedelta(seconds=60)
_DONE: Final = (ProcessingStatus.COMPLETE, ProcessingStatus.FAILED)
T = TypeVar("T")


@frozen
class ImageRules:
    """What uploads and galleries ask before they change images: the rules of the application, and of its policies."""

    admission: Admission
    authority: Authority
    meta_checks: MetaChecks


class ImageService:
    """Single images. ``library`` lists them, ``batches`` changes many at once, ``trash`` has deleted ones,
    ``duplicates`` finds
    duplicates, ``tags`` knows which tags there are.

    ``ladder`` names the variant types, from the smallest to the largest.
    """

    library = AttributeOf(LibraryService)
    batches = AttributeOf(BatchService)
    duplicates = AttributeOf(DuplicateService)
    trash = AttributeOf(TrashService)
    tags = AttributeOf(TagService)
    rules = AttributeOf(ImageRules)

    def __init__(
        self,
        database: Database,
        outbox: JobOutbox,
        delivery: ImageUrls,
        clock: Clock,
        *,
        ladder: Sequence[str] = DEFAULT_LADDER,
        trash: TrashOptions | None = None,
        meta_checks: MetaChecks | None = None,
        policies: Policies | None = None,
        authority: Authority | None = None,
        copies: Copies | None = None,
        sidecars: Sidecars | None = None,
    ) -> None:
        self._copies = copies
        self._sidecars = sidecars
        authority = authority or Authority()
        self.library = LibraryService(database, delivery, clock, authority)
        self._closed_urls = closed_urls = ClosedUrls(delivery, clock)
        policies = policies or Policies()
        self.duplicates = DuplicateService(database, delivery, clock, authority)
        self.trash = TrashService(
            database, outbox, delivery, trash or TrashOptions(), clock, closed_urls, policies, authority
        )
        self.tags = TagService(database, clock, authority)
        admission = Admission(policies, closed_urls)
        self.rules = ImageRules(admission, authority, meta_checks or MetaChecks())
        self.batches = BatchService(database, clock, admission, self.trash, authority)
        self._database = database
        self._outbox = outbox
        self._delivery = delivery
        self._clock = clock
        self._ladder = tuple(ladder)

    async def get(self, principal: Principal, image_id: Id, *, connection: HostConnection | None = None) -> Image:
        """Return an image.

        Args:
            connection: The application's own, inside its own transaction, to do this in: see `HostConnection`.

        Raises:
            NotFound: If the principal may not see any of this id.
        """
        image_id = as_id(image_id, "image_id")
        async with self._database.reading(principal, within=connection) as ours:
            found = await find_allowed(
                ours, self.rules.authority, principal, image_id, Permission.VIEW, now=self._clock()
            )
        return self._shown(principal, found)

    async def get_many(
        self, principal: Principal, image_ids: Sequence[Id], *, connection: HostConnection | None = None
    ) -> dict[UUID, Image]:
        """Return those of up to 1,000 images that the principal may see, by id, in this order. One statement
        reads them.

        Args:
            connection: As in `get`.

        Raises:
            InvalidInput: For more ids.
        """
        image_ids = as_ids(image_ids, "image_ids")
        wanted = check_many(image_ids)
        if not wanted:
            return {}
        async with self._database.reading(principal, within=connection) as ours:
            found = await find_many(ours, self.rules.authority, principal, wanted, now=self._clock())
        return await self._delivery.of_many(lambda: {each.image.id: self._shown(principal, each) for each in found})

    async def access(self, principal: Principal, image_id: Id) -> AccessReport:
        """Tell the image's owner who may do what with it, and by which share; one in the trash is nobody else's.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        now = self._clock()
        async with self._database.reading(principal) as connection:
            found = await find_allowed(
                connection, self.rules.authority, principal, image_id, Permission.DELETE, now=now
            )
            require_owner(principal, found, "image")
            return await access_records.explain_image(connection, image_id, found.facts, now=now)

    async def update(
        self,
        principal: Principal,
        image_id: Id,
        *,
        alt_text: str | Unset = UNSET,
        filename: str | Unset = UNSET,
        is_favorite: bool | Unset = UNSET,
        is_archived: bool | Unset = UNSET,
        meta: Meta | Unset | None = UNSET,
        visibility: VisibilityLike | Unset = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        title: str | Unset = UNSET,
        description: str | Unset = UNSET,
        rating: int | Unset | None = UNSET,
        check: Callable[[Image], None] | None = None,
    ) -> Image:
        """Change the given fields.

        Args:
            alt_text: At most 500 characters.
            filename: See `imagegallery.images.image.filename`.
            meta: What changes of it, as a JSON Merge Patch (RFC 7396): ``None`` for a key removes it, and in place of
                all, everything.
            visibility: The image's own: ``private`` leaves it to its galleries; ``unlisted`` and ``public``, which mean
                the same, since nothing lists everybody's images, open it to all who have its id or a URL.
            tags: All that it has from now on: up to 100 of 1 to 100 characters. Capitals make no other tag.
            title: At most 200 characters, in one line.
            description: At most 5,000 characters.
            rating: 0 to 5 stars, or ``None``.
            check: Called with the current, locked image; an error it raises cancels the change.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
            InvalidInput: With all faults.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        faults = Faults()
        words = check_words(faults, tags, title, description, rating)
        alt_text, filename, patch, new_visibility = _check_fields(faults, alt_text, filename, meta, visibility)
        owners = {"is_favorite": is_favorite, "is_archived": is_archived, "meta": meta, "visibility": visibility}
        is_for_owner = words.is_for_owner or bool(_names_of(owners))
        changed = (*_names_of({"alt_text": alt_text, "filename": filename, **owners}), *words.said)
        now = self._clock()
        closing = [image_id] if new_visibility is Visibility.PRIVATE else []
        for _ in range(META_ATTEMPTS):
            meta_change = await self._change_meta(principal, image_id, patch)
            async with self._database.transaction() as connection:
                found = await self._find_to_edit(connection, principal, image_id, is_for_owner=is_for_owner)
                if not isinstance(words.tags, Unset):
                    await membership.lock_image(connection, image_id)
                await self._check(connection, principal, image_id, check)
                if meta_change is not None and await membership.lock_image(connection, image_id) != meta_change.before:
                    continue
                if not isinstance(filename, Unset):
                    await membership.rekey(connection, image_id, now=now, filename=filename)
                await self._record_visibility(connection, principal, image_id, new_visibility)
                async with self._closed_urls.watched(connection, found.facts.owner_id, closing):
                    await records.update(
                        connection,
                        image_id,
                        alt_text=_given(alt_text),
                        filename=_given(filename),
                        is_favorite=_given(is_favorite),
                        is_archived=_given(is_archived),
                        meta=None if meta_change is None else meta_change.after,
                        visibility=_given(new_visibility),
                        words=words,
                        now=now,
                    )
                if not isinstance(words.tags, Unset):
                    await tag_records.replace(connection, found.facts.owner_id, image_id, words.tags, now=now)
                await tell_updated(connection, found.facts.owner_id, [image_id], changed, now=now)
                return self._shown(
                    principal, await find(connection, principal, image_id, Permission.VIEW, now=self._clock())
                )
        raise busy_meta()

    async def read_sidecar(self, principal: Principal, image_id: Id, sidecar: bytes) -> Image:
        """Say of an image what an XMP sidecar says of it: tags, title, description, rating and people. What it does not
        say stays as it is.

        Args:
            sidecar: Up to a mebibyte, as Lightroom, darktable, digiKam and ExifTool write it.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
            TooLarge: For a larger one.
            InvalidInput: If it says nothing of that.
            Overloaded: If the decoder has too much to do.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        async with self._database.reading(principal) as connection:
            found = await self._find_to_edit(connection, principal, image_id, is_for_owner=True)
        if self._sidecars is None:
            raise Unavailable("There is no decoder here that could read it.")
        words = (await self._sidecars.read(sidecar, found.facts.owner_id)).as_said()
        now = self._clock()
        async with self._database.transaction() as connection:
            found = await self._find_to_edit(connection, principal, image_id, is_for_owner=True)
            await membership.lock_image(connection, image_id)
            await self._say(connection, found.facts.owner_id, image_id, words, now)
            await tell_updated(connection, found.facts.owner_id, [image_id], words.said, now=now)
            return self._shown(
                principal, await find(connection, principal, image_id, Permission.VIEW, now=self._clock())
            )

    async def unattached(
        self,
        principal: Principal,
        *,
        older_than: Duration = 0,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[Image]:
        """List the principal's images that are in no gallery, and that no row of the application has attached or
        claimed (`UploadService.claim`), the oldest first.

        A page examines 500 images: if few of them are unattached, it may be short or empty and still have a next
        cursor.

        Args:
            older_than: Leaves out those that were uploaded later: they may be about to be claimed.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        return await self.library.unattached(
            principal, self._clock() - as_timedelta(older_than), cursor=cursor, limit=limit
        )

    async def delete(
        self,
        principal: Principal,
        image_id: Id,
        *,
        permanent: bool = False,
        connection: HostConnection | None = None,
    ) -> None:
        """Move the image to the trash: see `TrashService.put`; or delete it permanently: see `TrashService.delete`."""
        delete = self.trash.delete if permanent else self.trash.put
        await delete(principal, image_id, connection=connection)

    async def retry(self, principal: Principal, image_id: Id, *, check: Callable[[Image], None] | None = None) -> Image:
        """Process a failed image once more.

        Args:
            check: As in `update`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
            Conflict: If it has not failed, or its file was refused.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        now = self._clock()
        async with self._database.transaction() as connection:
            image = (await self._find_to_edit(connection, principal, image_id)).image
            await self._check(connection, principal, image_id, check)
            if image.original_state is OriginalState.REFUSED:
                raise Conflict("The file was no good and is gone: upload it again.")
            if not await records.revive(connection, image_id, now=now):
                raise Conflict("Only an image whose processing failed can be tried again.")
            await self._outbox.enqueue(connection, process_image(image), now=now)
            return self._shown(
                principal, await find(connection, principal, image_id, Permission.VIEW, now=self._clock())
            )

    async def wait_until_ready(self, principal: Principal, image_id: Id, *, timeout: Duration = READY_TIMEOUT) -> Image:
        """Return the image once its processing has ended: ``complete``, or ``failed`` with the reason.

        Raises:
            NotFound: If the principal may not see it, or it is deleted meanwhile.
            TimeoutError: After ``timeout``, a `timedelta` or seconds.
        """
        image_id, limit = as_id(image_id, "image_id"), as_timedelta(timeout)
        image = await self.get(principal, image_id)
        if image.status in _DONE:
            return image
        with anyio.fail_after(limit.total_seconds()):
            async with self._database.listen(records.CHANNEL, payload=str(image_id)) as notifications:
                while (image := await self.get(principal, image_id)).status not in _DONE:
                    await notifications.wait(limit)
        return image

    async def find_by_content(self, principal: Principal, sha256: bytes, gallery_id: Id | None = None) -> UUID | None:
        """Return the principal's oldest image of exactly these bytes, in that gallery if given, but not in the trash.

        Raises:
            Unauthenticated: Without a user.
            ValueError: Unless ``sha256`` has 32 bytes.
        """
        gallery_id = as_id_or_none(gallery_id, "gallery_id")
        owner_id = principal.require_user()
        if len(sha256) != SHA256_BYTES:
            raise ValueError("A SHA-256 digest has 32 bytes.")
        await self.rules.authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.connection() as connection:
            return await records.find_by_content(connection, owner_id, sha256, gallery_id)

    async def view(
        self,
        principal: Principal,
        image_id: Id,
        *,
        variant: str | None = None,
        accepts: Sequence[str] = (),
        image_format: str | None = None,
        method: ReadMethod = "GET",
    ) -> Variant:
        """Return the best variant for a request, with its URL: see `choose_variant`.

        Args:
            accepts: The formats that the client shows (``avif``, ``webp``, …), preferred first. Empty if unknown.
            image_format: The wanted format. If it was left out because it is no smaller, a more widely shown one is
                returned.
            method: The method of the request to the URL.

        Raises:
            InvalidInput: For an unknown type of variant.
            NotFound: If the principal may not see it, or no variant is ready.
        """
        image_id = as_id(image_id, "image_id")
        self._check_variant_type(variant)
        async with self._database.reading(principal) as connection:
            found = await find_allowed(
                connection, self.rules.authority, principal, image_id, Permission.VIEW, now=self._clock()
            )
        there = found.image.variants
        if not there:
            raise NotFound("This image has no variant yet.")
        if image_format is not None:
            there, accepts = no_newer(there, image_format), [image_format]
        chosen = choose_variant(there, variant, accepts, self._ladder)
        if chosen is None:
            raise NotFound("This image has no variant in that format.")
        expires_at = None if is_public(found.facts) else self._delivery.expires_at_for(principal, found.facts)
        return chosen.at(self._delivery.variant_url(chosen, expires_at, method=method))

    async def download_url(self, principal: Principal, image_id: Id, *, method: ReadMethod = "GET") -> str:
        """Return a short-lived URL of the original, for this ``method``; of a copy of it without the metadata that a
        share hides (`imagegallery.images.copies`); or of the largest variant, if a share allows no more. They are
        attachments.

        Raises:
            Unauthenticated: For somebody unknown.
            NotFound: If the principal may not see any of this id.
            Forbidden: If they may have no file of it.
            Overloaded: If too many wait for copies.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        async with self._database.reading(principal) as connection:
            found = await find(connection, principal, image_id, Permission.VIEW, now=self._clock())
        shown = disclosure(principal, found.facts)
        is_of_variant = shown.audience is Audience.SHARED and shown.download is DownloadAllowed.VARIANT
        needed = Permission.VIEW if is_of_variant else Permission.DOWNLOAD
        await self.rules.authority.require(needed, principal, found, "image", image_id)
        image = disclosed(found.image, shown)
        key, content_type = self._largest(image) if is_of_variant else await self._original(image, shown)
        if method == "GET" and not is_of_variant:
            await self._record_download(principal, found)
        return self._delivery.download_url(
            key,
            self._delivery.expires_at_for(principal, found.facts),
            content_type=content_type,
            download_as=download_name(image.filename, content_type),
            method=method,
        )

    def _largest(self, image: Image) -> tuple[str, str]:
        """Key and media type of the largest variant, in the format that most programs open. Raises `NotFound`."""
        chosen = choose_variant(image.variants, None, ("jpeg", "png", "webp"), self._ladder)
        if chosen is None:
            raise NotFound("This image has no variant yet.")
        return chosen.key, content_type_of(chosen.key)

    async def _original(self, image: Image, shown: Disclosure) -> tuple[str, str]:
        """Key and media type of the original, or of a copy that tells no more than may be known."""
        if image.original_state is OriginalState.REFUSED:
            raise NotFound("The file was no good and is gone.")
        removal = removal_for(shown)
        if removal is None:
            return image.original_key, image.mime_type
        if self._copies is None:
            raise Forbidden("The original tells more than you may know of the image.")
        return await self._copies.key_of(image, removal), image.mime_type

    async def _record_visibility(
        self, connection: Connection, principal: Principal, image_id: UUID, new: Visibility | Unset
    ) -> None:
        """Keep that the image is about to become more open, or less."""
        if isinstance(new, Unset):
            return
        await membership.lock_image(connection, image_id)
        found = await find(connection, principal, image_id, Permission.EDIT, now=self._clock())
        old = found.image.visibility
        if new is not old:
            by = Warrant.of(principal, found.facts, Permission.EDIT)
            change = {"from": old.value, "to": new.value}
            owner_id = found.facts.owner_id
            act = AuditEntry.under(by, Act.IMAGE_VISIBILITY_CHANGED, owner_id, image_id=image_id, details=change)
            await audit.record(connection, act, now=self._clock())

    async def _record_download(self, principal: Principal, found: FoundImage) -> None:
        """Keep that somebody else than the owner gets the original."""
        if audience(principal, found.facts) is Audience.OWNER:
            return
        by = Warrant.of(principal, found.facts, Permission.DOWNLOAD)
        act = AuditEntry.under(
            by, Act.ORIGINAL_DOWNLOADED, found.facts.owner_id, image_id=found.image.id, once_an_hour=True
        )
        async with self._database.transaction() as connection:
            await audit.record(connection, act, now=self._clock())

    async def _say(
        self, connection: Connection, owner_id: str, image_id: UUID, words: WordChanges, now: datetime
    ) -> None:
        await records.update(
            connection,
            image_id,
            alt_text=None,
            filename=None,
            is_favorite=None,
            is_archived=None,
            meta=None,
            visibility=None,
            words=words,
            now=now,
        )
        if not isinstance(words.tags, Unset):
            await tag_records.replace(connection, owner_id, image_id, words.tags, now=now)

    async def _change_meta(self, principal: Principal, image_id: UUID, patch: Meta | Unset | None) -> MetaChange | None:
        """The change that the application agrees to, if one is wanted."""
        if isinstance(patch, Unset):
            return None
        async with self._database.connection() as connection:
            found = await self._find_to_edit(connection, principal, image_id, is_for_owner=True)
            before = found.image.meta
        change = MetaChange(before, changed_meta(before, patch))
        await self.rules.meta_checks.check("image", change.after)
        return change

    async def _find_to_edit(
        self, connection: Connection, principal: Principal, image_id: UUID, *, is_for_owner: bool = False
    ) -> FoundImage:
        """Raises as `find_allowed`, and `Forbidden` for what only the owner may change."""
        found = await find_allowed(
            connection, self.rules.authority, principal, image_id, Permission.EDIT, now=self._clock()
        )
        if is_for_owner:
            require_owner(principal, found, "image")
        return found

    async def _check(
        self, connection: Connection, principal: Principal, image_id: UUID, check: Callable[[Image], None] | None
    ) -> None:
        if check is not None:
            await membership.lock_image(connection, image_id)
            check(
                self._shown(principal, await find(connection, principal, image_id, Permission.EDIT, now=self._clock()))
            )

    def _shown(self, principal: Principal, found: FoundImage) -> Image:
        return show(found.image, principal, self._delivery, found.facts)

    def _check_variant_type(self, variant: str | None) -> None:
        faults = Faults()
        if variant is not None and variant not in self._ladder:
            faults.add(("query", "variant"), f"must be one of {', '.join(self._ladder)}")
        faults.check()


def _check_fields(
    faults: Faults,
    alt_text: str | Unset,
    filename: str | Unset,
    meta: Meta | Unset | None,
    visibility: str | Unset,
) -> tuple[str | Unset, str | Unset, Meta | Unset | None, Visibility | Unset]:
    """Raises `InvalidInput`, with the faults from before."""
    if not isinstance(alt_text, Unset):
        alt_text = faults.prose(("body", "alt_text"), alt_text, MAX_ALT_TEXT)
    if not isinstance(filename, Unset):
        filename = check_filename(faults, ("body", "filename"), filename)
    if meta is not None and not isinstance(meta, Unset):
        meta = check_patch(faults, ("body", "meta"), meta)
    if not isinstance(visibility, Unset):
        visibility = faults.choice(("body", "visibility"), visibility, Visibility)
    faults.check()
    return alt_text, filename, meta, visibility


def _names_of(given: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(name for name, value in given.items() if not isinstance(value, Unset))


def _given(value: T | Unset) -> T | None:
    return None if isinstance(value, Unset) else value
