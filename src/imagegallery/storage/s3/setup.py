"""A bucket set up for us: made if need be, with rules for what browsers may do and for what was not finished.

May be repeated; rules of others stay. What the store cannot do is said, not hidden.
"""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from imagegallery.aws.options import AwsOptions
from imagegallery.errors import ConfigurationError
from imagegallery.storage.options import S3Options
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.connection import connected
from imagegallery.storage.s3.errors import code_of, translated
from imagegallery.storage.s3.rules import BucketRules, Rule, ends_versions, is_kept, with_ours

_DEFAULT_REGION = "us-east-1"  # which must not be named when a bucket is made there
_NO_RULES = ("NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration")


class SetupOutcome(StrEnum):
    """``PLANNED``: it would be done. ``REFUSED``: the store cannot, or does not let us."""

    KEPT = "kept"
    DONE = "done"
    PLANNED = "planned"
    REFUSED = "refused"


@frozen
class SetupStep:
    """What became of one ``subject``: ``bucket``, ``lifecycle``, ``cors`` or ``versions``."""

    subject: str
    outcome: SetupOutcome
    detail: str

    @property
    def is_well(self) -> bool:
        return self.outcome is not SetupOutcome.REFUSED


@frozen
class Setup:
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
        where = {} if self.region == _DEFAULT_REGION else {"LocationConstraint": self.region}
        with translated(self.bucket.name):
            configuration = {"CreateBucketConfiguration": where} if where else {}
            await self.bucket.client.create_bucket(Bucket=self.bucket.name, **configuration)
        return SetupStep("bucket", SetupOutcome.DONE, f"{self.bucket.name} was made")

    async def _keeps_deleted(self) -> bool:
        try:
            return await keeps_deleted(self.bucket)
        except ConfigurationError:  # the store knows no versions, or we may not ask
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
    """One of the bucket's lists of rules, by the API's names for it."""

    operation: str
    parameter: str
    rules: str

    async def read(self, bucket: Bucket) -> list[Rule]:
        try:
            with translated(bucket.name):
                reply = await getattr(bucket.client, f"get_{self.operation}")(Bucket=bucket.name)
        except ConfigurationError as error:
            if code_of(error.__cause__) in _NO_RULES:
                return []
            raise
        return list(reply.get(self.rules, ()))

    async def write(self, bucket: Bucket, rules: Sequence[Rule]) -> None:
        parameters: dict[str, Any] = {self.parameter: {self.rules: list(rules)}}
        with translated(bucket.name):
            await getattr(bucket.client, f"put_{self.operation}")(Bucket=bucket.name, **parameters)


_CONFIGURATIONS = {
    "lifecycle": _Configuration("bucket_lifecycle_configuration", "LifecycleConfiguration", "Rules"),
    "cors": _Configuration("bucket_cors", "CORSConfiguration", "CORSRules"),
}


async def keeps_deleted(bucket: Bucket) -> bool:
    """Whether the bucket keeps versions, and no rule ends those of what was deleted. Raises `ConfigurationError`."""
    with translated(bucket.name):
        versioning = await bucket.client.get_bucket_versioning(Bucket=bucket.name)
    if "Status" not in versioning:  # it never had any; with suspended ones those that are there stay
        return False
    return not ends_versions(await _CONFIGURATIONS["lifecycle"].read(bucket), bucket.prefix)


async def set_up(
    options: S3Options, aws: AwsOptions, rules: BucketRules, *, create: bool, dry_run: bool
) -> AsyncIterator[SetupStep]:
    """Step by step. Raises `ConfigurationError` when there is no bucket, and none is to be made, or it is not ours."""
    async with connected(options, aws) as connection:
        async for step in Setup(connection.bucket, aws.region, rules, create, dry_run).run():
            yield step
