"""What others add to a gallery by a share: its owner has it, pays, may decide first, and sees who it was."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import pytest
from tests.contributions.conftest import ADDING, ANA, BEN, Adding, picture
from tests.imaging.test_words import FILES, WORDS
from tests.support import shares
from tests.support.clock import START
from tests.support.uploads import Traces

from imagegallery.access.audience import Visibility
from imagegallery.access.permission import VIEWER
from imagegallery.errors import (
    Forbidden,
    InvalidInput,
    NameRequired,
    NotFound,
    QuotaExceeded,
    TooManyUploads,
    Unauthenticated,
    UploadEnded,
)
from imagegallery.ids import new_id
from imagegallery.policies.admin_policy import AdminPolicy
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.principal import Principal
from imagegallery.uploads.session.policy import OnDuplicate, UploadPolicy

CAROL = Principal.user("carol")


async def events_of(adding: Adding) -> list[str]:
    async with adding.database.connection() as connection:
        rows = await connection.fetch("SELECT type FROM events ORDER BY id")
    return [row["type"] for row in rows]


async def acts_of(adding: Adding) -> list[tuple[str, str]]:
    async with adding.database.connection() as connection:
        rows = await connection.fetch("SELECT act, actor_kind FROM audit_entries ORDER BY id")
    return [(row["act"], row["actor_kind"]) for row in rows]


def announced(adding: Adding, size: int = 9) -> dict[str, Any]:
    return {"filename": "a.jpg", "content_type": "image/jpeg", "size": size, "gallery_id": adding.gallery_id}


# --- until its owner decides --------------------------------------------------------------------------------


async def test_what_waits_is_its_owners_and_in_no_list(adding: Adding) -> None:
    ines, other = adding.guest(), adding.guest("Tom")
    data = picture()
    image = await adding.add(ines, data)
    assert (await adding.members(), await adding.library(), await adding.trash()) == ([], [], [])
    assert await adding.pending() == [image.id]
    assert await adding.service.count_pending(ANA) == 1
    assert (await adding.uploading.service.room(ANA)).used == len(data)
    images = adding.uploading.library.images
    seen = await images.get(ANA, image.id)
    assert seen.is_pending
    assert (str(seen.added_by).partition(":")[0], getattr(seen.added_by, "name", None)) == ("guest", "Inês")
    assert [entry.count for entry in await images.library.timeline(ANA)] == []
    # Who added it sees it, and nobody else does: no other guest, nobody who came by the link, no recipient.
    assert (await images.get(ines, image.id)).id == image.id
    assert await adding.mine(ines) == [image.id]
    for stranger in (other, Principal.by_link(adding.share_id), BEN, CAROL, Principal.anonymous()):
        with pytest.raises(NotFound):
            await images.get(stranger, image.id)
    assert await adding.mine(other) == []
    # It can be approved or rejected, and nothing else; the trash does not know it.
    with pytest.raises(Forbidden):
        await images.update(ANA, image.id, visibility="public")
    for act in (images.trash.put, images.trash.restore, images.trash.purge):
        with pytest.raises(Forbidden):
            await act(ANA, image.id)
    assert [each.error for each in await images.batches.run(ANA, "restore", [image.id])] == ["not_found"]
    with pytest.raises(InvalidInput):
        await adding.uploading.library.galleries.add_images(ANA, adding.gallery_id, [image.id])
    adding.uploading.clock.advance(timedelta(days=400))
    assert await images.trash.sweep() == 0
    assert await adding.pending() == [image.id]


async def test_approved_it_is_an_image_like_any_other(adding: Adding) -> None:
    ines = adding.guest()
    image = await adding.add(ines)
    assert (await adding.service.approve(ANA, [image.id])).done == (image.id,)
    assert await adding.members() == await adding.library() == [image.id]
    assert await adding.pending() == []
    seen = await adding.uploading.library.images.get(BEN, image.id)
    assert (seen.is_pending, seen.added_by) == (False, None)  # who added it is the owner's to know
    assert await adding.mine(ines) == [image.id]
    told = await events_of(adding)
    assert [each for each in told if not each.startswith("gallery")] == [
        "guest.uploaded",
        "image.uploaded",
        "guest.approved",
    ]
    assert await acts_of(adding) == [("contribution.added", "guest"), ("contribution.approved", "user")]
    again = await adding.service.approve(ANA, [image.id])
    assert (again.done, again.left) == ((), (image.id,))


async def test_rejected_it_is_gone_and_its_storage_given_back(adding: Adding) -> None:
    image = await adding.add(adding.guest())
    assert (await adding.service.reject(ANA, [image.id])).done == (image.id,)
    traces = await adding.uploading.traces()
    assert (traces.images, traces.storage_used, traces.memberships) == (0, 0, 0)
    assert await acts_of(adding) == [
        ("contribution.added", "guest"),
        ("image.purged", "user"),
        ("contribution.rejected", "user"),
    ]
    assert (await events_of(adding))[-1] == "guest.rejected"


async def test_all_at_once_of_one_share_or_of_all(adding: Adding) -> None:
    ines = adding.guest()
    first = [(await adding.add(ines)).id for _ in range(3)]
    other_share = await shares.share(adding.database, galleries=[adding.gallery_id], link=True, permissions=ADDING)
    tom = Principal.by_link(other_share, new_id(), "Tom")
    last = (await adding.add(tom)).id
    page = await adding.service.list(ANA, share_id=other_share)
    assert [each.image.id for each in page.items] == [last]
    pages = [await adding.service.list(ANA, limit=2)]
    pages.append(await adding.service.list(ANA, limit=2, cursor=pages[0].next_cursor))
    assert [each.image.id for page in pages for each in page.items] == [last, *reversed(first)]
    assert set((await adding.service.approve(ANA, share_id=adding.share_id)).done) == set(first)
    assert await adding.pending() == [last]
    assert (await adding.service.reject(ANA)).done == (last,)
    assert set(await adding.members()) == set(first)


async def test_nobody_else_decides(adding: Adding) -> None:
    image = await adding.add(adding.guest())
    for who in (BEN, CAROL):
        for decide in (adding.service.approve, adding.service.reject):
            assert (await decide(who, [image.id])).left == (image.id,)
            assert (await decide(who)).done == ()
        assert (await adding.service.list(who)).items == ()
    for nobody in (adding.guest(), Principal.anonymous()):
        with pytest.raises(Unauthenticated):
            await adding.service.approve(nobody, [image.id])
        with pytest.raises(Unauthenticated):
            await adding.service.list(nobody)
    assert await adding.pending() == [image.id]


async def test_a_gallery_that_is_gone_leaves_what_waits_to_the_library(adding: Adding) -> None:
    image = await adding.add(adding.guest())
    await adding.uploading.library.galleries.delete(ANA, adding.gallery_id)
    assert (await adding.service.approve(ANA)).done == (image.id,)
    assert await adding.library() == [image.id]


async def test_without_approval_it_is_in_the_gallery_at_once(adding: Adding) -> None:
    await adding.said(approval=False)
    image = await adding.add(adding.guest())
    assert await adding.members() == [image.id]
    assert await adding.pending() == []


async def test_a_recipient_is_remembered_too(adding: Adding) -> None:
    image = await adding.add(BEN)
    seen = await adding.uploading.library.images.get(ANA, image.id)
    assert (seen.owner_id, str(seen.added_by)) == ("ana", "user:ben")
    assert (await adding.uploading.service.room(BEN)).used == 0
    assert await adding.mine(BEN) == [image.id]
    await adding.service.approve(ANA)
    await adding.service.withdraw(BEN, image.id)
    assert await adding.trash() == [image.id]


# --- taking it back -----------------------------------------------------------------------------------------


async def test_what_was_approved_goes_to_the_owners_trash_and_never_back_to_the_gallery(adding: Adding) -> None:
    ines, other = adding.guest(), adding.guest("Tom")
    image = await adding.add(ines)
    await adding.service.approve(ANA)
    for stranger in (other, BEN, ANA):
        with pytest.raises(NotFound):
            await adding.service.withdraw(stranger, image.id)
    await adding.service.withdraw(ines, image.id)
    assert (await adding.members(), await adding.trash(), await adding.mine(ines)) == ([], [image.id], [])
    with pytest.raises(NotFound):
        await adding.service.withdraw(ines, image.id)
    await adding.uploading.library.images.trash.restore(ANA, image.id)
    assert (await adding.members(), await adding.library()) == ([], [image.id])
    assert (await events_of(adding))[-2] == "guest.withdrew"


async def test_what_still_waits_is_gone(adding: Adding) -> None:
    ines = adding.guest()
    image = await adding.add(ines)
    await adding.service.withdraw(ines, image.id)
    traces = await adding.uploading.traces()
    assert (traces.images, traces.storage_used) == (0, 0)


# --- how much -----------------------------------------------------------------------------------------------


async def test_as_many_as_the_share_takes_whoever_comes_at_the_same_time(adding: Adding) -> None:
    await adding.said(guest_max_images=3)
    refused: list[str] = []

    async def add() -> None:
        try:
            await adding.add(adding.guest())
        except QuotaExceeded as error:
            refused.append(error.message)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(add)
    assert len(await adding.pending()) == 3
    assert len(refused) == 5
    # What is rejected, withdrawn or failed makes room again.
    await adding.service.reject(ANA, (await adding.pending())[:1])
    image = await adding.add(adding.guest())
    with pytest.raises(QuotaExceeded):
        await adding.add(adding.guest())
    assert image.id in await adding.pending()


async def test_as_many_bytes_as_the_share_takes_by_every_transport(adding: Adding) -> None:
    data, service = picture(), adding.uploading.service
    await adding.said(guest_max_bytes=len(data) * 2 - 1)
    ines = adding.guest()
    await adding.add(ines, data)
    told: set[str] = set()
    with pytest.raises(QuotaExceeded) as error:
        await adding.add(ines, picture((200, 200)))
    told.add(error.value.message)
    create = announced(adding, len(data))
    with pytest.raises(QuotaExceeded) as error:
        await service.create(ines, **create)
    told.add(error.value.message)
    with pytest.raises(QuotaExceeded) as error:
        await service.server.resumable.create(ines, **create)
    told.add(error.value.message)
    assert len(told) == 1
    smaller = await service.create(ines, **{**create, "size": len(data) - 1})
    with pytest.raises(QuotaExceeded):  # what is under way counts
        await service.create(ines, **{**create, "size": 1})
    await service.cancel(ines, smaller.id)
    await service.create(ines, **{**create, "size": 1})


async def test_the_owners_figures_are_not_told(adding: Adding) -> None:
    data = picture()
    limited = adding.uploading.having(policy=UploadPolicy(storage_limit=len(data) - 1)).service
    with pytest.raises(QuotaExceeded) as error:
        await limited.add(adding.guest(), data, gallery_id=adding.gallery_id)
    assert (error.value.message, dict(error.value.details)) == ("There is no room for this file here.", {})
    await adding.said(guest_max_images=0)
    with pytest.raises(QuotaExceeded) as by_share:
        await adding.add(adding.guest())
    assert by_share.value.message == error.value.message
    assert await adding.uploading.traces() == Traces()


async def test_only_so_many_are_under_way_by_one_share_and_the_owners_own_are_apart(adding: Adding) -> None:
    few = adding.uploading.having(policy=UploadPolicy(max_open=1, max_open_by_share=2)).service
    create = announced(adding)
    for _ in range(2):
        await few.create(adding.guest(), **create)
    with pytest.raises(TooManyUploads):
        await few.create(adding.guest(), **create)
    await few.create(ANA, **create)
    with pytest.raises(TooManyUploads):
        await few.create(ANA, **create)
    assert len((await few.list(ANA)).items) == 1


# --- what others say, and what they may not -----------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"visibility": Visibility.PUBLIC},
        {"meta": {"sku": "1"}},
        {"on_duplicate": OnDuplicate.REJECT},
        {"on_duplicate": OnDuplicate.RETURN_EXISTING},
    ],
    ids=str,
)
async def test_what_the_owner_alone_says_is_refused(adding: Adding, said: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        await adding.uploading.service.add(adding.guest(), picture(), gallery_id=adding.gallery_id, **said)
    assert await adding.uploading.traces() == Traces()


async def test_nobody_learns_what_the_owner_has(adding: Adding) -> None:
    data = picture()
    own = await adding.uploading.service.add(ANA, data)
    rejecting = adding.uploading.having(policy=UploadPolicy(on_duplicate=OnDuplicate.REJECT)).service
    image = await rejecting.add(adding.guest(), data, gallery_id=adding.gallery_id)
    assert image.id != own.id
    assert await adding.pending() == [image.id]
    assert (await adding.uploading.service.room(ANA)).used == len(data)  # stored once
    await adding.service.reject(ANA)
    assert (await adding.uploading.service.room(ANA)).used == len(data)


async def test_who_gave_no_name_or_may_only_look_adds_nothing(adding: Adding) -> None:
    with pytest.raises(NameRequired):
        await adding.add(Principal.by_link(adding.share_id))
    await adding.said(permissions=VIEWER.value)
    for who in (adding.guest(), BEN):
        with pytest.raises(Forbidden):
            await adding.add(who)
    with pytest.raises(NotFound):
        await adding.add(CAROL)
    with pytest.raises(Unauthenticated):
        await adding.add(Principal.anonymous())
    assert await adding.uploading.traces() == Traces()


class Said(PolicyInForce):
    """What administrators say about guests, said here."""

    def __init__(self, *, guests: bool) -> None:
        self.settings = self.latest = AdminPolicy(
            allowed_types=("image/jpeg",), max_size=1_000_000, guest_uploads=guests
        )

    async def get(self) -> AdminPolicy:
        return self.latest


async def test_administrators_let_guests_upload_or_not_also_what_is_under_way(adding: Adding) -> None:
    allowing = adding.uploading.having(governing=Said(guests=True)).service
    refusing = adding.uploading.having(governing=Said(guests=False)).service
    assert (allowing.takes_guests(), refusing.takes_guests()) == (True, False)
    ines, data = adding.guest(), picture()
    session = await allowing.create(ines, **announced(adding, len(data)))
    await adding.uploading.send(session.request, data)
    with pytest.raises(Forbidden):
        await refusing.add(ines, picture(), gallery_id=adding.gallery_id)
    with pytest.raises(Forbidden):
        await refusing.complete(ines, session.id)
    assert await adding.uploading.traces() == Traces()
    await refusing.add(BEN, picture(), gallery_id=adding.gallery_id)  # a recipient is no guest


async def test_a_link_of_one_gallery_needs_no_id(adding: Adding) -> None:
    image = await adding.uploading.service.add(adding.guest(), picture())
    await adding.service.approve(ANA)
    assert await adding.members() == [image.id]
    second = await adding.uploading.gallery(ANA)
    both = await shares.share(adding.database, galleries=[adding.gallery_id, second.id], link=True, permissions=ADDING)
    with pytest.raises(InvalidInput):
        await adding.uploading.service.add(Principal.by_link(both, new_id(), "Tom"), picture())


# --- what ends meanwhile ------------------------------------------------------------------------------------


ENDINGS: dict[str, dict[str, object]] = {
    "revoked": {"revoked_at": START},
    "expired": {"expires_at": START},
    "not for adding any more": {"permissions": VIEWER.value},
    "without a link": {"token_hash": None},
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_share_that_ends_under_way_takes_nothing_and_nothing_stays(adding: Adding, ending: str) -> None:
    ines, service, data = adding.guest(), adding.uploading.service, picture()
    session = await service.create(
        ines, filename="a.jpg", content_type="image/jpeg", size=len(data), gallery_id=adding.gallery_id
    )
    await adding.uploading.send(session.request, data)
    await adding.said(**ENDINGS[ending])
    with pytest.raises((NotFound, Forbidden)):
        await service.complete(ines, session.id)
    await service.server.complete_arrived(session.incoming_key)  # as the bucket's message does
    assert await adding.uploading.traces() == Traces()
    assert await adding.pending() == []


async def test_a_recipient_who_is_none_any_more_completes_nothing(adding: Adding) -> None:
    service, data = adding.uploading.service, picture()
    session = await service.create(
        BEN, filename="a.jpg", content_type="image/jpeg", size=len(data), gallery_id=adding.gallery_id
    )
    await adding.uploading.send(session.request, data)
    await shares.remove_recipients(adding.database, adding.share_id)
    with pytest.raises(NotFound):
        await service.complete(BEN, session.id)


async def test_the_session_of_a_guest_is_theirs_and_the_owners(adding: Adding) -> None:
    ines, service = adding.guest(), adding.uploading.service
    session = await service.create(
        ines, filename="a.jpg", content_type="image/jpeg", size=9, gallery_id=adding.gallery_id
    )
    assert (await service.get(ines, session.id)).id == (await service.get(ANA, session.id)).id == session.id
    elsewhere = Principal.by_link(new_id(), UUID(int=1), "Inês")
    for stranger in (adding.guest(), elsewhere, Principal.by_link(adding.share_id), BEN, CAROL):
        for act in (service.get, service.cancel, service.complete):
            with pytest.raises(NotFound):
                await act(stranger, session.id)
    await service.cancel(ANA, session.id)
    with pytest.raises(UploadEnded):
        await service.complete(ines, session.id)


async def test_the_same_key_of_two_guests_is_two_uploads(adding: Adding) -> None:
    data, service = picture(), adding.uploading.service
    ines, tom = adding.guest(), adding.guest("Tom")
    first = await service.add(ines, data, idempotency_key="1")
    assert (await service.add(ines, data, idempotency_key="1")).id == first.id
    assert (await service.add(tom, data, idempotency_key="1")).id != first.id


async def test_a_guests_file_brings_captions_and_no_tags_into_the_owners_library(adding: Adding) -> None:
    image = await adding.add(adding.guest(), FILES["jpg"]())
    assert (await adding.service.approve(ANA, [image.id])) is not None
    shown = await adding.uploading.library.images.get(ANA, image.id)
    assert (shown.title, shown.description) == (WORDS.title, WORDS.description)
    assert (shown.tags, shown.rating, shown.people) == ((), None, ())
