"""Uploads whose client sent the bytes and then disappeared, completed when the bucket reports them.

A bucket's events arrive at least once, in any order, and also for uploads that their clients completed. Completing is
idempotent, so each event can be used.
"""

import logging
from typing import Protocol

import anyio

from imagegallery.common.fault_points import fault_point
from imagegallery.queue.failure import describe
from imagegallery.queue.protocol import Mailbox, MailboxMessage
from imagegallery.storage.keys import INCOMING_PREFIX, is_key
from imagegallery.uploads.bucket_events.messages import CreatedObject, created_objects

logger = logging.getLogger(__name__)

COMPLETED = fault_point("arrivals.completed", "the uploads of a letter are complete, the letter comes again")


class CompletesArrived(Protocol):
    async def complete_arrived(self, incoming_key: str) -> None:
        """See `UploadService.complete_arrived`."""


class Arrivals:
    """Handles messages about ``bucket``, in which our keys have ``prefix``."""

    def __init__(self, mailbox: Mailbox, uploads: CompletesArrived, *, bucket: str, prefix: str) -> None:
        self._mailbox = mailbox
        self._uploads = uploads
        self._bucket = bucket
        self._prefix = prefix

    async def run(self) -> None:
        """Handle messages until cancelled. Raises `Unavailable` or `ConfigurationError`; then it may be called
        again."""
        while True:
            await self.handle_next()

    async def handle_next(self) -> None:
        """Handle the available messages, waiting for one if there are none.

        A message that fails now reappears. One that is not about a bucket does, until the redrive policy removes it.
        """
        letters = await self._mailbox.receive()
        async with anyio.create_task_group() as tasks:
            for letter in letters:
                tasks.start_soon(self._handle, letter)

    def _incoming_key(self, created: CreatedObject) -> str | None:
        """The key, if it can be an upload's. A bucket may contain anything, also keys that no database can look for
        (NUL, lone
        surrogates).
        """
        key = created.key.removeprefix(self._prefix)
        is_ours = created.bucket == self._bucket and created.key.startswith(self._prefix)
        return key if is_ours and key.startswith(INCOMING_PREFIX) and is_key(key) else None

    async def _handle(self, letter: MailboxMessage) -> None:
        created = created_objects(letter.body)
        if created is None:
            logger.warning("a message that is not about an object is left to its queue's redrive policy")
            return
        try:
            for each in created:
                if (key := self._incoming_key(each)) is not None:
                    await self._uploads.complete_arrived(key)
            COMPLETED.reached()
            await self._mailbox.acknowledge(letter)
        except Exception as error:
            logger.warning("an upload that arrived could not be completed, it is tried again: %s", describe(error))
