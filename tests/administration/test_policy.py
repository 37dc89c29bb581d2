"""What administrators change at run time: who may, what holds then and where, and how it comes back."""

import anyio
import pytest
from tests.administration.conftest import ADMIN, MAX_SIZE, OTHER_ADMIN, Service
from tests.support.photographs import photograph

from imagegallery import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Principal,
    QuotaExceeded,
    RateLimited,
    Role,
    TooLarge,
    Unauthenticated,
    UnsupportedType,
)
from imagegallery.administration.policy_history import StandingPolicy
from imagegallery.audit.entry import ActorKind
from imagegallery.errors import TypeMismatch, UploadRateExceeded
from imagegallery.storage.streams import bytes_chunks

ANA = Principal.user("ana")


async def change(service: Service, why: str = "because", /, **rules: object) -> StandingPolicy:
    return await service.here.administration.change_policy(ADMIN, rules, why=why)  # type: ignore[arg-type]


async def test_until_somebody_says_anything_the_settings_hold(service: Service) -> None:
    standing = await service.here.administration.policy(ADMIN)
    assert (standing.version.number, standing.version.rules) == (0, {})
    assert (standing.in_force.max_size, standing.in_force.guest_uploads) == (MAX_SIZE, False)


async def test_rules_are_patched_and_each_version_says_who_and_why(service: Service) -> None:
    await change(service, "Disks are full.", max_size=500_000, guest_uploads=True)
    patched = await service.here.administration.change_policy(
        OTHER_ADMIN, {"max_size": None, "originals": "strip_place"}, why="Disks are larger."
    )
    assert patched.version.rules == {"guest_uploads": True, "originals": "strip_place"}
    assert (patched.in_force.max_size, patched.in_force.guest_uploads) == (MAX_SIZE, True)

    page = await service.there.administration.policy_versions(ADMIN)
    assert [(each.number, each.changed_by, each.why) for each in page.items] == [
        (2, "bea", "Disks are larger."),
        (1, "ada", "Disks are full."),
    ]
    assert page.items[0].created_at > page.items[1].created_at


async def test_versions_are_listed_by_cursor(service: Service) -> None:
    for size in (3, 2, 1):
        await change(service, max_size=size)
    first = await service.here.administration.policy_versions(ADMIN, limit=2)
    rest = await service.here.administration.policy_versions(ADMIN, limit=2, cursor=first.next_cursor)
    assert [[each.number for each in page.items] for page in (first, rest)] == [[3, 2], [1]]
    assert rest.next_cursor is None


async def test_what_changes_nothing_is_no_version(service: Service) -> None:
    """An answer may be lost, and the request sent again."""
    once, twice = await change(service, max_size=5), await change(service, max_size=5)
    assert twice == once
    assert (await change(service, hotlinks=None)).version.number == 1


async def test_any_version_can_hold_again(service: Service) -> None:
    administration = service.here.administration
    await change(service, max_size=5)
    await change(service, max_size=6, hotlinks=False)
    back = await administration.restore_policy(OTHER_ADMIN, 1, why="Too much.")
    assert (back.version.number, back.version.restores, back.version.rules) == (3, 1, {"max_size": 5})
    assert back.in_force.hotlinks
    alone = await administration.restore_policy(ADMIN, 0, why="As the settings say.")
    assert (alone.version.number, alone.version.restores, alone.version.rules) == (4, 0, {})
    with pytest.raises(NotFound):
        await administration.restore_policy(ADMIN, 5, why="There is none.")


async def test_all_faults_are_told_at_once_and_nothing_changes(service: Service) -> None:
    with pytest.raises(InvalidInput) as refused:
        await service.here.administration.change_policy(
            ADMIN, {"max_size": MAX_SIZE + 1, "allowed_types": ["text/html"], "hotlinks": 2, "hot": 1}, why=" "
        )
    assert {".".join(fault.path) for fault in refused.value.faults} == {
        "body.why",
        "body.rules.max_size",
        "body.rules.allowed_types",
        "body.rules.hotlinks",
        "body.rules.hot",
    }
    assert (await service.here.administration.policy(ADMIN)).version.number == 0


@pytest.mark.parametrize("who", [Principal.user("ana"), Principal.user("mo", role=Role.MODERATOR)])
async def test_only_administrators_see_and_change_it(service: Service, who: Principal) -> None:
    await change(service, max_size=5)
    administration = service.here.administration
    for act in (
        lambda principal: administration.policy(principal),
        lambda principal: administration.policy_versions(principal),
        lambda principal: administration.change_policy(principal, {"max_size": 1}, why="x"),
        lambda principal: administration.change_policy(principal, {"nonsense": 1}, why=""),
        lambda principal: administration.restore_policy(principal, 0, why="x"),
        lambda principal: administration.restore_policy(principal, 77, why="x"),
    ):
        with pytest.raises(Forbidden, match="Only administrators can do this"):
            await act(who)
        with pytest.raises(Unauthenticated):
            await act(Principal.anonymous())
    assert (await administration.policy(ADMIN)).version.number == 1


async def test_of_two_who_saw_the_same_one_changes_it_and_the_other_hears_that(service: Service) -> None:
    seen = (await service.here.administration.policy(ADMIN)).version.number

    def unchanged(standing: StandingPolicy) -> None:
        if standing.version.number != seen:
            raise Conflict("It was changed meanwhile.")

    answers: list[int | None] = []

    async def say(size: int) -> None:
        gallery = (service.here, service.there)[size % 2]
        try:
            said = await gallery.administration.change_policy(ADMIN, {"max_size": size}, why="mine", check=unchanged)
            answers.append(said.version.number)
        except Conflict:
            answers.append(None)

    async with anyio.create_task_group() as tasks:
        for size in (1, 2):
            tasks.start_soon(say, size)
    assert sorted(answers, key=str) == [1, None]


async def test_of_many_at_once_none_is_lost(service: Service) -> None:
    rules = {"max_size": 7, "storage_limit": 8, "hotlinks": False, "guest_uploads": True, "upload_rate": "9/day"}

    async def say(name: str, value: object, number: int) -> None:
        gallery = (service.here, service.there)[number % 2]
        await gallery.administration.change_policy(ADMIN, {name: value}, why="mine")  # type: ignore[dict-item]

    async with anyio.create_task_group() as tasks:
        for number, (name, value) in enumerate(rules.items()):
            tasks.start_soon(say, name, value, number)
    standing = await service.here.administration.policy(ADMIN)
    assert (standing.version.number, standing.version.rules) == (5, rules)


@pytest.fixture(params=["here", "there"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_uploads_are_held_to_it_in_every_process(service: Service, place: str) -> None:
    gallery, jpeg = getattr(service, place), photograph(80, 60)
    await gallery.uploads.add(ANA, jpeg)
    await change(service, allowed_types=["image/png"])
    await service.hear()
    with pytest.raises((UnsupportedType, TypeMismatch)):
        await gallery.uploads.add(ANA, jpeg)
    await change(service, allowed_types=None, max_size=len(jpeg) - 1)
    await service.hear()
    with pytest.raises(TooLarge):
        await gallery.uploads.add(ANA, jpeg)
    await change(service, max_size=None, storage_limit=2 * len(jpeg) - 1)
    await service.hear()
    with pytest.raises(QuotaExceeded):
        await gallery.uploads.add(ANA, jpeg)
    assert (await gallery.uploads.room(ANA)).limit == 2 * len(jpeg) - 1
    await change(service, storage_limit="unlimited", upload_rate="1/hour")
    await service.hear()
    await gallery.uploads.add(ANA, jpeg)
    with pytest.raises(UploadRateExceeded):
        await gallery.uploads.add(ANA, jpeg)
    assert (await gallery.uploads.room(ANA)).limit is None


@pytest.mark.parametrize(
    "rules",
    [{"allowed_types": ["image/png"]}, {"max_size": 10}, {"storage_limit": 10}],
    ids=["allowed_types", "max_size", "storage_limit"],
)
async def test_an_upload_that_is_open_is_judged_as_it_is_when_it_is_completed(
    service: Service, rules: dict[str, object]
) -> None:
    jpeg, uploads = photograph(80, 60), service.there.uploads
    session = await uploads.create(ANA, filename="tram.jpg", content_type="image/jpeg", size=len(jpeg))
    await uploads.server.receive(ANA, session.id, bytes_chunks(jpeg))
    await change(service, "because", **rules)
    await service.hear()
    with pytest.raises((TypeMismatch, TooLarge, QuotaExceeded)):
        await uploads.complete(ANA, session.id)
    assert (await uploads.room(ANA)).used == 0


async def test_new_galleries_are_as_visible_as_it_says(service: Service) -> None:
    galleries = service.there.galleries
    assert (await galleries.create(ANA, name="Before")).visibility == "private"
    await change(service, default_visibility="unlisted")
    await service.hear()
    assert (await galleries.create(ANA, name="After")).visibility == "unlisted"
    assert (await galleries.create(ANA, name="Chosen", visibility="private")).visibility == "private"
    keyed = await galleries.create(ANA, name="Keyed", idempotency_key="k")
    await change(service, default_visibility=None)
    await service.hear()
    assert await galleries.create(ANA, name="Keyed", idempotency_key="k") == keyed, "a repetition asked for the same"


async def test_rates_hold_in_every_process_from_the_next_request_on(service: Service, place: str) -> None:
    rates = getattr(service, place).server.rates
    for _ in range(20):
        await rates.admit_request(ANA, None)
    await change(service, user_rate="1/hour")
    await service.hear()
    await rates.admit_request(ANA, None)
    with pytest.raises(RateLimited):
        await rates.admit_request(ANA, None)


async def test_what_is_changed_is_audited(service: Service) -> None:
    await change(service, max_size=5)
    await service.here.administration.restore_policy(ADMIN, 0, why="back")
    records = (await service.here.audit.all(ADMIN)).items
    assert [(each.entry.act, each.entry.actor.kind, each.entry.actor.id, each.entry.grant) for each in records] == [
        ("policy.restored", ActorKind.USER, "ada", "role:admin"),
        ("policy.changed", ActorKind.USER, "ada", "role:admin"),
    ]
    assert records[1].entry.details == {"max_size": [None, 5]}
    assert records[1].entry.subject == "policy/1"
