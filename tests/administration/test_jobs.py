"""What administrators see of the jobs, and what they do with those that failed permanently."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.administration.conftest import ADMIN, Service
from tests.support.database import explain

from imagegallery import Forbidden, ImageGallery, NotFound, Principal, Role, Unauthenticated
from imagegallery.administration.job_service import JobService
from imagegallery.audit.entry import Act
from imagegallery.errors import InvalidCursor
from imagegallery.pagination import FIRST_ID, LAST_MOMENT
from imagegallery.queue import records
from imagegallery.queue.job import JobCounts, KindCount, NewJob
from imagegallery.queue.postgres import PostgresQueue

MINUTE = timedelta(minutes=1)


async def kill(gallery: ImageGallery, kind: str, number: int) -> list[UUID]:
    """Jobs of this kind that failed permanently, the latest first."""
    resources = gallery._resources
    queue, clock = PostgresQueue(resources.database, resources.clock), resources.clock
    async with resources.database.transaction() as connection:
        for each in range(number):
            await queue.enqueue(connection, NewJob(kind, {"number": each}, dedupe_key="same" * each), now=clock())
    for job in await queue.claim([kind], limit=number, lease=MINUTE):
        await queue.bury(job, error=f"the cause of {job.payload['number']}")
    return [job.id for job in await queue.dead(limit=number)]


@pytest.fixture
def jobs(service: Service) -> JobService:
    return service.here.administration.jobs


async def test_jobs_are_counted_by_kind_and_state(service: Service, jobs: JobService) -> None:
    resources = service.here._resources
    now = resources.clock()
    await kill(service.here, "import", 2)
    async with resources.database.transaction() as connection:
        for kind, run_at in (("work", now - MINUTE), ("work", now + MINUTE), ("rest", now)):
            await records.insert(connection, NewJob(kind, run_at=run_at), now=now)
    (held,) = await PostgresQueue(resources.database, resources.clock).claim(["rest"], limit=1, lease=MINUTE)

    assert await jobs.counts(ADMIN) == JobCounts(
        (
            KindCount("import", dead=2),
            KindCount("rest", running=1),
            KindCount("work", waiting=2, due_since=now - MINUTE),
        ),
        records.COUNTED_TO,
    )
    (running,) = await jobs.running(ADMIN)
    assert (running.id, running.kind, running.attempt, running.held_until) == (
        held.id,
        "rest",
        1,
        held.lease_expires_at,
    )


async def test_no_more_are_counted_than_to_the_limit(service: Service) -> None:
    await kill(service.here, "import", 5)
    async with service.here._resources.database.connection() as connection:
        counts = await records.counts(connection, counted_to=3)
        assert (counts.dead, counts.counted_to) == (3, 3)


async def test_each_look_at_jobs_reads_an_index(service: Service) -> None:
    async with service.here._resources.database.connection() as connection:
        await connection.execute("SET enable_seqscan = off")
        looks: dict[str, tuple[object, ...]] = {records.COUNTS: (10,), records.RUNNING: (10,)}
        place = {"died_at": LAST_MOMENT, "id": FIRST_ID, "limit": 10}
        looks[records.DEAD_PAGE.sql] = records.DEAD_PAGE.arguments(place)
        looks[records.DEAD_OF_KIND.sql] = records.DEAD_OF_KIND.arguments({**place, "kind": "work"})
        for statement, arguments in looks.items():
            plan = await explain(connection, statement, *arguments)
            assert "Seq Scan" not in plan, statement
            assert statement == records.COUNTS or '"Sort"' not in plan, statement
            if "kind = " in statement:
                assert "jobs_dead_by_kind" in plan


async def test_dead_jobs_are_listed_by_page_and_by_kind(service: Service, jobs: JobService) -> None:
    imports, works = await kill(service.here, "import", 3), await kill(service.here, "work", 1)
    first = await jobs.dead(ADMIN, limit=3)
    rest = await jobs.dead(ADMIN, limit=3, cursor=first.next_cursor)
    assert [each.id for each in (*first.items, *rest.items)] == [*works, *imports]
    assert first.items[1].error == "the cause of 2"
    assert not rest.has_more
    assert [each.id for each in (await jobs.dead(ADMIN, kind="import")).items] == imports
    with pytest.raises(InvalidCursor):
        await jobs.dead(ADMIN, kind="import", cursor=first.next_cursor)


async def test_one_is_tried_again_and_one_discarded(service: Service, jobs: JobService) -> None:
    last, second, first = await kill(service.here, "work", 3)
    await jobs.redrive(ADMIN, second)
    await jobs.discard(ADMIN, str(last))
    assert [each.id for each in (await jobs.dead(ADMIN)).items] == [first]
    assert [each.waiting for each in (await jobs.counts(ADMIN)).kinds] == [1]
    for act in (jobs.redrive, jobs.discard):
        for gone in (second, last, uuid4()):
            with pytest.raises(NotFound):
                await act(ADMIN, gone)
    kept = [(each.entry.act, each.entry.details) for each in (await service.here.audit.all(ADMIN)).items]
    assert kept == [
        (Act.JOB_DISCARDED, {"job": str(last), "kind": "work"}),
        (Act.JOB_REDRIVEN, {"job": str(second)}),
    ]


async def test_many_are_dealt_with_at_once(service: Service, jobs: JobService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagegallery.administration.dead_jobs.AT_ONCE", 2)
    await kill(service.here, "import", 2)
    until = service.here._resources.clock()
    works = await kill(service.here, "work", 3)

    done = await jobs.redrive_many(ADMIN, kind="work")
    assert (done.jobs, done.has_more) == (2, True)
    assert [each.id for each in (await jobs.dead(ADMIN, kind="work")).items] == works[2:]

    done = await jobs.discard_many(ADMIN, until=until)
    assert (done.jobs, done.has_more) == (2, True)
    done = await jobs.discard_many(ADMIN, until=until)
    assert (done.jobs, done.has_more) == (0, False), "what died later stays"
    assert [each.id for each in (await jobs.dead(ADMIN)).items] == works[2:]
    kept = [(each.entry.act, each.entry.details) for each in (await service.here.audit.all(ADMIN)).items]
    assert kept == [
        (Act.JOB_DISCARDED, {"kind": None, "jobs": 2}),
        (Act.JOB_REDRIVEN, {"kind": "work", "jobs": 2}),
    ]


@pytest.mark.parametrize("who", [Principal.user("ana"), Principal.user("mo", role=Role.MODERATOR)])
async def test_only_administrators_see_and_do_it(service: Service, jobs: JobService, who: Principal) -> None:
    (dead,) = await kill(service.here, "work", 1)
    for act in (
        lambda principal: jobs.counts(principal),
        lambda principal: jobs.running(principal),
        lambda principal: jobs.dead(principal),
        lambda principal: jobs.redrive(principal, dead),
        lambda principal: jobs.discard(principal, dead),
        lambda principal: jobs.redrive_many(principal),
        lambda principal: jobs.discard_many(principal),
    ):
        with pytest.raises(Forbidden, match="Only administrators"):
            await act(who)
        with pytest.raises(Unauthenticated):
            await act(Principal.anonymous())
    assert [each.id for each in (await jobs.dead(ADMIN)).items] == [dead]
