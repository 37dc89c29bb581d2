"""What administrators say: which rules there are, what is wrong with others, and what they make of the settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.access.audience import Visibility
from imagegallery.common.meta import JsonValue
from imagegallery.common.validation import Faults
from imagegallery.errors import InvalidInput
from imagegallery.policies.admin_policy import AdminPolicy, Originals, Rules, check_rules
from imagegallery.policies.policy import Policy
from imagegallery.storage.keys import EXTENSIONS
from imagegallery.uploads.session.limits import governed, narrowed
from imagegallery.uploads.session.policy import UploadPolicy

SETTINGS = AdminPolicy(
    allowed_types=("image/jpeg", "image/png"), max_size=1_000, storage_limit=5_000, user_rate="600/minute"
)
PATH = ("body", "rules")


def faults_of(rules: Rules) -> dict[str, str]:
    faults = Faults()
    check_rules(faults, PATH, rules, SETTINGS)
    try:
        faults.check()
    except InvalidInput as refused:
        return {".".join(fault.path): fault.message for fault in refused.faults}
    return {}


@pytest.mark.parametrize(
    ("rule", "value", "holds"),
    [
        ("allowed_types", ["image/png"], ("image/png",)),
        ("max_size", 999, 999),
        ("storage_limit", 0, 0),
        ("storage_limit", 10**12, 10**12),
        ("storage_limit", "unlimited", None),
        ("visitor_rate", "10 per 5 minutes", "10 per 5 minutes"),
        ("user_rate", "unlimited", None),
        ("upload_rate", "3/day", "3/day"),
        ("originals", "strip_place", Originals.STRIP_PLACE),
        ("default_visibility", "unlisted", Visibility.UNLISTED),
        ("guest_uploads", True, True),
        ("hotlinks", False, False),
    ],
)
def test_a_rule_stands_in_front_of_the_settings(rule: str, value: JsonValue, holds: object) -> None:
    assert faults_of({rule: value}) == {}
    assert getattr(SETTINGS.under({rule: value}), rule) == holds


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("allowed_types", []),
        ("allowed_types", "image/png"),
        ("allowed_types", ["image/svg+xml"]),
        ("allowed_types", [1]),
        ("allowed_types", [["image/png"]]),
        ("max_size", 0),
        ("max_size", True),
        ("max_size", 10.5),
        ("max_size", "unlimited"),
        ("storage_limit", -1),
        ("storage_limit", 2**53),
        ("storage_limit", "5GB"),
        ("visitor_rate", "often"),
        ("visitor_rate", "0/minute"),
        ("visitor_rate", 5),
        ("user_rate", "1/" + "9" * 30 + "days"),
        ("upload_rate", "9" * 5_000 + "/minute"),
        ("originals", "burn"),
        ("originals", ["keep"]),
        ("default_visibility", None),
        ("guest_uploads", 1),
        ("hotlinks", "yes"),
        ("colour", "blue"),
    ],
)
def test_what_is_no_rule_is_a_fault(rule: str, value: JsonValue) -> None:
    assert list(faults_of({rule: value})) == [f"body.rules.{rule}"]


def test_all_faults_are_told_at_once() -> None:
    rules: Rules = {"max_size": "big", "hotlinks": 3, "originals": "keep", "nonsense": {}}
    assert list(faults_of(rules)) == ["body.rules.max_size", "body.rules.hotlinks", "body.rules.nonsense"]


def test_types_and_sizes_cannot_be_more_than_the_settings_say() -> None:
    """Decoders, memory and disks were chosen for these."""
    assert faults_of({"allowed_types": ["image/png", "image/avif"], "max_size": 1_001}) == {
        "body.rules.allowed_types": "may only have types that the settings allow, and image/avif is none",
        "body.rules.max_size": "must be at most 1,000, as the settings say",
    }


def test_named_policies_narrow_what_comes_of_settings_and_rules() -> None:
    settings = UploadPolicy(allowed_types=("image/jpeg", "image/png", "image/webp"), max_size=1_000, storage_limit=5)
    said = AdminPolicy(allowed_types=("image/jpeg", "image/avif", "image/png"), max_size=600, storage_limit=None)
    service = governed(settings, said)
    assert (service.allowed_types, service.max_size, service.storage_limit) == (("image/jpeg", "image/png"), 600, None)
    for named, size in ((Policy(types=("image/png", "image/webp"), max_size=500), 500), (Policy(max_size=700), 600)):
        under = narrowed(service, named)
        assert under.max_size == size
        assert set(under.allowed_types) == {"image/jpeg", "image/png"} & set(named.types or service.allowed_types)


@given(
    st.lists(st.sampled_from(sorted(EXTENSIONS)), min_size=1, unique=True),
    st.integers(1, 2**53 - 1),
    st.dictionaries(st.text(), st.none() | st.text(), max_size=3),
)
def test_settings_that_became_narrower_hold_whatever_was_said_before(
    types: list[str], size: int, of_a_newer_version: dict[str, JsonValue]
) -> None:
    rules = {**{f"new_{name}": value for name, value in of_a_newer_version.items()}, "allowed_types": types}
    held = SETTINGS.under({**rules, "max_size": size})
    assert set(held.allowed_types) == set(types) & set(SETTINGS.allowed_types)
    assert held.max_size == min(size, SETTINGS.max_size)
