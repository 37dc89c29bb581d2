"""A bucket is made and given its rules, once; a store is asked for its promises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from tests.support.servers.object_store import SharedObjectStore

from imagegallery.dev_stack.object_store import AWS
from imagegallery.errors import ConfigurationError
from imagegallery.storage.options import S3Options
from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.connection import connect
from imagegallery.storage.s3.rules import BucketRules, Rule, ends_versions, is_kept, with_ours
from imagegallery.storage.s3.setup import SetupOutcome, keeps_deleted, set_up
from imagegallery.storage.s3.store import S3Store
from imagegallery.upkeep.check import Level
from imagegallery.upkeep.promises import check_promises

RULES = BucketRules("photos/", 2, ("https://app.example",))
THEIRS: Any = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}


@pytest.fixture
async def new_bucket(object_store_server: SharedObjectStore) -> AsyncIterator[S3Options]:
    """The name of a bucket, which goes afterwards if it was made."""
    options = object_store_server.own_bucket()
    yield options
    async with connect(options, AWS) as connection:
        client, name = connection.bucket.client, connection.bucket.name
        if name in {bucket["Name"] for bucket in (await client.list_buckets())["Buckets"]}:
            await client.delete_bucket(Bucket=name)


async def outcomes(options: S3Options, *, create: bool = False, dry_run: bool = False) -> dict[str, SetupOutcome]:
    return {step.subject: step.outcome async for step in set_up(options, AWS, RULES, create=create, dry_run=dry_run)}


@asynccontextmanager
async def inside(options: S3Options) -> AsyncIterator[Bucket]:
    async with connect(options, AWS) as connection:
        yield connection.bucket


async def test_a_bucket_is_made_and_set_up_once(new_bucket: S3Options) -> None:
    with pytest.raises(ConfigurationError, match="--create"):
        await outcomes(new_bucket)
    planned, done, kept = (
        dict.fromkeys(("bucket", "lifecycle", "cors"), outcome)
        for outcome in (SetupOutcome.PLANNED, SetupOutcome.DONE, SetupOutcome.KEPT)
    )
    assert await outcomes(new_bucket, create=True, dry_run=True) == planned
    assert await outcomes(new_bucket, create=True) == done
    assert await outcomes(new_bucket, create=True) == kept
    async with inside(new_bucket) as bucket:
        rules = (await bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name))["Rules"]
        assert {rule["Filter"]["Prefix"]: rule.get("Expiration") for rule in rules} == {
            "photos/incoming/": {"Days": 2},
            "photos/.growing/": {"Days": 2},
            "photos/": None,
        }
        (cors,) = (await bucket.client.get_bucket_cors(Bucket=bucket.name))["CORSRules"]
        assert "ETag" in cors["ExposeHeaders"]


async def test_rules_of_others_stay(new_bucket: S3Options) -> None:
    async with inside(new_bucket) as bucket:
        await bucket.client.create_bucket(Bucket=bucket.name)
        await bucket.client.put_bucket_lifecycle_configuration(
            Bucket=bucket.name, LifecycleConfiguration={"Rules": [THEIRS]}
        )
        assert (await outcomes(new_bucket))["lifecycle"] is SetupOutcome.DONE
        rules = (await bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name))["Rules"]
        assert len(rules) == 4
        assert is_kept(THEIRS, rules)


async def test_versions_of_what_was_deleted_are_told_of_and_expire_if_asked_to(new_bucket: S3Options) -> None:
    async with inside(new_bucket) as bucket:
        await bucket.client.create_bucket(Bucket=bucket.name)
        assert not await keeps_deleted(bucket)
        await bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
        assert await keeps_deleted(bucket)
        assert (await outcomes(new_bucket))["versions"] is SetupOutcome.KEPT
        assert await keeps_deleted(bucket)
        expiring = attrs.evolve(RULES, prefix="", versions_days=3)
        for outcome in (SetupOutcome.DONE, SetupOutcome.KEPT):
            steps = [step async for step in set_up(new_bucket, AWS, expiring, create=False, dry_run=False)]
            assert [step.outcome for step in steps if step.subject == "lifecycle"] == [outcome]
            assert "versions" not in {step.subject for step in steps}
        assert not await keeps_deleted(bucket)
        rules = (await bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name))["Rules"]
        assert {"NoncurrentDays": 3} in [rule.get("NoncurrentVersionExpiration") for rule in rules]
        assert "versions" not in await outcomes(new_bucket)


ALL_VERSIONS = {"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 9}}


@pytest.mark.parametrize(
    ("rule", "ends"),
    [
        (ALL_VERSIONS, True),
        (ALL_VERSIONS | {"Filter": {}}, True),
        (ALL_VERSIONS | {"Filter": {"Prefix": ""}}, True),
        (ALL_VERSIONS | {"Filter": {"Prefix": "pho"}}, True),
        (ALL_VERSIONS | {"Filter": {"Prefix": "photos/incoming/"}}, False),
        (ALL_VERSIONS | {"Prefix": "logs/"}, False),
        (ALL_VERSIONS | {"Filter": {"Tag": {"Key": "old", "Value": "yes"}}}, False),
        (ALL_VERSIONS | {"Filter": {"And": {"Prefix": "", "ObjectSizeGreaterThan": 9}}}, False),
        (ALL_VERSIONS | {"Status": "Disabled"}, False),
        (ALL_VERSIONS | {"NoncurrentVersionExpiration": {"NoncurrentDays": 9, "NewerNoncurrentVersions": 2}}, False),
        (THEIRS | {"Filter": {"Prefix": ""}}, False),
    ],
)
def test_what_ends_every_version_of_what_was_deleted(rule: Rule, ends: bool) -> None:
    assert ends_versions([THEIRS, rule], "photos/") is ends


def test_without_an_origin_browsers_are_allowed_nothing() -> None:
    assert BucketRules("", 2).cors() == []


def test_ours_replace_earlier_ones() -> None:
    older = attrs.evolve(RULES, days=1).lifecycle()
    merged = with_ours([THEIRS, *older], RULES.lifecycle())
    assert merged == [THEIRS, *RULES.lifecycle()]
    assert not is_kept(RULES.lifecycle()[0], older)


# --- promises ------------------------------------------------------------------------------------------------


async def test_a_store_that_keeps_its_promises_passes(s3: S3Store) -> None:
    checks = [check async for check in check_promises(s3)]
    assert len(checks) == 5
    assert {check.level for check in checks} == {Level.OK}
    assert [info async for info in s3.list()] == []


async def test_a_store_that_ignores_conditions_is_found_out(s3: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def obliging(*_: object, **__: object) -> ObjectInfo:
        return ObjectInfo("x", 1, "x", datetime.now(UTC))

    monkeypatch.setattr(S3Store, "promote", obliging)
    levels = {check.name: check.level async for check in check_promises(s3)}
    assert levels == {
        "first write wins": Level.OK,
        "ranges": Level.OK,
        "only what was checked is moved": Level.ERROR,
        "nothing is overwritten": Level.ERROR,
        "a move is a move": Level.ERROR,
    }
    assert [info async for info in s3.list()] == []
