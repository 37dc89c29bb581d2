"""Whatever is shared, opened, moved, ended and deleted, in whatever order: the services allow everybody what some lines
of Python say, and nothing else.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import define, field, frozen
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.support import shares
from tests.support.clock import START
from tests.support.library import Library, make_image, with_place

from imagegallery.access.audience import Visibility
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import VIEWER, Permission
from imagegallery.errors import Forbidden, NotFound, Unauthenticated
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal

ANA = Principal.user("ana")
# By which of these names somebody has a share.
NAMES = {
    "ben": Principal.user("ben"),
    "email:ben@example.org": Principal.user("at-home", emails=["Ben@example.org"]),
    "group:club": Principal.user("at-the-club", groups=["club", "other"]),
}
EVERYBODY = Principal.user("both", emails=["ben@example.org"], groups=["club"])
NOBODY = Principal.anonymous()
STRANGER = Principal.user("eve")
YOUNG, OLD = timedelta(0), timedelta(days=10)
SINCE = START - timedelta(days=5)
GALLERIES, IMAGES = 2, 3


@frozen
class Terms:
    permissions: Permission
    metadata: MetadataShown
    download: DownloadAllowed


@define
class ModelShare:
    """``targets`` are names of galleries (``g0``) and images (``i0``), and ``library``."""

    id: UUID
    targets: frozenset[str]
    terms: Terms
    recipients: dict[str, Terms | None]
    has_link: bool
    starts_at: datetime | None
    expires_at: datetime | None
    is_revoked: bool = False


@define
class ModelThing:
    id: UUID
    visibility: Visibility = Visibility.PRIVATE
    created_at: datetime = START
    galleries: set[str] = field(factory=set)
    is_trashed: bool = False


@define
class Model:
    """Who may do what, said without SQL and without the code under test."""

    library: Library
    things: dict[str, ModelThing] = field(factory=dict)
    shares: list[ModelShare] = field(factory=list)

    def terms_of(self, principal: Principal, name: str) -> Iterator[Terms]:
        """What each share that reaches the thing gives the principal."""
        thing, now = self.things[name], self.library.clock()
        if thing.is_trashed:
            return
        for share in self.shares:
            is_over = share.is_revoked or (share.expires_at is not None and share.expires_at <= now)
            in_library = "library" in share.targets and name.startswith("i")
            is_late = share.starts_at is not None and thing.created_at < share.starts_at
            reaches = share.targets & {name, *thing.galleries} or (in_library and not is_late)
            if is_over or not reaches:
                continue
            if principal.link is not None and principal.link.share_id == share.id and share.has_link:
                yield share.terms
            for known, override in share.recipients.items():
                kind, _, rest = known.rpartition(":")
                mine = {"": {principal.user_id}, "email": principal.emails, "group": principal.groups}[kind]
                if rest in mine:
                    yield override or share.terms

    def is_open(self, name: str) -> bool:
        thing = self.things[name]
        own = [thing, *(self.things[each] for each in thing.galleries)]
        return not thing.is_trashed and any(each.visibility is not Visibility.PRIVATE for each in own)

    def may(self, principal: Principal, name: str, needed: Permission) -> bool:
        if principal == ANA:
            return not self.things[name].is_trashed
        if needed is Permission.VIEW and self.is_open(name):
            return True
        return any(
            needed in each.permissions
            and (
                needed is not Permission.DOWNLOAD
                or (VIEWER in each.permissions and each.download is DownloadAllowed.ORIGINAL)
            )
            for each in self.terms_of(principal, name)
        )

    def gives_variant(self, principal: Principal, name: str) -> bool:
        """Whether a share gives a variant as a file, and none more."""
        given = [each.download for each in self.terms_of(principal, name)]
        most = max([*given, DownloadAllowed.VARIANT] if self.is_open(name) else [*given, DownloadAllowed.NONE])
        has_original = self.may(principal, name, Permission.DOWNLOAD)
        return principal != ANA and bool(given) and most > DownloadAllowed.NONE and not has_original

    def metadata(self, principal: Principal, name: str) -> MetadataShown:
        """What who may see it is shown."""
        if principal == ANA:
            return MetadataShown.ALL
        least = MetadataShown.BASIC if self.is_open(name) else MetadataShown.NONE
        return max([least, *(each.metadata for each in self.terms_of(principal, name))])

    def refusal(self, principal: Principal, name: str, needed: Permission) -> type[Exception] | None:
        if needed is not Permission.VIEW and principal == NOBODY:
            return Unauthenticated
        if self.may(principal, name, needed):
            return None
        return Forbidden if self.may(principal, name, Permission.VIEW) else NotFound

    def principals(self) -> list[Principal]:
        links = [Principal.by_link(each.id) for each in self.shares]
        return [ANA, NOBODY, STRANGER, EVERYBODY, *NAMES.values(), *links]


terms = st.builds(
    Terms,
    st.sets(st.sampled_from([Permission.DOWNLOAD, Permission.EDIT, Permission.DELETE, Permission.ADD_IMAGES])).map(
        lambda chosen: Permission(Permission.VIEW | sum(chosen))
    ),
    st.sampled_from(MetadataShown),
    st.sampled_from(DownloadAllowed),
)
places = [f"g{number}" for number in range(GALLERIES)], [f"i{number}" for number in range(IMAGES)]
galleries, images = map(st.sampled_from, places)
granted = st.fixed_dictionaries(
    {
        "targets": st.sets(st.one_of(galleries, images, st.just("library")), min_size=1, max_size=3),
        "terms": terms,
        "recipients": st.dictionaries(st.sampled_from(sorted(NAMES)), st.none() | terms, max_size=2),
        "has_link": st.booleans(),
        "starts": st.booleans(),
        "expires": st.booleans(),
    }
)
visibilities = st.sampled_from(Visibility)
acts = st.one_of(
    st.tuples(st.just("share"), granted),
    st.tuples(st.just("revoke"), st.integers(0, 9)),
    st.tuples(st.just("change"), st.integers(0, 9), terms),
    st.tuples(st.just("forget recipients"), st.integers(0, 9)),
    st.tuples(st.just("put"), images, galleries),
    st.tuples(st.just("take out"), images, galleries),
    st.tuples(st.just("open"), st.one_of(galleries, images), visibilities),
    st.tuples(st.just("trash"), images, st.integers(0, 9)),
    st.tuples(st.just("restore"), images),
    st.tuples(st.just("wait")),
)


# To look for a shorter example takes minutes, and each says what it did.
@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(acts, min_size=4, max_size=14))
async def test_the_services_allow_what_the_model_says(library: Library, steps: list[tuple[object, ...]]) -> None:
    async with library.database.transaction() as connection:
        await connection.execute("DELETE FROM shares")  # the examples before had shares of the library
    model = Model(library)
    for number in range(IMAGES):
        age = OLD if number else YOUNG
        image = await library.add_image(with_place(make_image(age=age)))
        model.things[f"i{number}"] = ModelThing(image.id, created_at=START - age)
    for number in range(GALLERIES):
        gallery = await library.galleries.create(ANA, name="Lisbon")
        model.things[f"g{number}"] = ModelThing(gallery.id)
    await put(model, "i0", "g0")
    for how, *given_ in steps:
        await ACTS[str(how)](model, *given_)
    for principal in model.principals():
        for name in places[1]:
            await check_image(model, principal, name)
        for name in places[0]:
            await check_gallery(model, principal, name)


async def share(model: Model, made: dict[str, object]) -> None:
    chosen, said = sorted(made["targets"]), made["terms"]  # type: ignore[call-overload]
    assert isinstance(said, Terms)
    starts_at = SINCE if made["starts"] and "library" in chosen else None
    expires_at = model.library.clock() + timedelta(seconds=30) if made["expires"] else None
    share_id = await shares.share(
        model.library.database,
        galleries=[model.things[each].id for each in chosen if each.startswith("g")],
        images=[model.things[each].id for each in chosen if each.startswith("i")],
        library="library" in chosen,
        link=bool(made["has_link"]),
        permissions=said.permissions,
        metadata=said.metadata,
        download=said.download,
        starts_at=starts_at,
        expires_at=expires_at,
    )
    recipients: dict[str, Terms | None] = dict(made["recipients"])  # type: ignore[call-overload]
    for name, own in recipients.items():
        overrides = (None, None, None) if own is None else (own.permissions, own.metadata, own.download)
        await shares.add_recipient(model.library.database, share_id, name, *overrides)
    has_link = bool(made["has_link"])
    model.shares.append(ModelShare(share_id, frozenset(chosen), said, recipients, has_link, starts_at, expires_at))


async def revoke(model: Model, number: int) -> None:
    if model.shares:
        gone = model.shares[number % len(model.shares)]
        await shares.change(model.library.database, gone.id, revoked_at=model.library.clock())
        gone.is_revoked = True


async def change(model: Model, number: int, said: Terms) -> None:
    if model.shares:
        changed = model.shares[number % len(model.shares)]
        values = {"metadata": said.metadata.value, "download": said.download.value}
        await shares.change(model.library.database, changed.id, permissions=said.permissions.value, **values)
        changed.terms = said


async def forget_recipients(model: Model, number: int) -> None:
    if model.shares:
        forgotten = model.shares[number % len(model.shares)]
        await shares.remove_recipients(model.library.database, forgotten.id)
        forgotten.recipients = {}


async def put(model: Model, image: str, gallery: str) -> None:
    thing = model.things[image]
    if not thing.is_trashed:
        await model.library.galleries.add_images(ANA, model.things[gallery].id, [thing.id])
        thing.galleries.add(gallery)


async def take_out(model: Model, image: str, gallery: str) -> None:
    thing = model.things[image]
    if gallery in thing.galleries and not thing.is_trashed:
        await model.library.galleries.remove_image(ANA, model.things[gallery].id, thing.id)
        thing.galleries.remove(gallery)


async def open_thing(model: Model, name: str, visibility: Visibility) -> None:
    thing = model.things[name]
    if name.startswith("g"):
        await model.library.galleries.update(ANA, thing.id, visibility=visibility)
    elif not thing.is_trashed:
        await model.library.images.update(ANA, thing.id, visibility=visibility)
    else:
        return
    thing.visibility = visibility


async def trash(model: Model, name: str, number: int) -> None:
    """By anybody: whoever may."""
    everybody = model.principals()
    principal, thing = everybody[number % len(everybody)], model.things[name]
    expected = model.refusal(principal, name, Permission.DELETE)
    await expect(expected, model.library.images.trash.put(principal, thing.id))
    thing.is_trashed = thing.is_trashed or expected is None


async def restore(model: Model, name: str) -> None:
    await model.library.images.trash.restore(ANA, model.things[name].id)
    model.things[name].is_trashed = False


async def wait(model: Model) -> None:
    model.library.clock.advance(timedelta(seconds=20))


ACTS: Mapping[str, Callable[..., Awaitable[None]]] = {
    "share": share,
    "revoke": revoke,
    "change": change,
    "forget recipients": forget_recipients,
    "put": put,
    "take out": take_out,
    "open": open_thing,
    "trash": trash,
    "restore": restore,
    "wait": wait,
}


async def check_image(model: Model, principal: Principal, name: str) -> None:
    images, thing = model.library.images, model.things[name]
    seen = await expect(model.refusal(principal, name, Permission.VIEW), images.get(principal, thing.id))
    many = await images.get_many(principal, [thing.id])
    assert list(many) == ([] if seen is None else [thing.id])
    for shown in (seen, *many.values()):
        if isinstance(shown, Image):
            has_place = model.metadata(principal, name) is MetadataShown.ALL
            assert (shown.latitude is not None) is has_place, (principal, name)
    edited = images.update(principal, thing.id, alt_text="A tram")
    await expect(model.refusal(principal, name, Permission.EDIT), edited)
    needed = Permission.VIEW if model.gives_variant(principal, name) else Permission.DOWNLOAD
    refusal = model.refusal(principal, name, needed)
    if refusal is not None or model.metadata(principal, name) is MetadataShown.ALL:
        await expect(refusal, images.download_url(principal, thing.id))


async def check_gallery(model: Model, principal: Principal, name: str) -> None:
    galleries, thing = model.library.galleries, model.things[name]
    refusal = model.refusal(principal, name, Permission.VIEW)
    await expect(refusal, galleries.get(principal, thing.id))
    listed = await expect(refusal, galleries.list_images(principal, thing.id))
    if listed is not None:
        inside = [each for each in model.things.values() if name in each.galleries and not each.is_trashed]
        assert {each.id for each in listed.items} == {each.id for each in inside}  # type: ignore[attr-defined]
    edited = galleries.update(principal, thing.id, name="Porto")
    await expect(model.refusal(principal, name, Permission.EDIT), edited)


async def expect(refusal: type[Exception] | None, answer: Awaitable[object]) -> object:
    """What is answered, which is this refusal, if any; ``None`` then."""
    refused, found = None, None
    try:
        found = await answer
    except (NotFound, Forbidden, Unauthenticated) as error:
        refused = type(error)
    assert refused is refusal, found
    return found
