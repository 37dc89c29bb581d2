"""CloudFront's signed URLs, but for the signature: policies and how they stand in a URL. Pure.

From the Amazon CloudFront Developer Guide, "Create a signed URL using a canned policy" and "… using a custom policy".
"""

import json
from base64 import b64encode
from datetime import datetime
from urllib.parse import quote

from attrs import frozen

# The guide's replacements for what base64 writes and a query may not hold.
_URL_SAFE = str.maketrans("+=/", "-_~")


@frozen
class Policy:
    """Who may fetch what, and when: ``resource`` (a URL; ``*`` stands for any characters, ``?`` for one) before
    ``expires_at``.

    Not before ``starts_at``, and only from ``network`` (IPv4, ``192.0.2.0/24``), if they are given.
    """

    resource: str
    expires_at: datetime
    starts_at: datetime | None = None
    network: str | None = None

    def is_canned_for(self, url: str) -> bool:
        """Whether the short form will do, which CloudFront puts together again from the URL and its ``Expires``."""
        return self.resource == url and self.starts_at is None and self.network is None

    def text(self) -> str:
        """The JSON that is signed: without white space, and of a canned policy in the one order that is verified."""
        conditions: dict[str, object] = {"DateLessThan": _epoch(self.expires_at)}
        if self.network is not None:
            conditions["IpAddress"] = {"AWS:SourceIp": self.network}
        if self.starts_at is not None:
            conditions["DateGreaterThan"] = _epoch(self.starts_at)
        statement = {"Resource": self.resource, "Condition": conditions}
        return json.dumps({"Statement": [statement]}, separators=(",", ":"))


def signed_url(url: str, policy: Policy, signature: bytes, key_id: str) -> str:
    """``url`` with what CloudFront checks. ``signature`` is the policy's, by the key whose id is ``key_id``."""
    if policy.is_canned_for(url):
        leave = f"Expires={_seconds(policy.expires_at)}"
    else:
        leave = f"Policy={url_safe(policy.text().encode())}"
    separator = "&" if "?" in url else "?"
    return f"{url}{separator}{leave}&Signature={url_safe(signature)}&Key-Pair-Id={key_id}"


def object_url(base: str, key: str, download_as: str | None) -> str:
    """The URL to sign. S3 takes the file name of a download from the query, which the CDN must hand on."""
    url = f"{base}/{quote(key)}"
    if download_as is None:
        return url
    disposition = f"attachment; filename*=UTF-8''{quote(download_as, safe='', errors='replace')}"
    return f"{url}?response-content-disposition={quote(disposition, safe='')}"


def url_safe(data: bytes) -> str:
    return b64encode(data).decode().translate(_URL_SAFE)


def _epoch(moment: datetime) -> dict[str, int]:
    return {"AWS:EpochTime": _seconds(moment)}


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
