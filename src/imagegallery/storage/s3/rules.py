"""The rules that a bucket of ours has, beside rules of others that it keeps. Pure."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from imagegallery.storage.keys import INCOMING_PREFIX
from imagegallery.storage.s3.pieces import HIDDEN

Rule = Mapping[str, object]  # by the API's own names

INCOMING, GROWING, PARTS = "imagegallery-incoming", "imagegallery-growing", "imagegallery-parts"
VERSIONS = "imagegallery-versions"
CORS_AGE = 3600  # seconds for which a browser need not ask again


@frozen
class BucketRules:
    """``origins`` are the web pages that may send and read (``https://app.example``; none: no such rule). What was not
    finished goes after ``days``; where the bucket keeps versions, those of what was deleted go after ``versions_days``
    (``None``: no such rule)."""

    prefix: str
    days: int
    origins: tuple[str, ...] = ()
    versions_days: int | None = None

    def lifecycle(self) -> list[Rule]:
        """What lies where uploads arrive expires; the parts of unfinished objects go, wherever they were meant for."""
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
        """Forms (POST), parts (PUT) and reading; ``ETag`` is what a client must tell of a part."""
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
    """Whether a rule of the bucket deletes, in the end, every version of what was deleted below the prefix."""
    return any(rule.get("Status") == "Enabled" and _spares_none(rule) and _covers(rule, prefix) for rule in current)


def _spares_none(rule: Rule) -> bool:
    expiry = rule.get("NoncurrentVersionExpiration")
    return isinstance(expiry, Mapping) and "NewerNoncurrentVersions" not in expiry


def _covers(rule: Rule, prefix: str) -> bool:
    """Whether it is for all objects below the prefix, and not only for those of some tag or size."""
    limits = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    return isinstance(limits, Mapping) and limits.keys() <= {"Prefix"} and prefix.startswith(limits.get("Prefix", ""))


def is_kept(rule: Rule, current: Sequence[Rule]) -> bool:
    """Whether a bucket has this rule, whatever else the store says of it."""
    return any(all(each.get(name) == value for name, value in rule.items()) for each in current)


def with_ours(current: Sequence[Rule], ours: Sequence[Rule]) -> list[Rule]:
    """Others' rules as they are, then ours: in place of earlier ones of the same id or for the same origins."""
    return [*(rule for rule in current if not any(_is_for_same(rule, each) for each in ours)), *ours]


def _is_for_same(one: Rule, other: Rule) -> bool:
    return any(name in other and one.get(name) == other[name] for name in ("ID", "AllowedOrigins"))
