"""The account's keys as they are now, for signing URLs without I/O."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from aiobotocore.credentials import AioRefreshableCredentials
from aiobotocore.session import AioSession
from attrs import define, field, frozen
from botocore.exceptions import BotoCoreError, ClientError

from imagegallery.common.background import Background
from imagegallery.errors import ConfigurationError, ImageGalleryError, Unavailable

RENEWAL = 60.0  # seconds; keys are renewed 15 minutes before they end
# Whoever gives the keys refuses, answers nonsense or nothing; a RuntimeError is what botocore says to keys that had
# ended when they came.
FAILURES = (BotoCoreError, ClientError, RuntimeError, ValueError, KeyError, OSError)
_log = logging.getLogger(__name__)


@frozen
class Keys:
    """Who signs. With a ``token`` they end, and what they signed ends with them. (Named as botocore's signers ask.)"""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@define
class CurrentKeys:
    """``now`` is kept up to date while `kept` is open: keys of a role come and go."""

    now: Keys

    @classmethod
    @asynccontextmanager
    async def kept(cls, session: AioSession) -> AsyncIterator["CurrentKeys"]:
        """Raises `ConfigurationError` when there are none, `Unavailable` when whoever gives them does not answer."""
        keys = cls(await _read(session))
        if not isinstance(await session.get_credentials(), AioRefreshableCredentials):
            yield keys
            return
        async with Background.running() as background:
            background.keep(partial(keys._renew, session), "renewing the account's keys")
            yield keys

    async def _renew(self, session: AioSession) -> None:
        while True:
            await anyio.sleep(RENEWAL)
            try:
                self.now = await _read(session)
            except ImageGalleryError as error:
                _log.warning("the account's keys were not renewed: %s", error)


async def _read(session: AioSession) -> Keys:
    try:
        credentials = await session.get_credentials()
        if credentials is None:
            raise ConfigurationError("There are no AWS credentials: set `aws.access_key_id`, a profile or a role.")
        frozen_keys = await credentials.get_frozen_credentials()
    except FAILURES as error:
        raise Unavailable("The AWS credentials could not be read or renewed.") from error
    return Keys(str(frozen_keys.access_key), str(frozen_keys.secret_key), _text(frozen_keys.token))


def _text(token: object) -> str | None:
    return None if token is None else str(token)
