"""Set up a bucket: create it if needed, with rules for browsers and for unfinished uploads.

May be repeated, and keeps rules of others. Reports what the store cannot do.
"""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from imagegallery.aws.options import AwsOptions
from imagegallery.errors import ConfigurationError
from imagegallery.storage.options import S3Options
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.connection import connect
from imagegallery.storage.s3.errors import code_of, translate_errors
from imagegallery.storage.s3.rules import BucketRules, Rule, ends_versions, is_kept, with_ours

if TYPE_CHECKING:
    from types_aiobotocore_s3.literals import BucketLocationConstraintType
    from types_aiobotocore_s3.type_defs import CreateBucketRequestTypeDef

_DEFAULT_REGION = "us-east-1"  # must not be named when creating a bucket there
_NO_RULES = ("NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration")


class SetupOutcome(StrEnum):
    """``PLANNED``: a dry run would do it. ``REFUSED``: the store cannot do it, or does not allow it."""

    KEPT = "kept"
    DONE = "done"
    PLANNED = "planned"
    REFUSED = "refused"


@frozen
class SetupStep:
    """What happened to one ``subject``: ``bucket``, ``lifecycle``, ``cors`` or ``versions``."""

    subject: str
    outcome: SetupOutcome
    detail: str

    @property
    def is_well(self) -> bool:
        return self.outcome is not SetupOutcome.REFUSED


@frozen
class BucketSetup:
    """See `set_up`."""

    bucket: Bucket
    region: str
    rules: BucketRules
    create: bool
    dry_run: bool

    async def run(self) -> AsyncIterator[SetupStep]:
        made = await self._bucket()
        yield made
        is_missing = made.outcome is SetupOutcome.PLANNED
        yield await self._set("lifecycle", self.rules.lifecycle(), self.rules.lifecycle_told(), is_missing)
        if cors := self.rules.cors():
            yield await self._set("cors", cors, self.rules.cors_told(), is_missing)
        else:
            yield SetupStep("cors", SetupOutcome.KEPT, "no origin was named: left as it is")
        if self.rules.versions_days is None and not is_missing and await self._keeps_deleted():
            told = "what is deleted for good stays in the bucket's versions; --expire-versions DAYS ends that"
            yield SetupStep("versions", SetupOutcome.KEPT, told)

    async def _bucket(self) -> SetupStep:
        try:
            await self.bucket.check()
        except ConfigurationError as error:
            if code_of(error.__cause__) != "NoSuchBucket" or not self.create:
                raise
        else:
            return SetupStep("bucket", SetupOutcome.KEPT, f"{self.bucket.name} is there")
        if self.dry_run:
            return SetupStep("bucket", SetupOutcome.PLANNED, f"{self.bucket.name} would be made")
        bucket: CreateBucketRequestTypeDef = {"Bucket": self.bucket.name}
        if self.region != _DEFAULT_REGION:
            bucket["CreateBucketConfiguration"] = {
                "LocationConstraint": cast("BucketLocationConstraintType", self.region)
            }
        with translate_errors(self.bucket.name):
            await self.bucket.client.create_bucket(**bucket)
        return SetupStep("bucket", SetupOutcome.DONE, f"{self.bucket.name} was made")

    async def _keeps_deleted(self) -> bool:
        try:
            return await keeps_deleted(self.bucket)
        except ConfigurationError:  # the store has no versions, or denies access
            return False

    async def _set(self, subject: str, ours: Sequence[Rule], told: str, is_missing: bool) -> SetupStep:
        configuration = _CONFIGURATIONS[subject]
        try:
            current = [] if is_missing else await configuration.read(self.bucket)
            if all(is_kept(rule, current) for rule in ours):
                return SetupStep(subject, SetupOutcome.KEPT, told)
            if self.dry_run:
                return SetupStep(subject, SetupOutcome.PLANNED, told)
            await configuration.write(self.bucket, with_ours(current, ours))
        except ConfigurationError as error:
            return SetupStep(subject, SetupOutcome.REFUSED, error.message)
        return SetupStep(subject, SetupOutcome.DONE, told)


@frozen
class _Configuration:
    """One of the bucket's lists of rules, with the API's names for it."""

    operation: str
    parameter: str
    rules: str

    async def read(self, bucket: Bucket) -> list[Rule]:
        try:
            with translate_errors(bucket.name):
                reply = await getattr(bucket.client, f"get_{self.operation}")(Bucket=bucket.name)
        except ConfigurationError as error:
            if code_of(error.__cause__) in _NO_RULES:
                return []
            raise
        return list(reply.get(self.rules, ()))

    async def write(self, bucket: Bucket, rules: Sequence[Rule]) -> None:
        # One of two requests that differ in names alone.
        parameters: dict[str, Any] = {self.parameter: {self.rules: list(rules)}}
        with translate_errors(bucket.name):
            await getattr(bucket.client, f"put_{self.operation}")(Bucket=bucket.name, **parameters)


_CONFIGURATIONS = {
    "lifecycle": _Configuration("bucket_lifecycle_configuration", "LifecycleConfiguration", "Rules"),
    "cors": _Configuration("bucket_cors", "CORSConfiguration", "CORSRules"),
}


async def keeps_deleted(bucket: Bucket) -> bool:
    """Whether the bucket keeps versions of deleted objects forever. Raises `ConfigurationError`."""
    with translate_errors(bucket.name):
        versioning = await bucket.client.get_bucket_versioning(Bucket=bucket.name)
    if "Status" not in versioning:  # it never had any; suspended versioning keeps the existing ones
        return False
    return not ends_versions(await _CONFIGURATIONS["lifecycle"].read(bucket), bucket.prefix)


async def set_up(
    options: S3Options, aws: AwsOptions, rules: BucketRules, *, create: bool, dry_run: bool
) -> AsyncIterator[SetupStep]:
    """Set the bucket up step by step.

    Raises:
        ConfigurationError: If there is no bucket and ``create`` is false, or it belongs to someone else.
    """
    async with connect(options, aws) as connection:
        async for step in BucketSetup(connection.bucket, aws.region, rules, create, dry_run).run():
            yield step
