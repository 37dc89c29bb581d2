"""Making, listing and deleting webhooks."""

import socket
from datetime import timedelta

import anyio
import pytest
from tests.support.clock import ManualClock

from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from imagegallery.gallery import EVENT_TYPES
from imagegallery.principal import Principal
from imagegallery.webhooks.service import WebhookService
from imagegallery.webhooks.transport import Sender
from imagegallery.webhooks.webhook import WebhookOptions

ANA, BEN = Principal.user("ana"), Principal.user("ben")
URL = "http://127.0.0.1/hook"


def service(database: Database, clock: ManualClock, options: WebhookOptions) -> WebhookService:
    return WebhookService(database, Sender(timedelta(seconds=5), options.allow_private), EVENT_TYPES, options, clock)


@pytest.fixture
def webhooks(database: Database, clock: ManualClock) -> WebhookService:
    return service(database, clock, WebhookOptions(allow_private=True, max_per_owner=3))


async def test_the_secret_is_told_once(webhooks: WebhookService) -> None:
    created = await webhooks.create(ANA, url=URL, event_types=["image.ready", "image.ready"])
    assert created.secret.startswith("whsec_")
    assert created.webhook.event_types == ("image.ready",)
    assert created.webhook.active
    assert await webhooks.get(ANA, created.webhook.id) == created.webhook
    assert await webhooks.list(ANA) == [created.webhook]


async def test_somebody_elses_does_not_exist(webhooks: WebhookService) -> None:
    webhook_id = (await webhooks.create(ANA, url=URL)).webhook.id
    for call in (webhooks.get, webhooks.enable, webhooks.delete):
        with pytest.raises(NotFound):
            await call(BEN, webhook_id)
        with pytest.raises(Unauthenticated):
            await call(Principal.anonymous(), webhook_id)
    assert await webhooks.list(BEN) == []
    await webhooks.delete(ANA, webhook_id)
    with pytest.raises(NotFound):
        await webhooks.get(ANA, webhook_id)


async def test_there_can_be_only_so_many(webhooks: WebhookService) -> None:
    refused = 0

    async def create() -> None:
        nonlocal refused
        try:
            await webhooks.create(ANA, url=URL)
        except Conflict:
            refused += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(create)
    assert refused == 3
    assert len(await webhooks.list(ANA)) == 3


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://localhost/", "https://0/"],
)
async def test_private_addresses_are_refused(database: Database, clock: ManualClock, url: str) -> None:
    strict = service(database, clock, WebhookOptions())
    with pytest.raises(InvalidInput, match="not public"):
        await strict.create(ANA, url=url)
    assert await strict.list(ANA) == []


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "http://2852039166/", "http://0xa9fea9fe/", "http://[::ffff:169.254.169.254]/"],
)
async def test_metadata_of_clouds_is_refused_where_private_addresses_are_not(
    webhooks: WebhookService, url: str
) -> None:
    with pytest.raises(InvalidInput, match="a cloud's metadata"):
        await webhooks.create(ANA, url=url)
    assert await webhooks.list(ANA) == []


async def test_names_of_a_private_network_need_not_be_known_yet(
    webhooks: WebhookService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    created = await webhooks.create(ANA, url="http://receiver.invalid/hook")
    assert created.webhook.active
