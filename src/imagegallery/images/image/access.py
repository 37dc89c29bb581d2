"""Find an image for a principal who may do something with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import evolve

from imagegallery.access import records as access_records
from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import may_view, require, require_own
from imagegallery.access.permission import Permission
from imagegallery.common.validation import MAX_BATCH, Faults
from imagegallery.database.connection import Connection
from imagegallery.errors import AlreadyUsed
from imagegallery.images.image import records
from imagegallery.images.image.records import FoundImage
from imagegallery.principal import Principal


def check_many(ids: Sequence[UUID]) -> Sequence[UUID]:
    """Return these ids, each once. Raises `InvalidInput` for more than 1,000."""
    faults = Faults()
    if len(ids) > MAX_BATCH:
        faults.add(("body", "ids"), f"must have at most {MAX_BATCH:,} ids")
    faults.check()
    return list(dict.fromkeys(ids))


async def find_many(
    connection: Connection, authority: Authority, principal: Principal, image_ids: Sequence[UUID], *, now: datetime
) -> list[FoundImage]:
    """Those of these images that the principal may see, in this order."""
    there = {each.image.id: each for each in await records.get_many(connection, image_ids)}
    found = await _with_grants(connection, principal, {each: there.get(each) for each in image_ids}, now)
    seen = [each for each in image_ids if each in found and may_view(principal, found[each].facts)]
    subjects = [AccessSubject.of("image", each, found[each].facts) for each in seen]
    allowed = await authority.allowed(Permission.VIEW, principal, subjects)
    return [found[each] for each in seen if each in allowed]


async def find_allowed(
    connection: Connection,
    authority: Authority,
    principal: Principal,
    image_id: UUID,
    needed: Permission,
    *,
    now: datetime,
) -> FoundImage:
    """`find`, and ask the host. Raises as `Authority.require`."""
    found = await _read(connection, principal, image_id, now)
    return await authority.require(needed, principal, found, "image", image_id)


async def find(
    connection: Connection, principal: Principal, image_id: UUID, needed: Permission, *, now: datetime
) -> FoundImage:
    """Return the image, where the host was asked or need not be. Raises `NotFound` for one that the principal may not
    see, and `Forbidden`."""
    return require(needed, principal, await _read(connection, principal, image_id, now), "image")


async def claim(
    connection: Connection, authority: Authority, principal: Principal, image_id: UUID, *, now: datetime
) -> None:
    """Take the principal's own, unused image for a row of the application. Raises `NotFound` and `AlreadyUsed`."""
    own = require_own(principal, await records.get(connection, image_id), "image")
    await authority.confirm(Permission.EDIT, principal, AccessSubject.of("image", image_id, own.facts))
    if not await records.claim(connection, image_id, now=now):
        raise AlreadyUsed("This image is in use already.", image_id=str(image_id))


async def _read(connection: Connection, principal: Principal, image_id: UUID, now: datetime) -> FoundImage | None:
    found = await records.get(connection, image_id)
    return (await _with_grants(connection, principal, {image_id: found}, now)).get(image_id)


async def _with_grants(
    connection: Connection, principal: Principal, found: Mapping[UUID, FoundImage | None], now: datetime
) -> dict[UUID, FoundImage]:
    """The images that are there, with what shares grant the principal on each. ``None`` is looked up like them."""
    facts = {image_id: None if each is None else each.facts for image_id, each in found.items()}
    granted = await access_records.on_images(connection, principal, facts, now=now)
    there = {image_id: each for image_id, each in found.items() if each is not None}
    return {image_id: evolve(each, facts=granted[image_id]) for image_id, each in there.items()}
