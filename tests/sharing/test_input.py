"""What a share may say: the two things about downloads never disagree."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from imagegallery.access.grant import DownloadAllowed
from imagegallery.access.permission import EDITOR, OWNER, Permission
from imagegallery.common.unset import UNSET, Unset
from imagegallery.errors import InvalidInput
from imagegallery.sharing.input import check_terms, settle_download
from imagegallery.sharing.share import SHAREABLE, RecipientKind, ShareRecipient

FLAGS = st.integers(0, SHAREABLE.value).map(Permission)
LEVELS = st.sampled_from(DownloadAllowed)
BEFORE = st.sampled_from(
    [
        (Permission.VIEW, DownloadAllowed.NONE),
        (Permission.VIEW, DownloadAllowed.VARIANT),
        (Permission.VIEW | Permission.DOWNLOAD, DownloadAllowed.ORIGINAL),
    ]
)


@given(FLAGS | st.just(UNSET), LEVELS | st.just(UNSET), BEFORE)
def test_who_may_have_originals_has_the_permission_and_nobody_else(
    flags: Permission | Unset, level: DownloadAllowed | Unset, before: tuple[Permission, DownloadAllowed]
) -> None:
    try:
        permissions, download = settle_download(flags, level, before=before)
    except InvalidInput:
        assert level is DownloadAllowed.ORIGINAL
        assert isinstance(flags, Permission)
        assert Permission.DOWNLOAD not in flags
        return
    assert (Permission.DOWNLOAD in permissions) is (download is DownloadAllowed.ORIGINAL)
    if not isinstance(level, Unset):
        assert download is level
    if not isinstance(flags, Unset):
        assert permissions | Permission.DOWNLOAD == flags | Permission.DOWNLOAD
        assert Permission.DOWNLOAD not in permissions & ~flags  # nothing is given that was not asked for


def test_nobody_shares_the_right_to_delete() -> None:
    assert SHAREABLE == EDITOR == OWNER & ~Permission.DELETE
    for bits in range(1, 256):
        given = Permission(bits | 1)
        if given.value & ~EDITOR.value:
            with pytest.raises(InvalidInput):
                check_terms(START, permissions=given)
        else:
            assert check_terms(START, permissions=given).permissions == given


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("email", "ana"),
        ("email", "@example.org"),
        ("email", "ana@localhost"),
        ("email", "ana@exam ple.org"),
        ("email", "a" * 250 + "@b.org"),
        ("user", ""),
        ("user", "a" * 256),
        ("group", "fam\nily"),
    ],
)
def test_who_cannot_be_named(kind: str, name: str) -> None:
    with pytest.raises(InvalidInput):
        check_terms(START, recipients=[ShareRecipient(RecipientKind(kind), name)])


def test_recipients_are_named_once() -> None:
    twice = [ShareRecipient(RecipientKind.EMAIL, name) for name in ("ana@example.org", "Ana@Example.org ")]
    with pytest.raises(InvalidInput, match=r"recipients\.1 is a repetition"):
        check_terms(START, recipients=twice)


def test_a_share_ends_in_the_future() -> None:
    assert check_terms(START, expires_in=timedelta(days=7)).expires_at == START + timedelta(days=7)
    for wrong in (timedelta(0), timedelta(days=-1), timedelta.max):
        with pytest.raises(InvalidInput):
            check_terms(START, expires_in=wrong)
    with pytest.raises(InvalidInput):
        check_terms(START, expires_at=START.replace(tzinfo=None) + timedelta(days=1))
    with pytest.raises(InvalidInput):
        check_terms(START, expires_at=START + timedelta(days=1), expires_in=timedelta(days=1))
