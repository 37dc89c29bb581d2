"""S3's errors, translate_errors to ours."""

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

# API reference, "List of error codes". A response to HEAD has no body: its code is the status.
_ABSENT = frozenset({"NoSuchKey", "NoSuchUpload", "NotFound", "404"})
_UNMET = frozenset({"PreconditionFailed", "412", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"})
_LATER = frozenset(
    # The last two mean that the bytes were damaged in transit. A conflict is another writer at the same moment: a retry
    # shows how that ended.
    {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling", "ThrottlingException"}
    | {"TooManyRequests", "RequestLimitExceeded", "OperationAborted", "ConditionalRequestConflict"}
    | {"BadDigest", "XAmzContentChecksumMismatch"}
)
_REMEDIES: Mapping[str, str] = {
    "NoSuchBucket": "there is no such bucket; `imagegallery storage setup --create` makes it",
    "AccessDenied": "these credentials lack a permission; the head of `storage/s3/store.py` lists them",
    # All that a refused HEAD says.
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
# botocore raises the latter for keys of a role that had already expired.
_NO_KEYS = (CredentialRetrievalError, MetadataRetrievalError, RuntimeError)


class RangeBeyondEnd(Exception):
    """The range starts after the object's end."""


@contextmanager
def translate_errors(bucket: str) -> Iterator[None]:
    """Raise our errors in place of those of botocore and aiohttp.

    `ObjectNotFound` and `PreconditionFailed` concern the object. `ConfigurationError` names the bucket and a remedy.
    Anything else, after botocore's own retries, is `Unavailable`.
    """
    try:
        yield
    except ClientError as error:
        raise _answer(error, bucket) from error
    except (*_BROKEN, OSError) as error:  # including time-outs
        raise Unavailable("The object store does not answer.") from error
    except _NO_KEYS as error:
        raise Unavailable("The AWS credentials could not be read or renewed.") from error
    except BotoCoreError as error:  # no request was sent: no credentials, or invalid parameters
        raise ConfigurationError(f"The object store cannot be used: {error}") from error


def code_of(error: BaseException | None) -> str:
    """S3's own code behind one of our errors, empty if the error did not come from S3."""
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
