"""Signing in, and what is for administrators alone: health, jobs, policy and audit."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.page.conftest import OpenPage, ServedPage
from tests.support.served import token_of

from imagegallery.audit.entry import Act, ActorKind

APP = Path(__file__).parents[2] / "src" / "imagegallery_asgi" / "page" / "app"
ADMIN = {"role": "admin"}
_DEAD = """
INSERT INTO jobs (id, kind, payload, state, run_at, attempts, last_error, created_at, updated_at)
VALUES (gen_random_uuid(), $1, '{"image_id": "7"}', 'dead', now(), 10, $2, now(), now()) RETURNING id"""
_STATE = "SELECT state FROM jobs WHERE id = $1"


def dead_job(served_page: ServedPage, kind: str, error: str) -> UUID:
    ((job_id,),) = served_page.served.rows(_DEAD, kind, error)
    assert isinstance(job_id, UUID)
    return job_id


def give_token(where: Page | Locator, token: str) -> None:
    where.get_by_label("Access token").fill(token)
    where.get_by_role("button", name="Sign in", exact=True).click()


def test_who_has_not_signed_in_is_asked_in_place_and_told_of_a_wrong_token(open_page: OpenPage, user: str) -> None:
    page = open_page("/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).not_to_be_attached()
    give_token(page, "no token at all")
    expect(page.get_by_text("This token is not valid")).to_be_visible()
    give_token(page, "<b>none</b>")
    expect(page.get_by_text("That is no token")).to_be_visible()
    give_token(page, f"Bearer {token_of(user)}")
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    expect(page.get_by_text(user)).to_be_visible()
    assert page.evaluate("'imagegallery.token' in sessionStorage && !('imagegallery.token' in localStorage)")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("!('imagegallery.token' in sessionStorage)")


def test_a_sign_in_that_ends_is_asked_for_again_and_what_was_begun_goes_on_for_nobody_else(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    page, other = open_page("/account"), f"other-{user}"
    give_token(page, token_of(other))
    expect(page.get_by_text(other)).to_be_visible()
    expect(page.get_by_role("button", name="Make the file")).to_be_visible()
    page.evaluate("sessionStorage.setItem('imagegallery.token', 'it.has.expired')")
    page.get_by_role("button", name="Make the file").click()
    dialog = page.get_by_role("dialog", name="Your sign-in has ended")
    give_token(dialog, token_of(user))
    expect(page.get_by_text(user, exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Make the file")).to_be_visible()
    with served_page.client(user) as client:
        assert client.get("/me/exports").json()["data"] == []

    page.evaluate("sessionStorage.setItem('imagegallery.token', 'it.has.expired')")
    page.get_by_role("button", name="Make the file").click()
    expect(dialog).to_be_visible()
    give_token(dialog, token_of(user))
    expect(dialog).not_to_be_attached()
    expect(
        page.get_by_role("button", name="Download").or_(page.get_by_text("as soon as there is time"))
    ).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"


def test_a_dead_job_is_tried_again_and_another_deleted(open_page: OpenPage, served_page: ServedPage, user: str) -> None:
    kind, other = f"work.{user[-6:]}", f"rest.{user[-6:]}"
    dead_job(served_page, other, "of another kind")
    discarded, redriven = (dead_job(served_page, kind, f"<img src=x onerror=alert(1)> {each}") for each in (1, 2))
    page = open_page("/admin", user=user, claims=ADMIN)
    expect(page.get_by_text("dead jobs; the latest")).to_be_visible()
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.get_by_role("link", name=kind).click()
    jobs = page.get_by_role("listitem").filter(has_text="onerror")
    expect(jobs).to_have_count(2)
    jobs.filter(has_text="> 2").get_by_role("button", name="Try this job").click()
    expect(jobs).to_have_count(1)
    page.get_by_role("button", name="Delete these").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No job has failed for good.")).to_be_visible()
    states = [served_page.served.rows(_STATE, each) for each in (redriven, discarded)]
    assert states == [[("waiting",)], []]
    page.get_by_role("link", name="Audit").click()
    expect(page.locator(".act").filter(has_text="Failed jobs deleted").first).to_be_visible()
    page.get_by_label("Act").select_option(label="Failed jobs tried again")
    expect(page.locator(".act").filter(has_text="Failed jobs deleted")).to_have_count(0)
    expect(page.locator(".act").first).to_contain_text("by you")
    assert page.url.endswith("?act=job.redriven")


@pytest.fixture
def standing(served_page: ServedPage) -> Iterator[None]:
    """Leaves the policy as it was."""
    yield
    with served_page.client("the last one", **ADMIN) as client:
        client.post("/admin/policy/versions/0/restore", json={"why": "It was a test."}).raise_for_status()


@pytest.mark.usefixtures("standing")
def test_each_fault_of_the_policy_stands_at_its_field_and_two_who_change_it_hear_of_each_other(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    page = open_page("/admin/policy", user=user, claims=ADMIN)
    room = page.get_by_role("group", name="Room of each owner")
    room.get_by_label("Say it here").check()
    room.get_by_role("textbox").fill("a lot")
    page.get_by_role("button", name="Change 1 rule").click()
    expect(page.get_by_label("Why?")).to_be_focused()
    expect(page.get_by_label("Why?")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Why?").fill("Mine.")
    page.get_by_role("button", name="Change 1 rule").click()
    expect(room.get_by_text("must be a number of bytes")).to_be_visible()
    expect(room.get_by_role("textbox")).to_be_focused()

    with served_page.client("bea", **ADMIN) as other:
        rules = {"rules": {"upload_rate": "90000/hour"}, "why": "Hers."}
        other.patch("/admin/policy", json=rules).raise_for_status()
        room.get_by_role("textbox").fill("5 TB")
        page.get_by_role("button", name="Change 1 rule").click()
        conflict = page.get_by_role("alert").filter(has_text="has changed the policy meanwhile")
        expect(conflict).to_contain_text("90000/hour")
        conflict.get_by_role("button", name="Go on with my changes").click()
        page.get_by_role("button", name="Change 1 rule").click()
        expect(page.get_by_role("listitem").filter(has_text="Mine.")).to_contain_text("5 TB")
        held = other.get("/admin/policy").json()["data"]["rules"]
    assert held == {"upload_rate": "90000/hour", "storage_limit": 5_000_000_000_000}


def test_others_are_refused_and_see_no_way_there(open_page: OpenPage, user: str) -> None:
    page = open_page("/admin/policy", user=user)
    expect(page.get_by_role("heading", name="This is for administrators")).to_be_visible()
    expect(page.get_by_role("link", name="Account")).to_be_visible()
    expect(page.get_by_role("link", name="Administration")).not_to_be_attached()


def test_there_are_words_for_all_that_is_audited() -> None:
    texts = json.loads((APP / "messages" / "en" / "audit.json").read_text())
    assert {f"act.{each}" for each in Act} <= set(texts)
    assert {f"by.{each}" for each in ActorKind} <= set(texts)
    listed = (APP / "account" / "audit-words.js").read_text().partition("export const ACTS = [")[2].partition("];")[0]
    assert set(re.findall(r'"([a-z_.]+)"', listed)) == set(Act)
