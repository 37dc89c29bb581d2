"""Passwords of links, and how many strangers may have checked at once."""

import anyio
import pytest

from imagegallery.errors import Overloaded
from imagegallery.sharing.passwords import AT_ONCE, MAX_WAITING, Passwords


async def test_a_password_is_kept_by_argon2id_with_a_salt_of_its_own() -> None:
    passwords = Passwords()
    one, other = await passwords.hash("open sesame"), await passwords.hash("open sesame")
    assert one != other
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(one, "open sesame")
    assert not await passwords.verify(one, "Open sesame")
    assert not await passwords.verify("nothing that we keep", "open sesame")


async def test_a_crowd_is_refused_and_fills_no_process() -> None:
    passwords = Passwords()
    kept = await passwords.hash("open sesame")
    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE + MAX_WAITING):
            tasks.start_soon(passwords.verify, kept, "guess")
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        with pytest.raises(Overloaded):
            await passwords.verify(kept, "guess")
        tasks.cancel_scope.cancel()
    assert await passwords.verify(kept, "open sesame")
