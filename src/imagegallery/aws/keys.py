"""The account's current keys, for signing URLs without I/O."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from aiobotocore.credentials import AioRefreshableCredentials
from aiobotocore.session import AioSession
from attrs import define, field, frozen
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

from imagegallery.common.background import Background
from imagegallery.errors import ConfigurationError, ImageGalleryError, Unavailable

RENEWAL = 60.0  # seconds; keys are renewed 15 minutes before they end
# The provider of keys refuses, or returns nonsense or nothing. botocore raises a RuntimeError for keys that had already
# expired.
FAILURES = (BotoCoreError, ClientError, RuntimeError, ValueError, KeyError, OSError)
_log = logging.getLogger(__name__)


@frozen
class Keys:
    """The signing keys. With a ``token`` they expire, and their signatures with them."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def credentials(self) -> ReadOnlyCredentials:
        return ReadOnlyCredentials(self.access_key, self.secret_key, self.token)


@define
class CurrentKeys:
    """Keys of a role change, so ``now`` is updated while `kept` is open."""

    now: Keys

    @classmethod
    @asynccontextmanager
    async def kept(cls, session: AioSession) -> AsyncIterator["CurrentKeys"]:
        """Keep the keys current.

        Raises:
            ConfigurationError: If there are none.
            Unavailable: If their provider does not respond.
        """
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
