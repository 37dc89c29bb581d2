"""One version of what administrators say, with who said it, why and when. Pure."""

from datetime import datetime

from attrs import frozen

from imagegallery.policies.admin_policy import NO_RULES, Rules


@frozen(kw_only=True)
class PolicyVersion:
    """The rules from ``created_at`` until the next version. Number 0 is before anybody said anything: the settings
    alone. ``restores`` is the number of an earlier one whose rules these are again."""

    number: int = 0
    rules: Rules = NO_RULES
    changed_by: str | None = None
    why: str = ""
    restores: int | None = None
    created_at: datetime | None = None


SETTINGS_ALONE = PolicyVersion()
