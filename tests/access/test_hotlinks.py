"""Which pages may show a public file: the table is the specification."""

from collections.abc import Sequence

import pytest
from tests.support.growth import check_linear

from imagegallery.access.hotlinks import (
    ANY_PAGE,
    MAX_ORIGINS,
    AskingPage,
    HotlinkRule,
    check_allowed_origins,
    origin_of,
)
from imagegallery.common.validation import Faults
from imagegallery.errors import HotlinkRefused, InvalidInput

OWN = {"https://service.example"}
RULE = HotlinkRule(frozenset({"https://photos.example", "https://*.blog.example", "http://old.example:8080"}))
NOBODY_ELSE = HotlinkRule(frozenset())
ALLOWED, OTHER = "https://photos.example", "https://thief.example"

# What the browser says; whether RULE lets that page show the file, and a rule without origins.
TABLE = [
    (AskingPage(referer=f"{ALLOWED}/page?x=1#y"), True, False),
    (AskingPage(origin=ALLOWED), True, False),
    (AskingPage(referer=f"{OTHER}/page"), False, False),
    (AskingPage(origin=OTHER), False, False),
    # Origin goes before Referer.
    (AskingPage(origin=OTHER, referer=ALLOWED), False, False),
    (AskingPage(origin=ALLOWED, referer=OTHER), True, False),
    # A page without an origin of its own: in a sandbox, from a file.
    (AskingPage(origin="null"), False, False),
    (AskingPage(origin="null", referer=ALLOWED), False, False),
    # Wildcards: below the name, and not the name itself.
    (AskingPage(referer="https://a.blog.example/"), True, False),
    (AskingPage(referer="https://a.b.blog.example/"), True, False),
    (AskingPage(referer="https://blog.example/"), False, False),
    (AskingPage(referer="https://notblog.example/"), False, False),
    (AskingPage(referer="https://blog.example.thief.example/"), False, False),
    (AskingPage(referer="https://*.blog.example/"), False, False),
    # Scheme and port belong to an origin.
    (AskingPage(referer="http://photos.example/"), False, False),
    (AskingPage(referer="https://photos.example:8443/"), False, False),
    (AskingPage(referer="https://photos.example:443/"), True, False),
    (AskingPage(referer="https://photos.example:0443/"), True, False),
    (AskingPage(referer="http://old.example:8080/"), True, False),
    (AskingPage(referer="http://old.example/"), False, False),
    (AskingPage(referer="https://a.blog.example:8443/"), False, False),
    # Forged.
    (AskingPage(referer="HTTPS://PHOTOS.EXAMPLE/Page"), True, False),
    (AskingPage(referer=f"https://photos.example@{OTHER[8:]}/"), False, False),
    (AskingPage(referer="https://user:word@photos.example/"), False, False),
    (AskingPage(referer=f"{OTHER}/{ALLOWED}/"), False, False),
    (AskingPage(referer=f"{OTHER}?{ALLOWED}"), False, False),
    (AskingPage(referer=f"{OTHER}\\{ALLOWED}"), False, False),
    (AskingPage(referer="https://photos.example\\.thief.example/"), True, False),
    (AskingPage(referer="https://photos.example./"), False, False),
    (AskingPage(referer="https://phötos.example/"), False, False),
    (AskingPage(referer=" https://photos.example/"), False, False),
    (AskingPage(referer="//photos.example/"), False, False),
    (AskingPage(referer="photos.example"), False, False),
    (AskingPage(referer="about:blank"), False, False),
    (AskingPage(referer="android-app://com.photos.example"), False, False),
    (AskingPage(referer="https://"), False, False),
    (AskingPage(referer="https://" + "a" * 100_000), False, False),
    # The service's own pages always may.
    (AskingPage(referer="https://service.example/gallery"), True, True),
    (AskingPage(origin="https://service.example"), True, True),
    (AskingPage(fetch_site="same-origin"), True, True),
    (AskingPage(fetch_site="same-site", referer=OTHER), False, False),
    # By itself: typed, a bookmark, a link that is followed. Not in a frame.
    (AskingPage(fetch_site="none"), True, True),
    (AskingPage(fetch_site="cross-site", fetch_dest="document", referer=OTHER), True, True),
    (AskingPage(fetch_site="cross-site", fetch_dest="iframe", referer=OTHER), False, False),
    # Nothing is said: no browser of today, unless its page hides.
    (AskingPage(), True, True),
    (AskingPage(referer=""), True, True),
    (AskingPage(fetch_site="cross-site"), False, False),
    (AskingPage(fetch_site="cross-site", fetch_dest="image"), False, False),
    (AskingPage(fetch_site="same-site", fetch_dest="image"), False, False),
    (AskingPage(fetch_site="nonsense"), False, False),
    (AskingPage(fetch_site="cross-site", fetch_dest="image", referer=ALLOWED), True, False),
]


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
