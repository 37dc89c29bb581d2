"""What S3 says when it says no, in our own words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from aiohttp import ClientError as HttpError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as NoConnection,
)

from imagegallery.errors import (
    ConfigurationError,
    ImageGalleryError,
    ObjectNotFound,
    PreconditionFailed,
    Unavailable,
)

# API reference, "List of error codes". A HEAD has no body: its code is then the status.
_ABSENT = frozenset({"NoSuchKey", "NoSuchUpload", "NotFound", "404"})
_UNMET = frozenset({"PreconditionFailed", "412", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"})
_LATER = frozenset(
    # The last two: the bytes were damaged on their way. A conflict is another writer at the same moment: who tries
    # again learns how that ended.
    {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling", "ThrottlingException"}
    | {"TooManyRequests", "RequestLimitExceeded", "OperationAborted", "ConditionalRequestConflict"}
    | {"BadDigest", "XAmzContentChecksumMismatch"}
)
_REMEDIES: Mapping[str, str] = {
    "NoSuchBucket": "there is no such bucket; `imagegallery storage setup --create` makes it",
    "AccessDenied": "these credentials lack a permission; the head of `storage/s3/store.py` lists them",
    # A HEAD that is refused tells no more than this.
    "403": "the keys are wrong, or lack a permission; the head of `storage/s3/store.py` lists them",
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret access key is wrong",
    "ExpiredToken": "the credentials have expired",
    "InvalidToken": "the session token is not valid",
    "TokenRefreshRequired": "the credentials have expired",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "IllegalLocationConstraintException": "the bucket is in another region; set `aws.region`",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set `aws.region`",
    "NotImplemented": "the store cannot do that",
}
_BROKEN = (NoConnection, HTTPClientError, HttpError, IncompleteReadError, FlexibleChecksumError)
# The latter is what botocore says to a role's keys that had ended when they came.
_NO_KEYS = (CredentialRetrievalError, MetadataRetrievalError, RuntimeError)


class RangeBeyondEnd(Exception):
    """The object is not as long as the range's start."""


@contextmanager
def translated(bucket: str) -> Iterator[None]:
    """Raise our errors in place of botocore's and aiohttp's.

    `ObjectNotFound` and `PreconditionFailed` are the object's matter; `ConfigurationError` names the bucket and what
    to do about it; all else, after botocore's own retries, is `Unavailable`.
    """
    try:
        yield
    except ClientError as error:
        raise _answer(error, bucket) from error
    except (*_BROKEN, OSError) as error:  # a time-out is one, too
        raise Unavailable("The object store does not answer.") from error
    except _NO_KEYS as error:
        raise Unavailable("The AWS credentials could not be read or renewed.") from error
    except BotoCoreError as error:  # no request was sent: no credentials, or parameters that make no sense
        raise ConfigurationError(f"The object store cannot be used: {error}") from error


def code_of(error: BaseException | None) -> str:
    """S3's own code behind one of our errors; empty if it was not S3 that spoke."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def _answer(error: ClientError, bucket: str) -> ImageGalleryError | RangeBeyondEnd:
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _ABSENT:
        return ObjectNotFound("There is no such object.")
    if code in _UNMET:
        return PreconditionFailed(
            "The object, or a part of it, is not the one that was asked for, or is there already."
        )
    if code in ("InvalidRange", "416"):
        return RangeBeyondEnd()
    is_fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    if code in _LATER or is_fault or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unavailable("The object store is busy or failing.")
    remedy = _REMEDIES.get(code, f"the store refused the request ({code})")
    return ConfigurationError(f"The bucket {bucket} cannot be used for {error.operation_name}: {remedy}.")
