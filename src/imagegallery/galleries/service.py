"""Galleries. Access is checked here, by principal.

A private gallery exists for its owner only: `NotFound`. Changing a visible gallery of another owner raises `Forbidden`,
and any change without a user `Unauthenticated`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from attrs import evolve

from imagegallery.access import records as access_records
from imagegallery.access.audience import Visibility, VisibilityLike
from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import Facts, is_public, may_view, require, require_owner
from imagegallery.access.disclosure import EVERYBODYS, OWNERS, disclosure
from imagegallery.access.explanation import AccessReport
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, AuditEntry, Warrant
from imagegallery.clock import Clock
from imagegallery.common.idempotency import KeyedRequest
from imagegallery.common.meta import NO_META, Meta
from imagegallery.common.meta import changed as changed_meta
from imagegallery.common.unset import UNSET, Unset
from imagegallery.common.validation import MAX_BATCH, Faults
from imagegallery.database.connection import Connection
from imagegallery.database.host.choice import HostConnection
from imagegallery.database.pool import Database
from imagegallery.delivery.protocol import FolderCookies
from imagegallery.errors import Conflict, Forbidden, NotFound
from imagegallery.events import records as events
from imagegallery.galleries import listing_records, order_records, records
from imagegallery.galleries import walk as walking
from imagegallery.galleries.filter import EVERY_GALLERY, GalleryFilter
from imagegallery.galleries.gallery import (
    MAX_PER_OWNER,
    Gallery,
    GalleryCookies,
    GalleryView,
    GalleryViewLike,
    ImageOrder,
    ImageOrderLike,
)
from imagegallery.galleries.input import (
    Selection,
    check_anchor,
    check_changes,
    check_draft,
    check_gallery_filter,
    check_name,
    check_selection,
    check_view,
)
from imagegallery.galleries.listing_records import GalleryEntry, GalleryPage
from imagegallery.ids import Id, as_id, as_id_or_none, as_ids, new_id
from imagegallery.images.admission import Admission, check_addable
from imagegallery.images.events import GalleryChanged
from imagegallery.images.image import membership
from imagegallery.images.image.access import check_many
from imagegallery.images.image.closed_urls import ClosedUrls
from imagegallery.images.image.image import Image
from imagegallery.images.image.membership import HeldGallery
from imagegallery.images.image.meta_checks import META_ATTEMPTS, MetaChange, MetaChecks, busy_meta
from imagegallery.images.library.filter import NO_FILTER, ImageFilter
from imagegallery.images.presentation.disclosed import hidden_conditions
from imagegallery.images.presentation.urls import ImageUrls, gallery_folder, show
from imagegallery.images.trash import records as trash_records
from imagegallery.images.trash.service import put_away
from imagegallery.pagination import (
    DEFAULT_LIMIT,
    CursorPage,
    NumberedPage,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.policies.registry import Policies
from imagegallery.principal import Principal

GALLERIES = UUID("b7a1b6b0-9a38-4c39-8f4e-2f5f1d2f6a55")  # the kind of request, for `imagegallery.common.idempotency`


class GalleryService:
    def __init__(
        self,
        database: Database,
        delivery: ImageUrls,
        clock: Clock,
        meta_checks: MetaChecks | None = None,
        policies: Policies | None = None,
        authority: Authority | None = None,
        governing: PolicyInForce | None = None,
        folder_cookies: FolderCookies | None = None,
    ) -> None:
        self._governing = governing
        self._folder_cookies = folder_cookies
        self._authority = authority or Authority()
        self._database = database
        self._meta_checks = meta_checks or MetaChecks()
        self._delivery = delivery
        self._clock = clock
        self._closed_urls = ClosedUrls(delivery, clock)
        self._policies = policies or Policies()
        self._admission = Admission(self._policies, self._closed_urls)

    async def create(
        self,
        principal: Principal,
        *,
        name: str,
        description: str = "",
        visibility: VisibilityLike | None = None,
        meta: Meta = NO_META,
        policy: str | None = None,
        allowed_origins: Sequence[str] | None = None,
        idempotency_key: str | None = None,
        connection: HostConnection | None = None,
    ) -> Gallery:
        """Create a gallery. A repetition with the same ``idempotency_key`` returns the existing one as it is now.

        Args:
            name: 1 to 255 characters.
            description: At most 10,000 characters.
            visibility: ``None`` for what administrators chose for new galleries, as a rule private.
            meta: What the application keeps with it: a JSON object (`imagegallery.common.meta`).
            connection: The application's own, inside its own transaction, to do this in: see `HostConnection`.
            policy: The name of the policy that images are uploaded under into it.
            allowed_origins: Up to 20 origins of pages that may show its public files: ``https://photos.example``, or
                ``https://*.photos.example`` for all below it. ``None`` for all, empty for none but the service's own.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: With all faults.
            IdempotencyKeyReused: If the key came with another request.
            Conflict: If the owner has 10,000 galleries already.
        """
        owner_id = principal.require_user()
        chosen = await self._default_visibility() if visibility is None else visibility
        draft = check_draft(name, description, chosen, meta, policy, allowed_origins)
        self._policies.check_known(policy)
        asked = (draft.name, draft.description, visibility, *([draft.meta] if draft.meta else ()))
        asked += () if policy is None else (policy,)
        asked += () if draft.allowed_origins is None else ("origins", *draft.allowed_origins)
        keyed = KeyedRequest.of(GALLERIES, owner_id, idempotency_key, *asked)
        gallery_id, digest = (keyed.id, keyed.digest) if keyed else (new_id(), None)
        await self._authority.confirm(Permission.EDIT, principal, AccessSubject("galleries", owner_id))
        await self._meta_checks.check("gallery", draft.meta)
        async with self._database.transaction(within=connection) as ours:
            if await records.insert(ours, gallery_id, owner_id, draft, now=self._clock(), request_digest=digest):
                if await records.count(ours, owner_id, MAX_PER_OWNER + 1) > MAX_PER_OWNER:
                    raise Conflict(f"There can be {MAX_PER_OWNER:,} galleries for each owner.")
                created = GalleryChanged(owner_id, gallery_id, "created", draft.meta)
                await events.record(ours, created, now=self._clock())
            elif keyed is not None:
                keyed.check_repeats(await records.request_digest_of(ours, gallery_id))
            return await self._read(ours, principal, gallery_id)

    async def _default_visibility(self) -> Visibility:
        return Visibility.PRIVATE if self._governing is None else (await self._governing.get()).default_visibility

    async def get(self, principal: Principal, gallery_id: Id, *, connection: HostConnection | None = None) -> Gallery:
        """Return a gallery.

        Args:
            connection: As in `create`.

        Raises:
            NotFound: If the principal may not see any of this id.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        async with self._database.reading(principal, within=connection) as ours:
            gallery = await self._with_grants(ours, principal, gallery_id, await records.get(ours, gallery_id))
            seen = await self._authority.require(Permission.VIEW, principal, gallery, "gallery", gallery_id)
            return self._shown(principal, seen)

    async def get_many(
        self, principal: Principal, gallery_ids: Sequence[Id], *, connection: HostConnection | None = None
    ) -> dict[UUID, Gallery]:
        """Return those of up to 1,000 galleries that the principal may see, by id, in this order. One statement
        reads them, with their covers.

        Args:
            connection: As in `create`.

        Raises:
            InvalidInput: For more ids.
        """
        gallery_ids = as_ids(gallery_ids, "gallery_ids")
        wanted = check_many(gallery_ids)
        if not wanted:
            return {}
        async with self._database.reading(principal, within=connection) as ours:
            found = {each.id: each for each in await records.get_many(ours, wanted)}
            facts = {each: found[each].facts if each in found else None for each in wanted}
            granted = await access_records.on_galleries(ours, principal, facts, now=self._clock())
        found = {each.id: evolve(each, grants=granted[each.id].grants) for each in found.values()}
        seen = [found[each] for each in wanted if each in found and may_view(principal, found[each].facts)]
        subjects = [AccessSubject.of("gallery", each.id, each.facts) for each in seen]
        allowed = await self._authority.allowed(Permission.VIEW, principal, subjects)
        seen = [each for each in seen if each.id in allowed]
        return await self._delivery.of_many(lambda: {each.id: self._shown(principal, each) for each in seen})

    async def access(self, principal: Principal, gallery_id: Id) -> AccessReport:
        """Tell the gallery's owner who may do what with it, and by which share.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        principal.require_known()
        async with self._database.reading(principal) as connection:
            facts = await self._require(Permission.DELETE, connection, principal, gallery_id)
            require_owner(principal, facts, "gallery")
            return await access_records.explain_gallery(connection, gallery_id, facts, now=self._clock())

    async def find_by_name(self, principal: Principal, name: str) -> Gallery | None:
        """Return the oldest of the principal's galleries with this name, if any.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid name.
        """
        owner_id, name = principal.require_user(), check_name(name)
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("galleries", owner_id))
        async with self._database.connection() as connection:
            found = await records.find_by_name(connection, owner_id, name)
        return None if found is None else self._shown(principal, found)

    async def list(
        self,
        principal: Principal,
        *,
        view: GalleryViewLike | None = None,
        where: GalleryFilter = EVERY_GALLERY,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[Gallery]:
        """List galleries, newest first. With a filter a page may be short or empty and still have a next cursor.

        Args:
            view: ``own`` (the default for users), ``public`` (the default for visitors), or ``shared``: those of others
                that shares let the principal see.
            where: Among public galleries, only by keys of ``meta`` that are public, too; among shared ones, only by
                ids. By an image that they contain, only one's own.
            limit: 1 to 100.

        Raises:
            InvalidInput: For an invalid view or limit.
            InvalidCursor: For an invalid cursor.
            Unauthenticated: If a visitor asks for own galleries, or those that are shared with them.
        """
        chosen = check_view(principal, view)
        check_limit(limit)
        if chosen is GalleryView.SHARED:
            return await self._list_shared(principal, where, cursor, limit)
        shown = OWNERS if chosen is GalleryView.OWN else EVERYBODYS
        hidden = self._delivery.meta.hidden(where.meta or (), shown)
        check_gallery_filter(where, hidden, is_own=chosen is GalleryView.OWN)
        of_whom = f"galleries:own:{principal.require_user()}" if chosen is GalleryView.OWN else "galleries:public"
        scope = of_whom if where.is_empty else f"{of_whom}:{where.scope}"
        after = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        whose = principal.user_id if chosen is GalleryView.OWN else None
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("galleries", whose))
        async with self._database.reading(principal) as connection:
            if chosen is GalleryView.OWN:
                read = await records.list_owned(connection, principal.require_user(), where, after, limit + 1)
            else:
                indexed = self._delivery.meta.indexed
                read = await records.list_public(connection, where, after, limit + 1, indexed=indexed)
        page = cut_page(
            read.found, limit, lambda last: encode_cursor(scope, (last.created_at, last.id)), goes_on=read.goes_on
        )
        return await self._delivery.of_many(lambda: page.map(lambda gallery: self._shown(principal, gallery)))

    async def cookies(self, principal: Principal, gallery_id: Id) -> GalleryCookies:
        """Return the cookies that open all variants of the gallery's images, by the addresses below their ``url``: one
        signature, where a page of a private gallery has hundreds otherwise. They end as signed URLs do, and not
        before.

        Raises:
            NotFound: If the principal may not see any of this id.
            LookupError: If this gallery was not opened as a whole.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        if self._folder_cookies is None:
            raise LookupError("Only an open gallery has cookies.")
        async with self._database.reading(principal) as connection:
            facts = await self._require(Permission.VIEW, connection, principal, gallery_id)
        folder, expires_at = gallery_folder(gallery_id), self._delivery.expires_at_for(principal, facts)
        signed = self._folder_cookies.cookies_of(folder, expires_at)
        return GalleryCookies(f"{self._folder_cookies.base}{folder}", signed, expires_at)

    async def update(
        self,
        principal: Principal,
        gallery_id: Id,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        visibility: VisibilityLike | Unset = UNSET,
        cover_image_id: Id | Unset | None = UNSET,
        meta: Meta | Unset | None = UNSET,
        policy: str | Unset | None = UNSET,
        allowed_origins: Sequence[str] | Unset | None = UNSET,
        check: Callable[[Gallery], None] | None = None,
        connection: HostConnection | None = None,
    ) -> Gallery:
        """Change the given fields. The cover must be in the gallery; ``None`` selects the first image again.
        Another policy is for images that come from now on.

        Args:
            meta: What changes of it, as a JSON Merge Patch (RFC 7396): ``None`` for a key removes it, and in place of
                all, everything.
            allowed_origins: As in `create`.
            check: Called with the current, locked gallery; an error it raises cancels the change.
            connection: As in `create`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
            InvalidInput: With all faults.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        if not isinstance(cover_image_id, Unset):
            cover_image_id = as_id_or_none(cover_image_id, "cover_image_id")
        principal.require_known()
        is_for_owner = any(not isinstance(each, Unset) for each in (visibility, meta, policy, allowed_origins))
        changes = check_changes(name, description, visibility, cover_image_id, meta, policy, allowed_origins)
        self._policies.check_known(changes.policy)
        for _ in range(META_ATTEMPTS):
            meta_change = await self._change_meta(principal, gallery_id, changes.meta, connection)
            async with self._database.transaction(within=connection) as ours:
                facts = await self._require(Permission.EDIT, ours, principal, gallery_id)
                if is_for_owner:
                    require_owner(principal, facts, "gallery")
                if changes.cover_image_id is not None:
                    await _hold_cover(ours, gallery_id, changes.cover_image_id)
                await self._check(ours, principal, gallery_id, check)
                held = await membership.lock_gallery(ours, gallery_id)
                if meta_change is not None and held.meta != meta_change.before:
                    continue
                if changes.visibility is Visibility.PRIVATE or changes.allowed_origins is not None:
                    await self._close_urls(ours, gallery_id)
                new_meta = held.meta if meta_change is None else meta_change.after
                await records.update(ours, gallery_id, changes, new_meta, now=self._clock())
                await events.record(ours, evolve(held, meta=new_meta).changed("updated"), now=self._clock())
                if changes.visibility not in (None, held.visibility):
                    by = Warrant.of(principal, facts, Permission.EDIT)
                    await self._record_visibility(ours, by, held, changes.visibility)
                return await self._read(ours, principal, gallery_id)
        raise busy_meta()

    async def delete(
        self,
        principal: Principal,
        gallery_id: Id,
        *,
        with_images: bool = False,
        check: Callable[[Gallery], None] | None = None,
        connection: HostConnection | None = None,
    ) -> None:
        """Delete the gallery. Its images stay in the library.

        Args:
            with_images: Those that are in no other gallery go to the trash instead: 1,000 in each transaction, so that
                a large gallery that is refused in the end (`StillReferenced`) may have lost some.
            check: As in `update`.
            connection: As in `create`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
            StillReferenced: If records of the application refer to it.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        principal.require_known()
        while True:
            async with self._database.transaction(within=connection) as ours:
                facts = await self._require(Permission.DELETE, ours, principal, gallery_id)
                by, owner_id = Warrant.of(principal, facts, Permission.DELETE), facts.owner_id
                alone = await membership.only_there(ours, gallery_id, MAX_BATCH) if with_images else []
                if alone:
                    await self._confirm_all(principal, owner_id, alone)
                    await trash_records.lock(ours, owner_id, alone)
                await self._check(ours, principal, gallery_id, check)
                held = await membership.lock_gallery(ours, gallery_id)
                if alone:
                    still_alone = await membership.only_there(ours, gallery_id, MAX_BATCH, alone)
                    await put_away(ours, self._closed_urls, owner_id, still_alone, by=by, now=self._clock())
                if len(alone) == MAX_BATCH:
                    check = None  # what follows is of the same call
                    continue
                await self._close_urls(ours, gallery_id)
                await records.delete(ours, gallery_id)
                await events.record(ours, held.changed("deleted"), now=self._clock())
                act = AuditEntry.under(by, Act.GALLERY_DELETED, held.owner_id, gallery_id=gallery_id)
                await audit.record(ours, act, now=self._clock())
                return

    async def add_images(
        self,
        principal: Principal,
        gallery_id: Id,
        image_ids: Sequence[Id],
        *,
        check: Callable[[Gallery], None] | None = None,
        connection: HostConnection | None = None,
    ) -> Gallery:
        """Append up to 1,000 own images in this order, all or none. Those already in it stay where they are.

        Who may add images to another's gallery uploads them: it holds its owner's only.

        Args:
            check: As in `update`.
            connection: As in `create`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
            InvalidInput: With each id that is repeated, is not one of the owner's images, or does not keep the
                gallery's policy.
            GalleryFull: If the policy allows no more images.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        image_ids = as_ids(image_ids, "image_ids")
        principal.require_known()
        membership.check_ids(image_ids)
        async with self._database.transaction(within=connection) as ours:
            gallery = await self._require(Permission.ADD_IMAGES, ours, principal, gallery_id)
            check_addable(principal, gallery, image_ids)
            owner_id = gallery.owner_id
            if check is not None:
                await self._admission.prepare(ours, owner_id, gallery_id, image_ids)
                await membership.hold_images(ours, image_ids)  # before the gallery: the order of `membership`
                await self._check(ours, principal, gallery_id, check)
            await self._admission.add(ours, owner_id, gallery_id, image_ids, now=self._clock())
            return await self._read(ours, principal, gallery_id)

    async def remove_image(
        self,
        principal: Principal,
        gallery_id: Id,
        image_id: Id,
        *,
        check: Callable[[Gallery], None] | None = None,
    ) -> None:
        """Remove an image from the gallery. It stays in the library.

        Args:
            check: As in `update`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see the gallery, or the image is not in it.
            Forbidden: If it is another owner's.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        async with self._database.transaction() as connection:
            owner_id = (await self._require(Permission.EDIT, connection, principal, gallery_id)).owner_id
            await self._check(connection, principal, gallery_id, check)
            async with self._closed_urls.watched(connection, owner_id, [image_id]):
                if not await membership.remove(connection, gallery_id, image_id, now=self._clock()):
                    raise NotFound("This image is not in the gallery.")

    async def remove_images(
        self,
        principal: Principal,
        gallery_id: Id,
        image_ids: Sequence[Id],
        *,
        check: Callable[[Gallery], None] | None = None,
    ) -> Gallery:
        """Remove up to 1,000 images from the gallery, all or none. They stay in the library.

        Args:
            check: As in `update`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
            InvalidInput: With each id that is repeated or not in the gallery.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        image_ids = as_ids(image_ids, "image_ids")
        principal.require_known()
        async with self._database.transaction() as connection:
            owner_id = (await self._require(Permission.EDIT, connection, principal, gallery_id)).owner_id
            await self._check(connection, principal, gallery_id, check)
            async with self._closed_urls.watched(connection, owner_id, image_ids):
                await membership.remove_batch(connection, gallery_id, image_ids, now=self._clock())
            return await self._read(connection, principal, gallery_id)

    async def move(
        self,
        principal: Principal,
        gallery_id: Id,
        image_ids: Sequence[Id],
        *,
        before: Id | None = None,
        after: Id | None = None,
        check: Callable[[Gallery], None] | None = None,
    ) -> Gallery:
        """Move up to 1,000 images of the gallery, in this order, right ``before`` or ``after`` another one, all or
        none.

        Args:
            check: As in `update`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see any of this id.
            Forbidden: If it is another owner's.
            InvalidInput: With each id that is repeated, next to itself or not in the gallery, and unless exactly one
                place is given.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        image_ids = as_ids(image_ids, "image_ids")
        before = as_id_or_none(before, "before")
        after = as_id_or_none(after, "after")
        principal.require_known()
        membership.check_ids(image_ids)
        anchor = check_anchor(image_ids, before, after)
        async with self._database.transaction() as connection:
            await self._require(Permission.EDIT, connection, principal, gallery_id)
            held = await membership.lock_gallery(connection, gallery_id)
            await self._check(connection, principal, gallery_id, check)
            positions = await membership.positions(connection, gallery_id, [*image_ids, anchor])
            faults = Faults()
            membership.add_strangers(faults, image_ids, positions)
            if anchor not in positions:
                faults.add(("body", "before" if after is None else "after"), "is not in the gallery")
            faults.check()
            beyond = positions[anchor] - (1 if after is None else 0)
            await order_records.move(connection, gallery_id, image_ids, beyond=beyond, now=self._clock())
            await events.record(connection, held.changed("images"), now=self._clock())
            return await self._read(connection, principal, gallery_id)

    async def list_images(
        self,
        principal: Principal,
        gallery_id: Id,
        *,
        order: ImageOrderLike = ImageOrder.POSITION,
        seed: int | None = None,
        where: ImageFilter = NO_FILTER,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
        by_cookies: bool = False,
    ) -> CursorPage[Image]:
        """List the gallery's images. In random order, or with a filter, a page may be short or empty and still have a
        next cursor.

        Args:
            order: See `ImageOrder`.
            seed: For the random order: 0 to 2^53 - 1. The same seed gives the same order.
            where: Only the owner may filter by favourite or archive; by times, and in their order or that of names,
                who is shown them.
            limit: 1 to 100.
            by_cookies: Whether variants have the addresses that `cookies` open.

        Raises:
            NotFound: If the principal may not see any of this id.
            InvalidInput: For invalid arguments.
            InvalidCursor: For an invalid or outdated cursor.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        selection = check_selection(order, seed, where)
        walk = walking.Walk(principal, self._clock(), gallery_id, selection, cursor, check_limit(limit) + 1)
        async with self._database.reading(principal) as connection:
            await self._require_told(connection, principal, gallery_id, selection)
            members = await walking.read(connection, walk)
            seen = await self._authority.require(Permission.VIEW, principal, members, "gallery", gallery_id)
        found = walking.cut(walk, seen)
        place = gallery_id if by_cookies else None
        return await self._delivery.of_many(
            lambda: found.map(lambda each: self._shown_member(principal, seen, each, place))
        )

    async def list_images_page(
        self,
        principal: Principal,
        gallery_id: Id,
        *,
        order: ImageOrderLike = ImageOrder.POSITION,
        seed: int | None = None,
        where: ImageFilter = NO_FILTER,
        page: int = 1,
        limit: int = DEFAULT_LIMIT,
        by_cookies: bool = False,
    ) -> NumberedPage[Image]:
        """Return page ``page`` (from 1) of the same list. Pages after the last are empty.

        Its cost grows with its number. So pages end after 100,000 images, in random order after 2,000, and a filter
        only examines the gallery's first 5,000 images. If there are more, ``total`` is ``None``. A cursor reaches the
        end.

        Raises:
            NotFound: If the principal may not see any of this id.
            InvalidInput: For invalid arguments.
        """
        gallery_id = as_id(gallery_id, "gallery_id")
        selection = check_selection(order, seed, where)
        offset = walking.check_offset(selection.order, page, limit)
        async with self._database.reading(principal) as connection:
            walk = walking.Walk(principal, self._clock(), gallery_id, selection, None, limit)
            await self._require_told(connection, principal, gallery_id, selection)
            members = await walking.read_page(connection, walk, offset)
            seen = await self._authority.require(Permission.VIEW, principal, members, "gallery", gallery_id)
            has_counts = disclosure(principal, seen.facts).has_counts
            total = await self._total(connection, gallery_id, seen, where) if has_counts else None
        place = gallery_id if by_cookies else None
        images = await self._delivery.of_many(
            lambda: tuple(self._shown_member(principal, seen, member, place) for member in seen.found)
        )
        return NumberedPage(images, page, limit, total)

    async def _list_shared(
        self, principal: Principal, where: GalleryFilter, cursor: str | None, limit: int
    ) -> CursorPage[Gallery]:
        user_id, now = principal.require_user(), self._clock()
        check_gallery_filter(where, tuple(where.meta or ()), is_own=False)  # some of these shares may hide it
        scope = f"galleries:shared:{user_id}:{where.scope}"
        after = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("galleries", user_id))
        async with self._database.reading(principal) as connection:
            read = await records.list_shared(connection, principal, where, after, limit + 1, now=now)
            facts = {each.id: each.facts for each in read.found}
            granted = await access_records.on_galleries(connection, principal, facts, now=now)
        page = cut_page(read.found, limit, lambda last: encode_cursor(scope, (last.created_at, last.id)))
        subjects = [AccessSubject.of("gallery", each.id, each.facts) for each in page.items]
        allowed = await self._authority.allowed(Permission.VIEW, principal, subjects)
        seen = [evolve(each, grants=granted[each.id].grants) for each in page.items if each.id in allowed]
        shown = CursorPage(tuple(each for each in seen if may_view(principal, each.facts)), page.next_cursor)
        return await self._delivery.of_many(lambda: shown.map(lambda gallery: self._shown(principal, gallery)))

    async def _total(
        self, connection: Connection, gallery_id: UUID, seen: GalleryPage, where: ImageFilter
    ) -> int | None:
        """The number of images in the list, if they can be counted quickly."""
        if where.is_empty:
            return seen.total
        if seen.total > listing_records.EXAMINED:
            return None
        return await listing_records.count(connection, gallery_id, where)

    async def _change_meta(
        self, principal: Principal, gallery_id: UUID, patch: Meta | Unset | None, connection: HostConnection | None
    ) -> MetaChange | None:
        """The change that the application agrees to, if one is wanted."""
        if isinstance(patch, Unset):
            return None
        async with self._database.reading(within=connection) as ours:
            require_owner(principal, await self._require(Permission.EDIT, ours, principal, gallery_id), "gallery")
            before = (await self._read(ours, principal, gallery_id)).meta
        change = MetaChange(before, changed_meta(before, patch))
        await self._meta_checks.check("gallery", change.after)
        return change

    async def _read(self, connection: Connection, principal: Principal, gallery_id: UUID) -> Gallery:
        found = await records.get(connection, gallery_id)
        gallery = await self._with_grants(connection, principal, gallery_id, found)
        return self._shown(principal, require(Permission.VIEW, principal, gallery, "gallery"))

    async def _with_grants(
        self, connection: Connection, principal: Principal, gallery_id: UUID, gallery: Gallery | None
    ) -> Gallery | None:
        facts = {gallery_id: None if gallery is None else gallery.facts}
        granted = await access_records.on_galleries(connection, principal, facts, now=self._clock())
        return gallery and evolve(gallery, grants=granted[gallery_id].grants)

    async def _require(
        self, needed: Permission, connection: Connection, principal: Principal, gallery_id: UUID
    ) -> Facts:
        facts = await access_records.of_gallery_for(connection, principal, gallery_id, now=self._clock())
        return await self._authority.require(needed, principal, facts, "gallery", gallery_id)

    async def _record_visibility(self, connection: Connection, by: Warrant, held: HeldGallery, new: Visibility) -> None:
        change = {"from": str(held.visibility), "to": new.value}
        act = AuditEntry.under(by, Act.GALLERY_VISIBILITY_CHANGED, held.owner_id, gallery_id=held.id, details=change)
        await audit.record(connection, act, now=self._clock())

    async def _confirm_all(self, principal: Principal, owner_id: str, image_ids: Sequence[UUID]) -> None:
        """Raise `Forbidden` if the host does not allow to delete one of these images of the gallery's owner."""
        subjects = [AccessSubject("image", owner_id, each) for each in image_ids]
        if len(await self._authority.allowed(Permission.DELETE, principal, subjects)) < len(subjects):
            raise Forbidden("The rules of this application do not allow to delete all images of the gallery.")

    async def _close_urls(self, connection: Connection, gallery_id: UUID) -> None:
        """Record that an open gallery, which is locked, closes to all or to some pages, and its images' URLs with it:
        caches may have copies that they give to everybody."""
        gallery = await records.get(connection, gallery_id)
        if gallery is not None and is_public(gallery.facts):
            await self._closed_urls.of_gallery(connection, gallery.owner_id, gallery_id)

    async def _check(
        self,
        connection: Connection,
        principal: Principal,
        gallery_id: UUID,
        check: Callable[[Gallery], None] | None,
    ) -> None:
        if check is not None:
            await membership.lock_gallery(connection, gallery_id)
            check(await self._read(connection, principal, gallery_id))

    async def _require_told(
        self, connection: Connection, principal: Principal, gallery_id: UUID, selection: Selection
    ) -> None:
        """Raise `NotFound`, or `InvalidInput` for a selection by what is hidden, before anything is looked for: the
        time that takes would tell, too."""
        if selection.is_plain:
            return
        facts = await access_records.of_gallery_for(connection, principal, gallery_id, now=self._clock())
        shown = disclosure(principal, require(Permission.VIEW, principal, facts, "gallery"))
        faults = Faults()
        for name in hidden_conditions(selection.where, selection.order, shown, self._delivery.meta):
            faults.add(("query", name), "is for those who are shown it")
        faults.check()

    def _shown(self, principal: Principal, gallery: Gallery) -> Gallery:
        cover = gallery.cover and show(gallery.cover, principal, self._delivery, gallery.facts)
        shown = disclosure(principal, gallery.facts)
        return evolve(
            gallery,
            cover=cover,
            audience=shown.audience,
            disclosure=shown,
            meta=self._delivery.meta.shown(gallery.meta, shown),
            image_count=gallery.image_count if shown.has_counts else None,
        )

    def _shown_member(
        self, principal: Principal, members: GalleryPage, member: GalleryEntry, place: UUID | None
    ) -> Image:
        """The image as it is shown; by the addresses of the gallery ``place``, if there is one."""
        shown = show(member.image, principal, self._delivery, members.facts, position=member.position)
        return shown if place is None else self._delivery.in_gallery(shown, place)


async def _hold_cover(connection: Connection, gallery_id: UUID, image_id: UUID) -> None:
    """Check that the image is in the gallery, and keep it there until the transaction ends."""
    await membership.hold_images(connection, [image_id])
    await membership.lock_gallery(connection, gallery_id)
    faults = Faults()
    if not await membership.is_member(connection, gallery_id, image_id):
        faults.add(("body", "cover_image_id"), "is not an image of this gallery")
    faults.check()
