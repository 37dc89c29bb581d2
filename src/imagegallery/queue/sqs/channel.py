"""One SQS queue: our requests, in its batches, with errors of our own."""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import anyio
import attrs
from attrs import frozen
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from imagegallery.errors import ConfigurationError, ImageGalleryError, Unavailable
from imagegallery.queue.failure import describe

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import (
        BatchResultErrorEntryTypeDef,
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        DeleteMessageBatchRequestEntryTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

logger = logging.getLogger(__name__)

BATCH: Final = 10  # the most messages in one request
LONGEST_HIDING: Final = timedelta(hours=12)
MISSING: Final = ("QueueDoesNotExist", "NonExistentQueue")
# IAM and SQS API references, "Common Errors"; and what stores that only look like it say.
WRONG_KEYS: Final = (
    *("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"),
    *("IncompleteSignature", "MissingAuthenticationToken", "ExpiredToken", "ExpiredTokenException"),
    *("InvalidAccessKeyId", "AuthFailure"),
)
TOO_MANY: Final = "OverLimit"  # too many messages were received and not deleted: 120,000


@frozen
class Message:
    """A received message, invisible to others until ``hidden_until`` (seconds, `anyio.current_time`)."""

    channel: "SqsChannel"
    body: str
    receipt: str
    hidden_until: float

    def hidden_for(self, duration: timedelta) -> "Message":
        """The message, hidden for ``duration`` from now."""
        return attrs.evolve(self, hidden_until=anyio.current_time() + duration.total_seconds())


@frozen
class OutgoingMessage:
    body: str
    delay: timedelta


class SqsChannel:
    """Every method raises `Unavailable` if SQS does not respond, and `ConfigurationError` if it denies access."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self.name = url.rpartition("/")[2]
        self._client = client
        self.url = url
        self._read: list[str] = []  # receipts of messages to delete
        self._deleting = anyio.Lock()

    async def send(self, messages: Sequence[OutgoingMessage]) -> list[int]:
        """Send up to `BATCH` messages. Returns the indexes of the accepted ones."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(index), "MessageBody": message.body, "DelaySeconds": _seconds(message.delay)}
            for index, message in enumerate(messages)
        ]
        with translate_errors(self.name):
            answer = await self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
        self._log_failures("sent", answer.get("Failed", ()))
        return [int(entry["Id"]) for entry in answer.get("Successful", ())]

    async def receive(self, *, limit: int, hide: timedelta, wait: timedelta = timedelta(0)) -> list[Message]:
        """Receive up to ``limit`` messages, hiding them from others. Without any, it waits for one."""
        hidden_until = anyio.current_time() + hide.total_seconds()
        with translate_errors(self.name):
            answer = await self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(limit, BATCH),
                VisibilityTimeout=_seconds(hide),
                WaitTimeSeconds=_seconds(wait),
            )
        return [
            Message(self, entry["Body"], entry["ReceiptHandle"], hidden_until) for entry in answer.get("Messages", ())
        ]

    async def delete(self, receipts: Sequence[str]) -> None:
        """Delete messages. Deletions during a request are combined in the next one."""
        self._read.extend(receipts)
        async with self._deleting:
            while batch := self._read[:BATCH]:
                del self._read[:BATCH]
                entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                    {"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(batch)
                ]
                with translate_errors(self.name):
                    answer = await self._client.delete_message_batch(QueueUrl=self.url, Entries=entries)
                self._log_failures("deleted", answer.get("Failed", ()))

    async def hide(self, receipts: Sequence[str], duration: timedelta) -> None:
        """Hide messages from everybody for ``duration``; zero shows them at once."""
        seconds = _seconds(min(duration, LONGEST_HIDING))
        for start in range(0, len(receipts), BATCH):
            entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
                {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for index, receipt in enumerate(receipts[start : start + BATCH])
            ]
            with translate_errors(self.name):
                answer = await self._client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
            self._log_failures("hidden", answer.get("Failed", ()))

    async def check(self) -> None:
        """Raise `ConfigurationError` if there is no such queue, or we have no access."""
        with translate_errors(self.name):
            await self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])

    def _log_failures(self, what: str, failed: "Iterable[BatchResultErrorEntryTypeDef]") -> None:
        """A message that could not be deleted or hidden comes again; one that could not be sent is sent again."""
        for entry in failed:
            logger.info("queue %s: a message could not be %s: %s", self.name, what, entry.get("Code"))


@contextmanager
def translate_errors(name: str) -> Iterator[None]:
    """Translate the errors of a request about the queue ``name``."""
    try:
        yield
    except ClientError as error:
        raise explain(error, name) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ConfigurationError("There are no credentials for SQS.") from error
    except (BotoCoreError, RuntimeError, OSError) as error:  # RuntimeError: keys that had already expired
        raise Unavailable(f"SQS does not answer: {describe(error)}") from error


def explain(error: ClientError, name: str) -> ImageGalleryError:
    """Explain the service's error to operators."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code.endswith(MISSING):
        return ConfigurationError(f"There is no queue {name}: run imagegallery queue setup.")
    if status >= 500 or "Throttl" in code or code.endswith(TOO_MANY):
        return Unavailable(f"SQS cannot serve queue {name} now: {code}.")
    return ConfigurationError(f"SQS refuses what we ask of queue {name}: {code}.")


def has_wrong_keys(error: ConfigurationError) -> bool:
    """Whether the error means that our keys are unknown or missing."""
    cause = error.__cause__
    code = str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""
    return code.endswith(WRONG_KEYS) or isinstance(cause, NoCredentialsError | PartialCredentialsError)


def _seconds(duration: timedelta) -> int:
    """Whole seconds, rounded up."""
    return math.ceil(duration.total_seconds())
