"""Clients that do not send what they announced, or do not take what they asked for."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import ReferenceType, ref

import anyio
import pytest
from attrs import field, frozen
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegallery import ConfigurationError, Settings
from imagegallery_asgi import ClientLimits
from imagegallery_asgi.framework.metrics import Metrics
from imagegallery_asgi.middleware import exchange as middleware
from imagegallery_asgi.middleware.exchange import ErrorNet, Exchanges
from imagegallery_asgi.middleware.patience import Patience, Patient

STALL = 0.02
QUICK = ClientLimits(stall=timedelta(seconds=STALL))
PATIENT = ClientLimits(stall=timedelta(hours=1), bodies=4, bodies_per_address=2)
REST = {"type": "http.request", "body": b"{", "more_body": True}
END = {"type": "http.request", "body": b"}", "more_body": False}


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await answers(scope, receive, send)


async def answers(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


def surrounded(app: ASGIApp, limits: ClientLimits) -> ASGIApp:
    return Exchanges(ErrorNet(Patient(app, limits)), Metrics())


@frozen
class Client:
    """One request of an application: what it sends, and what it got."""

    address: str = "192.0.2.1"
    has_body: bool = True
    sent: list[Message] = field(factory=list)
    news: anyio.Event = field(factory=anyio.Event)
    got: list[Message] = field(factory=list)

    @property
    def status(self) -> int | None:
        return self.got[0]["status"] if self.got else None

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.got[0]["headers"])

    async def ask(self, app: ASGIApp, take: Callable[[Message], Awaitable[None]] | None = None) -> None:
        headers = [(b"content-length", b"1000")] if self.has_body else []
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": "/", "query_string": b"",
            "headers": headers, "client": (self.address, 1),
        }  # fmt: skip

        async def receive() -> Message:
            if not self.sent:
                await self.news.wait()
            return self.sent.pop(0)

        async def send(message: Message) -> None:
            if take is not None:
                await take(message)
            self.got.append(message)

        await app(scope, receive, send)


def waits(seconds: float, received: int) -> float:
    return Patience(ClientLimits(), seconds, received).left


def test_so_long_is_waited_for_a_byte_and_not_for_ever_for_one_now_and_then() -> None:
    assert waits(0, 0) == 30
    assert waits(20, 20_000) == 30, "it comes fast enough"
    assert waits(29, 1) == pytest.approx(1, abs=0.1)
    assert waits(58, 2) < 0
    assert waits(3_600, 3_600 * 500) == 30


@pytest.mark.parametrize("first", [[], [REST], [REST, REST]])
async def test_a_body_that_does_not_come_is_408_and_the_end_of_its_connection(
    first: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "_DISCARD_SECONDS", 3_600)  # nothing more is waited for
    client = Client(sent=[*first])
    with anyio.fail_after(30):
        await client.ask(surrounded(reads_all, QUICK))
    assert client.status == 408
    assert client.headers[b"connection"] == b"close"
    assert b"body_stalled" in client.got[1]["body"]


@pytest.fixture
def _no_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_garbage_collection")
async def test_nothing_holds_the_request_of_a_client_that_stalled() -> None:
    """Granian keeps the connection for as long as anything holds its ``receive`` or ``send``."""
    held: list[ReferenceType[object]] = []
    client = Client(sent=[REST])

    class Server:
        """The part of a server that one request holds."""

        def receive(self) -> asyncio.Future[Message]:
            coming = asyncio.get_running_loop().create_future()
            if client.sent:
                coming.set_result(client.sent.pop(0))
            return coming

        async def send(self, message: Message) -> None:
            client.got.append(message)

    def surrounds(app: ASGIApp) -> ASGIApp:
        async def served(scope: Scope, _receive: Receive, _send: Send) -> None:
            server = Server()
            held.append(ref(server))
            await app(scope, server.receive, server.send)

        return served

    await client.ask(surrounds(surrounded(reads_all, QUICK)))
    assert client.status == 408
    assert held[0]() is None


async def test_after_its_body_a_client_may_be_silent(caplog: pytest.LogCaptureFixture) -> None:
    """Streams of events wait for it to go, however long that takes."""

    async def listens(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        with anyio.move_on_after(3 * STALL) as waiting:
            await receive()
        assert waiting.cancelled_caught
        await answers(scope, receive, send)

    for client in (Client(sent=[END]), Client(has_body=False, sent=[END])):
        await client.ask(surrounded(listens, QUICK))
        assert client.status == 200


async def test_an_answer_that_nobody_takes_is_broken_off_without_an_error(caplog: pytest.LogCaptureFixture) -> None:
    taken: list[str] = []

    async def takes_no_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            await anyio.sleep_forever()

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        taken.append("opened")
        yield
        taken.append("never")

    async def serves(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with opened():
                await answers(scope, receive, send)
        finally:
            taken.append("closed")

    with anyio.fail_after(30):
        await Client(has_body=False).ask(surrounded(serves, QUICK), takes_no_body)
    assert taken == ["opened", "closed"]
    assert not caplog.records


async def test_bodies_are_bounded_by_address_and_in_all_until_they_are_there(caplog: pytest.LogCaptureFixture) -> None:
    at_work = anyio.Event()

    async def works_long(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await at_work.wait()
        await answers(scope, receive, send)

    app = surrounded(works_long, PATIENT)
    async with anyio.create_task_group() as tasks:

        async def begun(address: str) -> Client:
            client = Client(address)
            tasks.start_soon(client.ask, app)
            await anyio.wait_all_tasks_blocked()
            return client

        async def refused(address: str, why: bytes) -> bool:
            client = Client(address, sent=[REST, END])
            await client.ask(app)
            return (client.status, client.headers[b"retry-after"]) == (503, b"10") and why in client.got[1]["body"]

        one, _two = await begun("192.0.2.1"), await begun("192.0.2.1")
        assert await refused("192.0.2.1", b"from your address")
        await begun("2001:db8:1:2::1")
        await begun("2001:db8:1:2::2")
        assert await refused("192.0.2.7", b"sent here at once")
        asks_only = Client("192.0.2.1", has_body=False, sent=[END])
        tasks.start_soon(asks_only.ask, app)
        one.sent.append(END)
        one.news.set()
        await anyio.wait_all_tasks_blocked()
        assert one.status is None, "still at work, but its body is there"
        another = await begun("192.0.2.1")
        assert await refused("2001:db8:1:3::1", b"sent here at once")
        another.sent.append(END)
        another.news.set()
        at_work.set()
        await anyio.wait_all_tasks_blocked()
        assert [client.status for client in (one, another, asks_only)] == [200, 200, 200]
        tasks.cancel_scope.cancel()
    assert [record.levelname for record in caplog.records].count("WARNING") == 1, "told once"


async def test_whatever_becomes_of_a_request_its_place_is_free_again() -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError

    patient = Patient(fails, PATIENT)
    app: ASGIApp = Exchanges(ErrorNet(patient), Metrics())
    for _ in range(5):
        await Client(sent=[REST, END]).ask(app)
    assert (patient._bodies, patient._by_network) == (0, {})


@pytest.mark.parametrize("wrong", ["", "x", "0", "-1", "1e9", "1" * 10, "0.0"])
def test_a_limit_that_is_no_number_is_named(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STALL", "BODIES"):
        monkeypatch.setenv(f"IMAGEGALLERY_CLIENT_{name}", wrong)
        with pytest.raises(ConfigurationError, match=f"'(client.)?{name.lower()}'"):
            Settings.from_env()
        monkeypatch.delenv(f"IMAGEGALLERY_CLIENT_{name}")


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_env().client == ClientLimits()
    monkeypatch.setenv("IMAGEGALLERY_CLIENT_STALL", "0.5")
    monkeypatch.setenv("IMAGEGALLERY_CLIENT_BODIES_PER_ADDRESS", "9")
    assert Settings.from_env().client == ClientLimits(stall=timedelta(seconds=0.5), bodies_per_address=9)
