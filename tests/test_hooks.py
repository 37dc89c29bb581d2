"""What becomes of a hook that answers, refuses, breaks, hangs or is cut off."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import anyio
import pytest

from imagegallery import InvalidInput, Refused, Unavailable, hooks
from imagegallery.errors import HookFailed, ImageGalleryError
from imagegallery.hooks import run_hook, run_within

SOON = timedelta(milliseconds=1)


def twice(value: int) -> int:
    return 2 * value


async def twice_later(value: int) -> int:
    await anyio.lowlevel.checkpoint()
    return 2 * value


class Twice:
    async def __call__(self, value: int) -> int:
        return 2 * value


@pytest.mark.parametrize(
    "hook", [twice, twice_later, partial(twice), partial(twice_later), Twice(), lambda each: twice_later(each)]
)
async def test_it_answers_whether_it_waits_or_not(hook: Callable[[int], int]) -> None:
    assert await run_hook("accept", hook, 21) == 42


async def test_one_that_is_not_async_does_not_hold_up_the_others() -> None:
    assert await run_hook("accept", threading.get_ident) != threading.get_ident()


@pytest.mark.parametrize("error", [Refused("No faces, please."), InvalidInput("No."), Unavailable("Later.")])
async def test_our_errors_are_its_refusal(error: ImageGalleryError) -> None:
    async def accept() -> None:
        raise error

    with pytest.raises(type(error)) as refused:
        await run_hook("accept", accept)
    assert refused.value is error


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), TimeoutError("secret"), KeyError("secret")])
async def test_any_other_error_is_logged_and_told_in_words_of_ours(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def accept() -> None:
        raise error

    with pytest.raises(HookFailed) as failed:
        await run_hook("policy item", accept)
    assert failed.value.message == "The application's own check (policy item) failed, so nothing was done."
    assert "secret" in caplog.text
    assert isinstance(failed.value, Unavailable)


async def test_one_that_hangs_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    ended = False

    async def accept() -> None:
        nonlocal ended
        try:
            await anyio.sleep_forever()
        finally:
            ended = True

    caplog.set_level(logging.ERROR)
    with pytest.raises(HookFailed, match="did not answer in time"):
        await run_within(SOON, "accept", accept)
    assert ended
    assert "did not answer within" in caplog.text


async def test_a_thread_that_hangs_is_left_alone() -> None:
    release = threading.Event()
    try:
        with pytest.raises(HookFailed, match="did not answer in time"):
            await run_within(SOON, "accept", release.wait)
    finally:
        release.set()


async def test_who_is_cancelled_is_cancelled() -> None:
    with anyio.move_on_after(0) as scope:
        await run_hook("accept", anyio.sleep_forever)
    assert scope.cancelled_caught


async def test_plain_ones_that_hang_fill_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are bounded, those too that were cut off, and the threads that read files are others."""
    monkeypatch.setattr(hooks, "PLAIN_AT_ONCE", 2)
    entered, end = threading.Semaphore(0), threading.Event()

    def hang() -> None:
        entered.release()
        end.wait()

    try:
        for _ in range(4):
            with pytest.raises(HookFailed, match="did not answer in time"):
                await run_within(SOON, "accept", hang)
        for _ in range(2):
            assert await anyio.to_thread.run_sync(partial(entered.acquire, timeout=10))
        assert not entered.acquire(blocking=False)
    finally:
        end.set()
    assert await run_hook("accept", twice, 21) == 42
