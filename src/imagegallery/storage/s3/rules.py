"""The rules of our buckets, next to rules of others that are kept. Pure."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from imagegallery.storage.keys import INCOMING_PREFIX
from imagegallery.storage.s3.pieces import HIDDEN

Rule = Mapping[str, object]  # with the API's names

INCOMING, GROWING, PARTS = "imagegallery-incoming", "imagegallery-growing", "imagegallery-parts"
VERSIONS = "imagegallery-versions"
CORS_AGE = 3600  # seconds for which a browser need not ask again


@frozen
class BucketRules:
    """The rules that a bucket should have.

    Attributes:
        origins: The web pages that may send and read (``https://app.example``). Without any there is no such rule.
        days: After which unfinished uploads are deleted.
        versions_days: After which old versions of deleted objects are deleted. ``None`` for no such rule.
    """

    prefix: str
    days: int
    origins: tuple[str, ...] = ()
    versions_days: int | None = None

    def lifecycle(self) -> list[Rule]:
        """Incoming objects expire; so do parts of unfinished objects anywhere."""
        expiring = {INCOMING: INCOMING_PREFIX, GROWING: f"{HIDDEN}/"}
        rules: list[Rule] = [
            {
                "ID": name,
                "Status": "Enabled",
                "Filter": {"Prefix": f"{self.prefix}{folder}"},
                "Expiration": {"Days": self.days},
            }
            for name, folder in expiring.items()
        ]
        parts = {
            "ID": PARTS,
            "Status": "Enabled",
            "Filter": {"Prefix": self.prefix},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": self.days},
        }
        return [*rules, parts, *self._versions()]

    def _versions(self) -> list[Rule]:
        if self.versions_days is None:
            return []
        return [
            {
                "ID": VERSIONS,
                "Status": "Enabled",
                "Filter": {"Prefix": self.prefix},
                "NoncurrentVersionExpiration": {"NoncurrentDays": self.versions_days},
                "Expiration": {"ExpiredObjectDeleteMarker": True},
            }
        ]

    def cors(self) -> list[Rule]:
        """Allow forms (POST), parts (PUT) and reading. Clients must read ``ETag`` of each part."""
        if not self.origins:
            return []
        return [
            {
                "AllowedOrigins": list(self.origins),
                "AllowedMethods": ["GET", "HEAD", "POST", "PUT"],
                "AllowedHeaders": ["*"],
                "ExposeHeaders": ["ETag", "Content-Range", "Accept-Ranges"],
                "MaxAgeSeconds": CORS_AGE,
            }
        ]

    def lifecycle_told(self) -> str:
        versions = f"; versions of what was deleted go after {self.versions_days}" if self.versions_days else ""
        return (
            f"{self.prefix}{INCOMING_PREFIX} and {self.prefix}{HIDDEN}/ expire, "
            f"and unfinished parts are aborted, after {self.days} days{versions}"
        )

    def cors_told(self) -> str:
        return f"{', '.join(self.origins)} may send and read"


def ends_versions(current: Sequence[Rule], prefix: str) -> bool:
    """Whether a rule eventually deletes every version of deleted objects below the prefix."""
    return any(rule.get("Status") == "Enabled" and _spares_none(rule) and _covers(rule, prefix) for rule in current)


def _spares_none(rule: Rule) -> bool:
    expiry = rule.get("NoncurrentVersionExpiration")
    return isinstance(expiry, Mapping) and "NewerNoncurrentVersions" not in expiry


def _covers(rule: Rule, prefix: str) -> bool:
    """Whether the rule is for all objects below the prefix, not only for some tag or size."""
    limits = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    return isinstance(limits, Mapping) and limits.keys() <= {"Prefix"} and prefix.startswith(limits.get("Prefix", ""))


def is_kept(rule: Rule, current: Sequence[Rule]) -> bool:
    """Whether the bucket has this rule, whatever the store adds to it."""
    return any(all(each.get(name) == value for name, value in rule.items()) for each in current)


def with_ours(current: Sequence[Rule], ours: Sequence[Rule]) -> list[Rule]:
    """Other rules unchanged, then ours, replacing earlier ones with the same id or origins."""
    return [*(rule for rule in current if not any(_is_for_same(rule, each) for each in ours)), *ours]


def _is_for_same(one: Rule, other: Rule) -> bool:
    return any(name in other and one.get(name) == other[name] for name in ("ID", "AllowedOrigins"))
