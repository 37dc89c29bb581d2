"""Which pages may show a public file: the table is the specification."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from tests.support.growth import check_linear
from tests.support.hotlinks import ALLOWED, OTHER, OWN, RULE, TABLE

from imagegallery.access.edge import RuledGallery, to_cloudfront
from imagegallery.access.hotlinks import (
    ANY_PAGE,
    MAX_ORIGINS,
    AskingPage,
    EdgeCheck,
    GalleryFileAccess,
    HotlinkRule,
    check_allowed_origins,
    origin_of,
)
from imagegallery.common.validation import Faults
from imagegallery.errors import ConfigurationError, HotlinkRefused, InvalidInput, NotFound

NOBODY_ELSE = HotlinkRule(frozenset())


@pytest.mark.parametrize(("page", "by_rule", "by_none"), TABLE)
def test_which_pages_may_show_a_file(page: AskingPage, by_rule: bool, by_none: bool) -> None:
    assert RULE.allows(page, OWN) is by_rule
    assert NOBODY_ELSE.allows(page, OWN) is by_none
    assert ANY_PAGE.allows(page, OWN)


def test_who_may_not_is_refused() -> None:
    RULE.require(AskingPage(origin=ALLOWED), OWN)
    with pytest.raises(HotlinkRefused):
        RULE.require(AskingPage(origin=OTHER), OWN)


def test_an_origin_is_read_in_linear_time() -> None:
    for prefix in ("https://", "https://a.", "https://[", "https://a:", "https://*."):
        check_linear(origin_of, prefix)


@pytest.mark.parametrize("rule", [ANY_PAGE, NOBODY_ELSE, RULE])
def test_a_rule_is_kept_whole(rule: HotlinkRule) -> None:
    assert HotlinkRule.from_bytes(rule.to_bytes()) == rule


def checked(*given: str) -> Sequence[str] | None:
    faults = Faults()
    found = check_allowed_origins(faults, ("body", "allowed_origins"), given)
    faults.check()
    return found


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("https://photos.example", "https://photos.example"),
        ("HTTPS://Photos.Example", "https://photos.example"),
        ("https://photos.example:443", "https://photos.example"),
        ("http://photos.example:80", "http://photos.example"),
        ("http://localhost:03000", "http://localhost:3000"),
        ("https://*.photos.example", "https://*.photos.example"),
        ("https://*.photos.example:8443", "https://*.photos.example:8443"),
        ("https://xn--phtos-jua.example", "https://xn--phtos-jua.example"),
        ("http://192.0.2.1:8080", "http://192.0.2.1:8080"),
        ("http://[2001:db8::1]", "http://[2001:db8::1]"),
    ],
)
def test_origins_are_kept_as_browsers_write_them(given: str, written: str) -> None:
    assert checked(given, given) == (written,)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "*",
        "null",
        "photos.example",
        "//photos.example",
        "https://",
        "https://*",
        "https://*.example",
        "https://*.0.2.1",
        "https://*.[2001:db8::1]",
        "https://a.*.example",
        "https://*.*.photos.example",
        "https://pho*tos.example",
        "https://photos.example/",
        "https://photos.example/path",
        "https://photos.example?x",
        "https://user@photos.example",
        "https://photos.example:99999",
        "https://photos.example:",
        "https://phötos.example",
        "https://photos..example",
        "https://photos.example.",
        "https://photos.example https://thief.example",
        "https://photos.example; script-src *",
        "https://photos.example\n",
        "ftp://photos.example",
        "javascript:alert(1)",
        "https://" + "a." * 200 + "example",
    ],
)
def test_what_is_no_origin_is_refused_by_its_place(given: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked("https://photos.example", given)
    assert [fault.path for fault in refused.value.faults] == [("body", "allowed_origins", "1")]


def test_a_rule_fits_into_the_table_of_an_edge() -> None:
    with pytest.raises(InvalidInput, match="20 origins"):
        checked(*(f"https://{number}.example" for number in range(MAX_ORIGINS + 1)))
    with pytest.raises(InvalidInput, match="1,000 characters"):
        checked(*(f"https://{'a' * 60}{number}.example" for number in range(MAX_ORIGINS)))
    assert check_allowed_origins(Faults(), ("body",), None) is None


DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OPEN, RULED, PRIVATE = GalleryFileAccess(ANY_PAGE), GalleryFileAccess(RULE), GalleryFileAccess(None)
FOR_EVER = "max-age=31536000, immutable"


def kept(
    access: GalleryFileAccess, origin: str, *, edge: EdgeCheck | None = None, cookie: timedelta | None = None
) -> str:
    return access.cache_control(AskingPage(origin=origin), OWN, edge=edge, cookie_lasts=cookie, ttl=DAY)


def test_the_files_of_a_gallery_are_for_who_may_see_it_and_an_edge_keeps_what_it_has_checked() -> None:
    for edge in (None, *EdgeCheck):
        assert kept(OPEN, OTHER, edge=edge) == f"public, {FOR_EVER}"
        assert kept(RULED, ALLOWED, edge=edge).endswith(FOR_EVER)
    assert kept(RULED, ALLOWED) == f"private, {FOR_EVER}"
    assert kept(RULED, OTHER, edge=EdgeCheck.RULES) == f"public, {FOR_EVER}"
    for edge, cookie in ((None, None), (None, HOUR), (EdgeCheck.COOKIES, HOUR)):
        with pytest.raises(HotlinkRefused):
            kept(RULED, OTHER, edge=edge, cookie=cookie)


def test_the_files_of_a_private_gallery_are_for_who_has_its_cookie_and_no_longer() -> None:
    assert kept(PRIVATE, OTHER, cookie=HOUR) == "private, max-age=3600"
    assert kept(PRIVATE, OTHER, edge=EdgeCheck.COOKIES) == "public, max-age=86400"
    for edge in (None, EdgeCheck.RULES):
        with pytest.raises(NotFound):
            kept(PRIVATE, OTHER, edge=edge)


@pytest.mark.parametrize("access", [OPEN, RULED, PRIVATE])
def test_who_may_fetch_a_file_is_kept_whole(access: GalleryFileAccess) -> None:
    assert GalleryFileAccess.from_bytes(access.to_bytes()) == access


def test_a_table_that_no_edge_can_hold_is_an_error() -> None:
    many = [RuledGallery(UUID(int=number), ("https://photos.example" + "x" * 900,)) for number in range(6_000)]
    with pytest.raises(ConfigurationError, match="6,000 galleries"):
        to_cloudfront(many, OWN)


@pytest.mark.parametrize("hotlinks", [True, False])
def test_administrators_say_what_holds_without_a_rule(hotlinks: bool) -> None:
    assert ANY_PAGE.under(hotlinks=hotlinks).allows(AskingPage(origin=OTHER), OWN) is hotlinks
    assert OPEN.under(hotlinks=hotlinks).rule == ANY_PAGE.under(hotlinks=hotlinks)
    for rule in (RULE, NOBODY_ELSE):
        assert rule.under(hotlinks=hotlinks) == rule
    assert PRIVATE.under(hotlinks=hotlinks) == PRIVATE
