"""Galleries and images in the hands of those they are shared with: whoever acts, they stay their owner's."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from attrs import frozen
from tests.support import shares
from tests.support.library import Library, make_image, with_place
from tests.support.shares import share
from tests.support.trace import counted

from imagegallery.access.audience import Audience
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.options import SharingOptions
from imagegallery.access.permission import EDITOR, OWNER, VIEWER, Permission
from imagegallery.errors import Forbidden, ImageGalleryError, InvalidInput, NotFound, Unauthenticated
from imagegallery.images.image.image import Image
from imagegallery.images.library.filter import ImageFilter
from imagegallery.principal import Principal

ANA, BEN, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
ORIGINAL = DownloadAllowed.ORIGINAL


@frozen
class Album:
    """A private gallery of Ana's with two images, and an image beside it."""

    library: Library
    gallery: UUID
    images: tuple[Image, Image]
    elsewhere: Image

    async def share(self, permissions: Permission = VIEWER, **terms: object) -> UUID:
        said = {"galleries": [self.gallery], "to": ["ben"], **terms}
        return await share(self.library.database, permissions=permissions, **said)  # type: ignore[arg-type]


@pytest.fixture
async def album(library: Library) -> Album:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    one, other = [await library.add_image(with_place(make_image()), gallery.id) for _ in range(2)]
    return Album(library, gallery.id, (one, other), await library.add_image(make_image()))


Act = Callable[[Album, Principal], Awaitable[object]]


def on_gallery(method: str, /, *others: Callable[[Album], object], **fields: object) -> Act:
    async def act(album: Album, principal: Principal) -> object:
        call = getattr(album.library.galleries, method)
        return await call(principal, album.gallery, *(each(album) for each in others), **fields)

    return act


def on_image(method: str, /, *, of: str = "", **fields: object) -> Act:
    async def act(album: Album, principal: Principal) -> object:
        service = getattr(album.library.images, of) if of else album.library.images
        return await getattr(service, method)(principal, album.images[0].id, **fields)

    return act


def ids(album: Album) -> list[UUID]:
    return [album.images[0].id]


async def move(album: Album, principal: Principal) -> object:
    one, other = album.images
    return await album.library.galleries.move(principal, album.gallery, [other.id], before=one.id)


async def take_out_by_batch(album: Album, principal: Principal) -> object:
    batches = album.library.images.batches
    return await batches.run(principal, "remove_from_gallery", ids(album), gallery_id=album.gallery)


async def add_one(album: Album, principal: Principal) -> object:
    return await album.library.galleries.add_images(principal, album.gallery, [album.elsewhere.id])


async def add_by_batch(album: Album, principal: Principal) -> object:
    batches = album.library.images.batches
    return await batches.run(principal, "add_to_gallery", [album.elsewhere.id], gallery_id=album.gallery)


async def dismiss(album: Album, principal: Principal) -> None:
    await album.library.images.duplicates.dismiss(principal, *(each.id for each in album.images))


# What takes which permission, on a gallery or its image.
ACTS: list[tuple[str, Act, Permission]] = [
    ("gallery", on_gallery("get"), Permission.VIEW),
    ("list", on_gallery("list_images"), Permission.VIEW),
    ("by number", on_gallery("list_images_page"), Permission.VIEW),
    ("at random", on_gallery("list_images", order="random", seed=7), Permission.VIEW),
    ("by name", on_gallery("list_images", order="filename"), Permission.VIEW),
    ("by time", on_gallery("list_images", order="taken_at"), Permission.VIEW),
    ("newest", on_gallery("list_images", order="created_at"), Permission.VIEW),
    ("image", on_image("get"), Permission.VIEW),
    ("view", on_image("view"), Permission.VIEW),
    ("rename gallery", on_gallery("update", name="Porto"), Permission.EDIT),
    ("move", move, Permission.EDIT),
    ("take out", on_gallery("remove_images", ids), Permission.EDIT),
    ("take one out", on_gallery("remove_image", lambda album: album.images[0].id), Permission.EDIT),
    ("take out by batch", take_out_by_batch, Permission.EDIT),
    ("describe", on_image("update", alt_text="A tram", filename="tram.jpg"), Permission.EDIT),
    ("trash", on_image("put", of="trash"), Permission.DELETE),
    ("delete gallery", on_gallery("delete", with_images=True), Permission.DELETE),
]
# What no share can allow.
OWNERS: list[tuple[str, Act]] = [
    ("open gallery", on_gallery("update", visibility="public")),
    ("meta of gallery", on_gallery("update", meta={"sku": "A-1"})),
    ("policy", on_gallery("update", policy=None)),
    ("open image", on_image("update", visibility="public")),
    ("favourite", on_image("update", is_favorite=True)),
    ("archive", on_image("update", is_archived=True)),
    ("meta of image", on_image("update", meta={"sku": "A-1"})),
    ("delete for good", on_image("delete", of="trash")),
    ("restore", on_image("restore", of="trash")),
    ("dismiss", dismiss),
]


@pytest.mark.parametrize("by", ["user", "link"])
@pytest.mark.parametrize(("act", "needed"), [pytest.param(*each, id=name) for name, *each in ACTS])
async def test_a_share_lets_do_what_it_says_and_no_more(album: Album, act: Act, needed: Permission, by: str) -> None:
    share_id = await album.share(OWNER & ~needed, link=True)
    principal = BEN if by == "user" else Principal.by_link(share_id)
    refusal: type[ImageGalleryError] = NotFound if needed is Permission.VIEW else Forbidden
    with pytest.raises(refusal):
        await act(album, principal)
    with pytest.raises((Unauthenticated, NotFound)):
        await act(album, NOBODY)
    with pytest.raises(NotFound):
        await act(album, Principal.user("carla"))
    await album.share(Permission.VIEW | needed)
    await shares.change(album.library.database, share_id, permissions=(Permission.VIEW | needed).value)
    await act(album, principal)


@pytest.mark.parametrize("act", [pytest.param(act, id=name) for name, act in OWNERS])
async def test_what_only_owners_do_no_share_allows(album: Album, act: Act) -> None:
    share_id = await album.share(OWNER, link=True, download=ORIGINAL, metadata=MetadataShown.ALL)
    for principal, refusals in ((BEN, Forbidden), (Principal.by_link(share_id), (Forbidden, Unauthenticated))):
        with pytest.raises(refusals):
            await act(album, principal)
    await act(album, ANA)


async def test_who_may_add_images_adds_none_that_are_there_already(album: Album) -> None:
    """Else they would show others, and themselves, what is in the owner's library, or put theirs into another's."""
    await album.share(EDITOR)
    own = await album.library.add_image(make_image(owner_id="ben"))
    for added in (album.elsewhere.id, own.id, album.images[0].id, UUID(int=7)):
        with pytest.raises(InvalidInput, match="not one of your images"):
            await album.library.galleries.add_images(BEN, album.gallery, [added])
        with pytest.raises(InvalidInput, match="not one of your images"):
            await album.library.images.batches.run(BEN, "add_to_gallery", [added], gallery_id=album.gallery)
    await add_one(album, ANA)
    await add_by_batch(album, ANA)


async def test_a_batch_takes_out_the_owners_images_and_no_others(album: Album) -> None:
    await album.share(EDITOR)
    asked = [album.images[0].id, album.elsewhere.id, UUID(int=7)]
    found = await album.library.images.batches.run(BEN, "remove_from_gallery", asked, gallery_id=album.gallery)
    assert [each.error for each in found] == [None, "not_found", "not_found"]
    for action in ("favorite", "trash", "delete"):
        refused = await album.library.images.batches.run(BEN, action, [album.images[1].id])
        assert [each.error for each in refused] == ["not_found"], "batches are about one's own library"


async def test_what_somebody_else_puts_into_the_trash_is_its_owners_to_restore(album: Album) -> None:
    await album.share(OWNER)
    await album.library.images.trash.put(BEN, album.images[0].id)
    for act in (on_image("get"), on_image("restore", of="trash"), on_image("purge", of="trash")):
        with pytest.raises(NotFound):
            await act(album, BEN)
    assert (await album.library.images.trash.list(ANA)).items[0].id == album.images[0].id
    assert (await album.library.images.trash.restore(ANA, album.images[0].id)).owner_id == "ana"


async def test_it_is_shown_as_shared_without_what_only_the_owner_has(album: Album) -> None:
    await album.library.galleries.update(ANA, album.gallery, meta={"sku": "A-1"})
    await album.share()
    gallery = await album.library.galleries.get(BEN, album.gallery)
    image = await album.library.images.get(BEN, album.images[0].id)
    assert gallery.audience is image.audience is Audience.SHARED
    assert gallery.meta == {}
    assert image.latitude is None
    many = await album.library.galleries.get_many(BEN, [album.gallery])
    assert many[album.gallery].audience is Audience.SHARED
    asked = [each.id for each in (*album.images, album.elsewhere)]
    assert list(await album.library.images.get_many(BEN, asked)) == asked[:2]
    with pytest.raises(InvalidInput):
        await album.library.galleries.list_images(BEN, album.gallery, where=ImageFilter(is_favorite=True))


@pytest.mark.parametrize(
    ("permissions", "metadata", "download", "given"),
    [
        (VIEWER, MetadataShown.ALL, ORIGINAL, "/original.jpg"),
        (VIEWER, MetadataShown.BASIC, ORIGINAL, None),  # there is nothing here that makes copies
        (VIEWER, MetadataShown.ALL, DownloadAllowed.VARIANT, "/medium-"),
        (Permission.VIEW, MetadataShown.ALL, ORIGINAL, "/medium-"),
        (VIEWER, MetadataShown.ALL, DownloadAllowed.NONE, None),
    ],
)
async def test_the_original_takes_all_that_it_tells(
    album: Album, permissions: Permission, metadata: MetadataShown, download: DownloadAllowed, given: str | None
) -> None:
    await album.share(permissions, metadata=metadata, download=download)
    asked = album.library.images.download_url(BEN, album.images[0].id)
    if given is None:
        with pytest.raises(Forbidden):
            await asked
    else:
        assert given in await asked


async def test_urls_that_shares_give_live_no_longer_than_is_said(album: Album) -> None:
    ttl = SharingOptions().url_ttl
    assert ttl == timedelta(minutes=5)
    await album.share()
    image_id, now = album.images[0].id, album.library.clock()
    listed = (await album.library.galleries.list_images(BEN, album.gallery)).items[0]
    cover = (await album.library.galleries.get(BEN, album.gallery)).cover
    for shown in (await album.library.images.get(BEN, image_id), listed, cover):
        assert shown is not None
        assert shown.urls_expire_at is not None
        assert ttl / 2 < shown.urls_expire_at - now <= ttl
    own = await album.library.images.get(ANA, image_id)
    assert own.urls_expire_at is not None
    assert own.urls_expire_at - now > ttl


@pytest.mark.parametrize("principal", [BEN, NOBODY])
async def test_nothing_is_looked_for_by_what_is_hidden(album: Album, principal: Principal) -> None:
    """How long that takes would tell how much there is of it."""
    await album.share(metadata=MetadataShown.NONE)
    await album.library.galleries.update(ANA, album.gallery, visibility="private" if principal is BEN else "public")
    with counted() as trace, pytest.raises(InvalidInput):
        await album.library.galleries.list_images(principal, album.gallery, where=ImageFilter(is_favorite=True))
    assert trace.statements
    assert not [each for each in trace.statements if "image_variants" in each]
