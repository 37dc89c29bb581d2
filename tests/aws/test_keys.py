"""Keys that sign without I/O: an account's own, and a role's, which are renewed meanwhile."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import anyio
import pytest
from aiobotocore.credentials import AioRefreshableCredentials
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError, CredentialRetrievalError

from imagegallery.aws import keys as aws_keys
from imagegallery.aws.clients import open_session
from imagegallery.aws.keys import CurrentKeys, Keys
from imagegallery.aws.options import AwsOptions
from imagegallery.clock import utc_now
from imagegallery.dev_stack.object_store import AWS
from imagegallery.errors import ConfigurationError, Unavailable

Renew = Callable[[], dict[str, str]]


def role(session: AioSession, renew: Renew) -> AioSession:
    """The session with keys that end within a minute, so that every look renews them."""
    ending = utc_now() + timedelta(seconds=30)
    vars(session)["_credentials"] = AioRefreshableCredentials(
        "first", "secret", "token", ending, _async(renew), "tests"
    )
    return session


def _async(renew: Renew) -> Callable[[], object]:
    async def answer() -> dict[str, str]:
        return renew()

    return answer


def metadata(name: str, lasting: timedelta) -> dict[str, str]:
    expires_at: datetime = utc_now() + lasting
    return {"access_key": name, "secret_key": "secret", "token": "token", "expiry_time": expires_at.isoformat()}


async def test_an_accounts_own_keys_stay() -> None:
    async with CurrentKeys.kept(open_session(AWS)) as keys:
        assert keys.now == Keys(str(AWS.access_key_id), str(AWS.secret_access_key), None)


async def test_a_roles_keys_are_renewed_without_being_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_keys, "RENEWAL", 0.0)
    numbers, third = count(), anyio.Event()

    def renew() -> dict[str, str]:
        number = next(numbers)
        if number == 3:
            third.set()
        return metadata(f"key-{number}", timedelta(seconds=30))

    async with CurrentKeys.kept(role(AioSession(), renew)) as keys:
        with anyio.fail_after(30):
            await third.wait()
        assert keys.now.access_key.startswith("key-")
        assert keys.now.access_key != "key-0"
        assert keys.now.token == "token"


async def test_keys_that_cannot_be_renewed_are_used_until_they_can(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(aws_keys, "RENEWAL", 0.0)
    failed = anyio.Event()
    answers = iter([metadata("key", timedelta(seconds=30))])

    def renew() -> dict[str, str]:
        try:
            return next(answers)
        except StopIteration:
            failed.set()
            raise CredentialRetrievalError(provider="tests", error_msg="secret details") from None

    async with CurrentKeys.kept(role(AioSession(), renew)) as keys:
        with anyio.fail_after(30):
            await failed.wait()
        assert keys.now.access_key == "key"


REFUSAL = ClientError({"Error": {"Code": "AccessDenied", "Message": "secret details"}}, "AssumeRole")


@pytest.mark.parametrize("failure", [REFUSAL, RuntimeError("ended"), KeyError("access_key"), ConnectionResetError()])
async def test_a_renewal_that_fails_ends_nothing_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(aws_keys, "RENEWAL", 0.0)
    numbers, again = count(), anyio.Event()

    def renew() -> dict[str, str]:
        number = next(numbers)
        if number == 0:
            return metadata("key", timedelta(seconds=30))
        if number == 2:
            again.set()
        raise failure

    with anyio.fail_after(30):
        async with CurrentKeys.kept(role(AioSession(), renew)) as keys:
            await again.wait()
            assert keys.now.access_key == "key"


async def test_an_error_of_whoever_uses_a_roles_keys_passes_unchanged() -> None:
    def renew() -> dict[str, str]:
        return metadata("key", timedelta(seconds=30))

    with pytest.raises(LookupError, match="mine"):
        async with CurrentKeys.kept(role(AioSession(), renew)):
            raise LookupError("mine")


async def test_keys_that_nobody_gives_are_unavailable() -> None:
    def renew() -> dict[str, str]:
        raise CredentialRetrievalError(provider="tests", error_msg="no answer")

    with pytest.raises(Unavailable):
        async with CurrentKeys.kept(role(AioSession(), renew)):
            pass


async def test_no_keys_at_all_are_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_session(AwsOptions())

    async def none() -> None:
        return None

    monkeypatch.setattr(session, "get_credentials", none)
    with pytest.raises(ConfigurationError, match="no AWS credentials"):
        async with CurrentKeys.kept(session):
            pass
