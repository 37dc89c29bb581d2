"""Galleries on a real database: what they hold, who may do what, and what bad input answers."""

from datetime import timedelta
from uuid import uuid4

import pytest
from tests.support.library import Library, make_image

from imagegallery.access.audience import Visibility, VisibilityLike
from imagegallery.errors import Conflict, Fault, Forbidden, InvalidInput, NotFound, Unauthenticated
from imagegallery.galleries import service
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()


async def test_a_gallery_is_created_private_and_empty(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="  Lisbon ", description="Trams\nand tiles")

    assert (gallery.name, gallery.description) == ("Lisbon", "Trams\nand tiles")
    assert (gallery.owner_id, gallery.visibility) == ("ana", Visibility.PRIVATE)
    assert (gallery.image_count, gallery.cover_image_id, gallery.cover) == (0, None, None)
    assert gallery.created_at == gallery.updated_at == library.clock()
    assert await library.galleries.get(ANA, gallery.id) == gallery
    assert repr(gallery) == f"<Gallery {gallery.id} 'Lisbon' private, 0 images>"


async def test_galleries_of_one_owner_have_an_end(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_PER_OWNER", 2)
    first = await library.galleries.create(ANA, name="One", idempotency_key="first")
    await library.galleries.create(ANA, name="Two")
    with pytest.raises(Conflict, match="There can be 2 galleries"):
        await library.galleries.create(ANA, name="Three")
    assert {each.name for each in (await library.galleries.list(ANA)).items} == {"One", "Two"}
    again = await library.galleries.create(ANA, name="One", idempotency_key="first")
    assert again.id == first.id, "a repeat makes none"
    await library.galleries.create(BEN, name="Three")


async def test_update_changes_what_is_given_and_nothing_else(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", description="Trams")
    library.clock.advance(timedelta(seconds=1))

    changed = await library.galleries.update(ANA, gallery.id, visibility="unlisted", description="")

    assert (changed.name, changed.description, changed.visibility) == ("Lisbon", "", Visibility.UNLISTED)
    assert changed.updated_at == gallery.updated_at + timedelta(seconds=1)


async def test_every_fault_of_the_input_is_named(library: Library) -> None:
    with pytest.raises(InvalidInput) as caught:
        await library.galleries.create(ANA, name="  ", description="a\0b", visibility="secret")  # type: ignore[arg-type]

    assert caught.value.faults == (
        Fault(("body", "name"), "must be 1 to 255 characters long"),
        Fault(("body", "description"), "must not contain control characters"),
        Fault(("body", "visibility"), "must be one of public, unlisted, private"),
    )


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a\0b", "a\nb", "a\x7fb", "\ud800", "..", "a\u202eb", "a <b>"])
async def test_bad_names_are_refused(library: Library, name: str) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")

    with pytest.raises(InvalidInput):
        await library.galleries.update(ANA, gallery.id, name=name)

    assert (await library.galleries.get(ANA, gallery.id)).name == "Lisbon"


@pytest.mark.parametrize("name", ["x" * 255, "🚋 Lisboa", "لشبونة", "a' OR 1=1 --", "I <3 Lisbon"])
async def test_odd_but_good_names_are_kept(library: Library, name: str) -> None:
    assert (await library.galleries.create(ANA, name=name)).name == name


async def test_a_description_has_at_most_ten_thousand_characters(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", description="x" * 10_000)

    with pytest.raises(InvalidInput, match="10,000"):
        await library.galleries.update(ANA, gallery.id, description="x" * 10_001)


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_an_open_gallery_can_be_read_by_all_and_written_by_its_owner(
    library: Library, visibility: VisibilityLike
) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility)
    image = await library.add_image(make_image("ben"))

    assert await library.galleries.get(VISITOR, gallery.id) == gallery
    assert (await library.galleries.list_images(VISITOR, gallery.id)).items == ()
    with pytest.raises(Forbidden):
        await library.galleries.update(BEN, gallery.id, name="Mine")
    with pytest.raises(Forbidden):
        await library.galleries.delete(BEN, gallery.id)
    with pytest.raises(Forbidden):
        await library.galleries.add_images(BEN, gallery.id, [image.id])
    with pytest.raises(Forbidden):
        await library.galleries.remove_image(BEN, gallery.id, image.id)


async def test_a_private_gallery_does_not_exist_for_others(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    galleries = library.galleries

    for attempt in (
        galleries.get(BEN, gallery.id),
        galleries.get(VISITOR, gallery.id),
        galleries.list_images(VISITOR, gallery.id),
        galleries.list_images_page(BEN, gallery.id),
        galleries.update(BEN, gallery.id, name="Mine"),
        galleries.delete(BEN, gallery.id),
        galleries.add_images(BEN, gallery.id, [uuid4()]),
        galleries.remove_image(BEN, gallery.id, uuid4()),
    ):
        with pytest.raises(NotFound, match=r"^There is no such gallery\.$"):
            await attempt


async def test_what_does_not_exist_looks_the_same_as_what_is_hidden(library: Library) -> None:
    with pytest.raises(NotFound, match=r"^There is no such gallery\.$"):
        await library.galleries.get(ANA, uuid4())
    with pytest.raises(NotFound, match=r"^There is no such gallery\.$"):
        await library.galleries.list_images(ANA, uuid4())


async def test_visitors_write_nothing(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    galleries = library.galleries

    for attempt in (
        galleries.create(VISITOR, name="Mine"),
        galleries.update(VISITOR, gallery.id, name="Mine"),
        galleries.delete(VISITOR, gallery.id),
        galleries.add_images(VISITOR, gallery.id, [uuid4()]),
        galleries.remove_image(VISITOR, gallery.id, uuid4()),
        galleries.list(VISITOR, view="own"),
        galleries.find_by_name(VISITOR, "Lisbon"),
    ):
        with pytest.raises(Unauthenticated):
            await attempt


async def test_deleting_a_gallery_keeps_its_images(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    image = await library.add_image(make_image(), gallery.id)

    await library.galleries.delete(ANA, gallery.id)

    with pytest.raises(NotFound):
        await library.galleries.get(ANA, gallery.id)
    assert (await library.images.get(ANA, image.id)).id == image.id


async def test_a_gallery_is_found_by_its_name_by_its_owner(library: Library) -> None:
    older = await library.galleries.create(ANA, name="Lisbon")
    library.clock.advance(timedelta(seconds=1))
    await library.galleries.create(ANA, name="Lisbon")

    assert await library.galleries.find_by_name(ANA, " Lisbon ") == older
    assert await library.galleries.find_by_name(ANA, "lisbon") is None
    assert await library.galleries.find_by_name(BEN, "Lisbon") is None


async def test_lists_of_galleries_are_newest_first_and_know_their_view(library: Library) -> None:
    created = []
    for number, visibility in enumerate(["public", "private", "unlisted", "public"]):
        created.append(await library.galleries.create(ANA, name=str(number), visibility=visibility))  # type: ignore[arg-type]
        library.clock.advance(timedelta(seconds=1))
    own = await library.galleries.create(BEN, name="4", visibility="public")

    names = [gallery.name for gallery in (await library.galleries.list(ANA)).items]
    assert names == ["3", "2", "1", "0"]
    public = (own, created[3], created[0])
    assert (await library.galleries.list(VISITOR)).items == public
    assert (await library.galleries.list(ANA, view="public")).items == public
    assert (await library.galleries.list(BEN, view="own")).items == (own,)
    with pytest.raises(InvalidInput) as caught:
        await library.galleries.list(ANA, view="all")  # type: ignore[arg-type]
    assert [fault.path for fault in caught.value.faults] == [("query", "view")]


async def test_a_list_of_galleries_is_walked_by_cursor(library: Library) -> None:
    # Made in the same instant: the id decides.
    for number in range(5):
        await library.galleries.create(ANA, name=str(number), visibility="public")

    for principal in (ANA, VISITOR):
        names, cursor = [], None
        while True:
            page = await library.galleries.list(principal, cursor=cursor, limit=2)
            names += [gallery.name for gallery in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert names == ["4", "3", "2", "1", "0"]
