"""Uploads under a named policy: held to it, judged by the application, and left nowhere if they are refused."""

import hashlib
from collections.abc import Awaitable, Callable

import anyio
import attrs
import pytest
from tests.support.uploads import Traces, Uploading

from imagegallery.access.audience import Visibility
from imagegallery.common.unset import UNSET
from imagegallery.errors import (
    BadImage,
    Conflict,
    Forbidden,
    GalleryFull,
    HookFailed,
    ImageGalleryError,
    InvalidInput,
    NotFound,
    Refused,
    TooLarge,
    TypeMismatch,
    UnsupportedType,
    UploadEnded,
    WrongDimensions,
)
from imagegallery.galleries.gallery import Gallery
from imagegallery.images.batch.batch import BatchAction
from imagegallery.images.image.image import Image
from imagegallery.policies.policy import OnDuplicate, Policy
from imagegallery.uploads.completion.acceptance import NewImage
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadState

Encode = Callable[..., bytes]


async def gallery_under(uploading: Uploading, policy: str) -> Gallery:
    return await uploading.library.galleries.create(uploading.me, name="Lisbon", policy=policy)


def redefine(uploading: Uploading, name: str, policy: Policy) -> None:
    uploading.library.policies.defined[name] = policy


async def members(uploading: Uploading, gallery: Gallery) -> list[Image]:
    return list((await uploading.library.galleries.list_images(uploading.me, gallery.id)).items)


@pytest.mark.parametrize(
    ("policy", "refusal"),
    [
        (Policy(types=("image/png",)), UnsupportedType),
        (Policy(max_size=100), TooLarge),
        (Policy(min_width=41), WrongDimensions),
        (Policy(max_height=29), WrongDimensions),
        (Policy(max_pixels=1_199), WrongDimensions),
        (Policy(min_aspect=1.4), WrongDimensions),
    ],
)
@pytest.mark.parametrize("of_gallery", [True, False])
async def test_what_does_not_keep_the_policy_is_refused_and_leaves_nothing(
    uploading: Uploading, jpeg: bytes, policy: Policy, refusal: type[ImageGalleryError], *, of_gallery: bool
) -> None:
    redefine(uploading, "item", policy)
    gallery = await gallery_under(uploading, "item")
    where = {"gallery_id": gallery.id} if of_gallery else {"policy": "item"}
    with pytest.raises(refusal) as refused:
        await uploading.service.add(uploading.me, jpeg, **where)
    assert isinstance(refused.value, Refused)
    assert await uploading.traces() == Traces()


async def test_the_image_keeps_the_name_of_its_policy(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "item", Policy(min_width=40))
    gallery = await gallery_under(uploading, "item")
    assert (await uploading.service.add(uploading.me, jpeg, policy="item")).policy == "item"
    assert (await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id)).policy == "item"
    assert (await uploading.service.add(uploading.me, jpeg)).policy is None
    session = await uploading.service.create(
        uploading.me, filename="tram.jpg", content_type="image/jpeg", size=9, gallery_id=gallery.id
    )
    assert (await uploading.service.get(uploading.me, session.id)).policy == "item"


async def test_an_unknown_policy_is_told_with_those_that_there_are(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "item", Policy())
    with pytest.raises(InvalidInput, match="policy must be one of item"):
        await uploading.service.add(uploading.me, jpeg, policy="itme")
    with pytest.raises(InvalidInput, match="policy must be one of item"):
        await gallery_under(uploading, "itme")
    gallery = await uploading.gallery()
    with pytest.raises(InvalidInput, match="policy must be one of item"):
        await uploading.library.galleries.update(uploading.me, gallery.id, policy="itme")
    assert await uploading.traces() == Traces()


async def test_a_gallery_with_a_policy_takes_no_upload_under_another(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "item", Policy())
    redefine(uploading, "loose", Policy())
    gallery = await gallery_under(uploading, "item")
    with pytest.raises(InvalidInput, match="under the policy item"):
        await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id, policy="loose")
    assert (await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id, policy="item")).policy == "item"


async def test_a_policy_only_narrows(uploading: Uploading, encode: Encode, jpeg: bytes) -> None:
    redefine(uploading, "item", Policy(types=("image/jpeg", "image/gif"), max_size=10**9))
    uploading = uploading.having(policy=UploadPolicy(allowed_types=("image/jpeg", "image/png"), max_size=len(jpeg)))
    with pytest.raises(TooLarge):
        await uploading.service.add(uploading.me, jpeg + b" ", policy="item")
    with pytest.raises(UnsupportedType, match=r"uploaded: image/jpeg\."):
        await uploading.service.add(uploading.me, encode("GIF"), policy="item")
    told = uploading.service.policies()["item"]
    assert (told.types, told.max_size) == (("image/jpeg",), len(jpeg))


async def test_a_strict_policy_takes_no_picture_of_another_type_than_declared(
    uploading: Uploading, encode: Encode
) -> None:
    redefine(uploading, "exact", Policy(strict=True))
    assert (
        await uploading.service.add(uploading.me, encode("PNG"), content_type="image/jpeg")
    ).mime_type == "image/png"
    with pytest.raises(TypeMismatch):
        await uploading.service.add(uploading.me, encode("PNG"), content_type="image/jpeg", policy="exact")


async def test_an_image_begins_as_open_as_its_policy_says(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "avatar", Policy(visibility=Visibility.UNLISTED))
    redefine(uploading, "item", Policy())
    add = uploading.service.add
    assert (await add(uploading.me, jpeg, policy="avatar")).visibility is Visibility.UNLISTED
    assert (await add(uploading.me, jpeg, policy="avatar", visibility="public")).visibility is Visibility.UNLISTED
    assert (await add(uploading.me, jpeg, policy="item", visibility="public")).visibility is Visibility.PUBLIC


async def test_what_becomes_of_duplicates_is_the_policys_choice(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "once", Policy(on_duplicate=OnDuplicate.RETURN_EXISTING, max_width=40))
    first = await uploading.service.add(uploading.me, jpeg, policy="once")
    again = await uploading.service.add(uploading.me, jpeg, policy="once", sha256=hashlib.sha256(jpeg).digest())
    assert again.id == first.id
    redefine(uploading, "once", Policy(on_duplicate=OnDuplicate.RETURN_EXISTING, max_width=39))
    with pytest.raises(WrongDimensions):  # it is judged before what is there is returned
        await uploading.service.add(uploading.me, jpeg, policy="once", sha256=hashlib.sha256(jpeg).digest())


# --- how many ------------------------------------------------------------------------------------------------


async def test_a_gallery_holds_no_more_than_its_policy_says_however_many_come_at_once(
    uploading: Uploading, jpeg: bytes
) -> None:
    redefine(uploading, "item", Policy(max_images=3))
    gallery = await gallery_under(uploading, "item")
    sessions = [await uploading.uploaded(jpeg, gallery_id=gallery.id) for _ in range(5)]
    ended: list[bool] = []

    async def complete(number: int) -> None:
        try:
            await uploading.service.complete(uploading.me, sessions[number].id)
        except GalleryFull as full:
            ended.append(full.details != {"limit": 3})
        else:
            ended.append(True)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(complete, number)
    assert sorted(ended) == [False, False, True, True, True]
    assert len(await members(uploading, gallery)) == 3
    traces = await uploading.traces()
    assert (traces.images, traces.counted, traces.storage_used) == (3, 3, len(jpeg))
    with pytest.raises(GalleryFull):  # before any byte
        await uploading.uploaded(jpeg, gallery_id=gallery.id)


async def test_images_of_the_library_are_held_to_the_policy_of_the_gallery_that_they_come_into(
    uploading: Uploading, jpeg: bytes, encode: Encode
) -> None:
    redefine(uploading, "item", Policy(max_images=2, types=("image/jpeg",)))
    gallery = await gallery_under(uploading, "item")
    png = await uploading.service.add(uploading.me, encode("PNG"))
    jpegs = [await uploading.service.add(uploading.me, jpeg) for _ in range(3)]
    add = uploading.library.galleries.add_images
    with pytest.raises(InvalidInput, match="is image/png, which the policy item does not take"):
        await add(uploading.me, gallery.id, [png.id])
    with pytest.raises(GalleryFull):
        await add(uploading.me, gallery.id, [each.id for each in jpegs])
    assert (await add(uploading.me, gallery.id, [each.id for each in jpegs[:2]])).image_count == 2
    with pytest.raises(GalleryFull):
        await uploading.library.images.batches.run(
            uploading.me, BatchAction.ADD_TO_GALLERY, [jpegs[2].id], gallery_id=gallery.id
        )
    assert (await add(uploading.me, gallery.id, [jpegs[0].id])).image_count == 2  # is in it


async def test_what_comes_back_from_the_trash_finds_its_gallery_full(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "item", Policy(max_images=1))
    gallery = await gallery_under(uploading, "item")
    first = await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id)
    await uploading.library.images.delete(uploading.me, first.id)
    second = await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id)

    assert (await uploading.library.images.trash.restore(uploading.me, first.id)).deleted_at is None

    assert [each.id for each in await members(uploading, gallery)] == [second.id]
    assert (await uploading.library.galleries.get(uploading.me, gallery.id)).image_count == 1


# --- a single one --------------------------------------------------------------------------------------------


async def test_a_new_image_takes_the_place_of_the_old_one_which_goes_to_the_trash(
    uploading: Uploading, jpeg: bytes
) -> None:
    redefine(uploading, "avatar", Policy(single=True))
    gallery = await gallery_under(uploading, "avatar")
    first = await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id)
    second = await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id)
    assert [each.id for each in await members(uploading, gallery)] == [second.id]
    assert [each.id for each in (await uploading.library.images.trash.list(uploading.me)).items] == [first.id]
    found = await uploading.library.galleries.get(uploading.me, gallery.id)
    assert (found.image_count, found.cover and found.cover.id) == (1, second.id)


async def test_the_old_one_stays_where_another_gallery_holds_it(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "avatar", Policy(single=True))
    gallery, other = await gallery_under(uploading, "avatar"), await uploading.gallery()
    first = await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id)
    await uploading.library.galleries.add_images(uploading.me, other.id, [first.id])
    second = await uploading.service.add(uploading.me, jpeg)

    await uploading.library.galleries.add_images(uploading.me, gallery.id, [second.id])

    assert [each.id for each in await members(uploading, gallery)] == [second.id]
    assert [each.id for each in await members(uploading, other)] == [first.id]
    assert (await uploading.library.images.trash.list(uploading.me)).items == ()
    with pytest.raises(InvalidInput, match="a single image"):
        await uploading.library.galleries.add_images(uploading.me, gallery.id, [first.id, second.id])


async def test_of_several_that_come_at_once_one_stays(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "avatar", Policy(single=True))
    gallery = await gallery_under(uploading, "avatar")
    sessions = [await uploading.uploaded(jpeg, gallery_id=gallery.id) for _ in range(4)]
    async with anyio.create_task_group() as tasks:
        for session in sessions:
            tasks.start_soon(uploading.service.complete, uploading.me, session.id)
    assert len(await members(uploading, gallery)) == 1
    assert len((await uploading.library.images.trash.list(uploading.me)).items) == 3


# --- what the application says -------------------------------------------------------------------------------


async def test_the_application_sees_the_file_before_anything_is_on_record(uploading: Uploading, jpeg: bytes) -> None:
    seen: list[NewImage] = []
    gallery = await uploading.gallery()

    async def accept(new: NewImage) -> None:
        assert (await uploading.traces()).images == 0
        seen.append(new)

    uploading.library.policies.add_hook("item", accept)
    await uploading.service.add(
        uploading.me,
        jpeg,
        filename="tram.png",
        gallery_id=gallery.id,
        policy="item",
        content_type="image/png",
        meta={"sku": "T-1"},
    )
    (new,) = seen
    assert attrs.asdict(new, recurse=False) == {
        "principal": uploading.me,
        "gallery_id": gallery.id,
        "policy": "item",
        "filename": "tram.png",
        "declared_type": "image/png",
        "content_type": "image/jpeg",
        "size": len(jpeg),
        "width": 40,
        "height": 30,
        "frames": 1,
        "sha256": hashlib.sha256(jpeg).digest(),
        "metadata": new.metadata,
        "meta": {"sku": "T-1"},
    }
    assert new.metadata.make == "Trambahn"


async def test_it_is_told_the_sha256_where_only_heads_are_looked_at(uploading: Uploading, jpeg: bytes) -> None:
    seen: list[bytes] = []
    uploading.library.policies.add_hook("item", lambda new: seen.append(new.sha256))
    session = await uploading.service.create(
        uploading.me, filename="tram.jpg", content_type="image/jpeg", size=len(jpeg), policy="item"
    )
    await uploading.send(session.request, jpeg)
    await uploading.without_files().service.complete(uploading.me, session.id)
    assert seen == [hashlib.sha256(jpeg).digest()]


def refusing(error: Exception) -> Callable[[NewImage], Awaitable[None]]:
    async def accept(_: NewImage) -> None:
        raise error

    return accept


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Refused("Your listing may show no faces.", face=1), Refused),
        (InvalidInput("Your listing may show no faces.", face=1), Refused),
        (Conflict("Your listing may show no faces.", face=1), Refused),
        (NotFound("Your listing may show no faces.", face=1), Refused),
        (Forbidden("Your listing may show no faces.", face=1), Forbidden),
        (TooLarge("Your listing may show no faces.", face=1), TooLarge),
    ],
)
async def test_its_refusal_is_told_in_its_words_and_again_whenever_it_is_asked_for(
    uploading: Uploading, jpeg: bytes, error: ImageGalleryError, told: type[ImageGalleryError]
) -> None:
    uploading.library.policies.add_hook("item", refusing(error))
    session = await uploading.service.create(
        uploading.me, filename="tram.jpg", content_type="image/jpeg", size=len(jpeg), policy="item"
    )
    await uploading.send(session.request, jpeg)
    for _ in range(2):
        with pytest.raises(told) as refused:
            await uploading.service.complete(uploading.me, session.id)
        assert type(refused.value) is told
        assert (refused.value.message, refused.value.details) == ("Your listing may show no faces.", {"face": 1})
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.REJECTED
    assert await uploading.traces() == Traces()


@pytest.mark.parametrize("in_one_call", [True, False])
async def test_one_that_fails_leaves_nothing_and_can_be_asked_again(
    uploading: Uploading, jpeg: bytes, *, in_one_call: bool
) -> None:
    answers: list[Exception | None] = [ZeroDivisionError("secret"), None]

    async def accept(_: NewImage) -> None:
        if error := answers.pop(0):
            raise error

    uploading.library.policies.add_hook("item", accept)
    if in_one_call:
        with pytest.raises(HookFailed):
            await uploading.service.add(uploading.me, jpeg, policy="item")
        assert await uploading.traces() == Traces()
        await uploading.service.add(uploading.me, jpeg, policy="item")
        return
    session = await uploading.service.create(
        uploading.me, filename="tram.jpg", content_type="image/jpeg", size=len(jpeg), policy="item"
    )
    await uploading.send(session.request, jpeg)
    with pytest.raises(HookFailed):
        await uploading.service.complete(uploading.me, session.id)
    assert (await uploading.traces()).images == 0
    assert (await uploading.service.complete(uploading.me, session.id)).policy == "item"


async def test_it_is_not_asked_about_what_is_no_picture(uploading: Uploading) -> None:
    uploading.library.policies.add_hook("item", lambda _: pytest.fail("was asked"))
    with pytest.raises((TypeMismatch, BadImage)):
        await uploading.service.add(uploading.me, b"\xff\xd8\xff\xe0 no picture", policy="item")


# --- policies that change under open uploads -----------------------------------------------------------------


async def test_a_session_is_judged_by_its_policy_as_it_is_at_its_completion(
    uploading: Uploading, jpeg: bytes, encode: Encode
) -> None:
    redefine(uploading, "item", Policy())
    under = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(jpeg), "policy": "item"}
    changes = [
        (Policy(types=("image/png",)), TypeMismatch),
        (Policy(max_size=len(jpeg) - 1), TooLarge),
        (Policy(min_width=41), WrongDimensions),
    ]
    for changed, refusal in changes:
        redefine(uploading, "item", Policy())
        session = await uploading.service.create(uploading.me, **under)  # type: ignore[arg-type]
        await uploading.send(session.request, jpeg)
        redefine(uploading, "item", changed)
        with pytest.raises(refusal):
            await uploading.service.complete(uploading.me, session.id)
    assert await uploading.traces() == Traces()


async def test_a_policy_that_is_gone_refuses_until_it_is_back(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "item", Policy())
    gallery = await gallery_under(uploading, "item")
    session = await uploading.uploaded(jpeg, gallery_id=gallery.id)
    del uploading.library.policies.defined["item"]
    with pytest.raises(Conflict, match="no policy item"):
        await uploading.service.complete(uploading.me, session.id)
    with pytest.raises(Conflict, match="no policy item"):
        await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id)
    redefine(uploading, "item", Policy())
    assert (await uploading.service.complete(uploading.me, session.id)).policy == "item"


async def test_an_upload_that_began_under_another_policy_of_its_gallery_is_refused(
    uploading: Uploading, jpeg: bytes
) -> None:
    redefine(uploading, "item", Policy())
    gallery = await uploading.gallery()
    session = await uploading.uploaded(jpeg, gallery_id=gallery.id)
    await uploading.library.galleries.update(uploading.me, gallery.id, policy="item")
    with pytest.raises(Refused, match="under the policy item"):
        await uploading.service.complete(uploading.me, session.id)
    with pytest.raises((Refused, UploadEnded), match="under the policy item"):
        await uploading.service.complete(uploading.me, session.id)
    assert await uploading.traces() == Traces()


async def test_a_gallerys_policy_changes_and_goes(uploading: Uploading) -> None:
    redefine(uploading, "item", Policy())
    gallery = await uploading.gallery()
    update = uploading.library.galleries.update
    assert gallery.policy is None
    assert (await update(uploading.me, gallery.id, policy="item")).policy == "item"
    assert (await update(uploading.me, gallery.id, visibility=Visibility.UNLISTED, policy=UNSET)).policy == "item"
    assert (await update(uploading.me, gallery.id, policy=None)).policy is None


async def test_what_is_staged_is_judged_then_and_goes_where_its_policy_is(uploading: Uploading, jpeg: bytes) -> None:
    redefine(uploading, "item", Policy(min_width=41))
    with pytest.raises(WrongDimensions):
        await uploading.service.stage(uploading.me, jpeg, policy="item")
    assert await uploading.traces() == Traces()
    redefine(uploading, "item", Policy(min_width=40, max_images=1))
    gallery = await gallery_under(uploading, "item")
    under, not_under = [await uploading.service.stage(uploading.me, jpeg, policy=each) for each in ("item", None)]
    with pytest.raises(Refused, match="under the policy item"):
        async with uploading.library.database.transaction() as connection:
            await not_under.attach(connection, gallery_id=gallery.id)
    async with uploading.library.database.transaction() as connection:
        assert (await under.attach(connection, gallery_id=gallery.id)).policy == "item"


async def test_a_process_without_the_applications_code_completes_nothing_that_it_decides(
    uploading: Uploading, jpeg: bytes
) -> None:
    redefine(uploading, "item", Policy())
    policies = uploading.library.policies
    policies.add_hook("item", lambda _: None)
    session = await uploading.service.create(
        uploading.me, filename="tram.jpg", content_type="image/jpeg", size=len(jpeg), policy="item"
    )
    await uploading.send(session.request, jpeg)
    hooks = policies.hooks.maps[0].pop("item")  # as in a worker that knows the settings alone
    with pytest.raises(Conflict, match="not in this process"):
        await uploading.service.server.complete_arrived(session.incoming_key)
    assert (await uploading.traces()).images == 0
    policies.hooks.maps[0]["item"] = hooks
    assert (await uploading.service.complete(uploading.me, session.id)).policy == "item"
