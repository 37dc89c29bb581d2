"""Operators see everybody's shares, and end one; what is done to shares is audited."""

import pytest
from tests.support.clock import ManualClock
from tests.support.library import Library

from imagegallery.audit.entry import Act
from imagegallery.audit.options import AuditOptions
from imagegallery.audit.service import AuditService
from imagegallery.cli.commands.shares import _emit
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound, ShareEnded
from imagegallery.ids import new_id
from imagegallery.principal import Principal
from imagegallery.sharing.register import ShareRegister
from imagegallery.sharing.service import ShareService

ANA, BEN = Principal.user("ana"), Principal.user("ben")


@pytest.fixture
def register(database: Database, clock: ManualClock) -> ShareRegister:
    return ShareRegister(database, clock)


async def test_an_operator_ends_a_share(
    register: ShareRegister, shares: ShareService, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {}
    for owner in (ANA, BEN):
        gallery = await library.galleries.create(owner, name="Lisbon")
        made[owner] = await shares.create(owner, targets=[gallery.id], password="sesame")
    assert {each.owner_id async for each in register.all()} == {"ana", "ben"}
    assert [each.id async for each in register.all("ben")] == [made[BEN].share.id]
    _emit(await register.get(made[BEN].share.id), as_json=True)
    printed = capsys.readouterr().out
    assert '"state": "open"' in printed
    token = made[BEN].token
    assert token is not None
    assert token not in printed
    for _ in range(2):
        assert (await register.revoke(made[BEN].share.id)).revoked_at is not None
    with pytest.raises(ShareEnded):
        await shares.links.open(token)
    with pytest.raises(NotFound):
        await register.revoke(new_id())


async def test_what_is_done_to_shares_is_audited_without_their_secrets(
    shares: ShareService, register: ShareRegister, library: Library, database: Database, clock: ManualClock
) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    made = await shares.create(ANA, targets=[gallery.id], permissions=["view", "download"], slug="lisbon-ana")
    await shares.update(ANA, made.share.id, download="none", password="open sesame")
    rotated = await shares.rotate_link(ANA, made.share.id)
    await register.revoke(made.share.id)
    await shares.revoke(ANA, made.share.id)
    await shares.delete(ANA, made.share.id)
    audit = AuditService(database, AuditOptions(), clock)
    found = (await audit.list(ANA, share_id=made.share.id)).items
    assert [each.entry.act for each in found][::-1] == [
        Act.SHARE_CREATED,
        Act.SHARE_CHANGED,
        Act.SHARE_LINK_CHANGED,
        Act.SHARE_REVOKED,
        Act.SHARE_DELETED,
    ]
    assert found[-2].entry.details["password"] == "changed"
    assert found[-2].entry.details["download"] == "none"
    assert made.token is not None
    assert rotated.token is not None
    for secret in (made.token, rotated.token, "sesame"):
        assert secret not in repr(found)
