"""One version of what administrators say, with who said it, why and when. Pure."""

from datetime import UTC, datetime
from typing import Final

from attrs import frozen

from imagegallery.policies.admin_policy import NO_RULES, Rules


@frozen(kw_only=True)
class PolicyVersion:
    """The rules from ``created_at`` until the next version. ``restores`` is the number of an earlier one whose rules
    these are again."""

    number: int
    rules: Rules
    changed_by: str
    why: str
    restores: int | None = None
    created_at: datetime


SETTINGS_ALONE: Final = PolicyVersion(
    number=0, rules=NO_RULES, changed_by="", why="", created_at=datetime.fromtimestamp(0, UTC)
)
"""Before anybody said anything: the settings hold."""
