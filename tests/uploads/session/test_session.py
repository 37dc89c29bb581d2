"""The table of transitions, as a table and as a machine driven at random."""

import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import attrs
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from imagegallery.errors import Conflict, EmptyFile, UploadEnded, UploadExpired, UploadIncomplete
from imagegallery.storage.protocol import UploadRequest
from imagegallery.uploads.session.rejection import Rejection
from imagegallery.uploads.session.session import (
    TRANSITIONS,
    Transport,
    UploadEvent,
    UploadSession,
    UploadState,
    advance,
    mermaid,
    raise_if_over,
)

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = UploadSession(
    id=UUID(int=1),
    owner_id="ada",
    gallery_id=None,
    transport=Transport.SIMPLE,
    state=UploadState.PENDING,
    filename="tram.jpg",
    content_type="image/jpeg",
    size=10,
    sha256=None,
    incoming_key="incoming/1",
    key_prefix="library/images/2/",
    future_image_id=UUID(int=2),
    created_at=NOW,
    updated_at=NOW,
    expires_at=NOW + timedelta(hours=1),
)
ENDED = [state for state in UploadState if state.is_ended]
OPEN = [state for state in UploadState if not state.is_ended]


class Life(RuleBasedStateMachine):
    """Any order of events, against what a life must look like."""

    def __init__(self) -> None:
        super().__init__()
        self.state = UploadState.PENDING
        self.happened: list[UploadEvent] = []

    @rule(event=st.sampled_from(UploadEvent))
    def happen(self, event: UploadEvent) -> None:
        before = self.state
        try:
            self.state = advance(before, event)
        except (Conflict, UploadExpired):
            assert event not in TRANSITIONS[before]
        else:
            self.happened.append(event)
        if before.is_ended:
            assert self.state is before

    @invariant()
    def an_image_came_from_bytes_that_arrived(self) -> None:
        if self.state is UploadState.COMPLETED:
            assert UploadEvent.ARRIVE in self.happened

    @invariant()
    def an_end_has_one_cause(self) -> None:
        causes = {UploadEvent.COMPLETE, UploadEvent.REJECT, UploadEvent.EXPIRE} & set(self.happened)
        assert len(causes) <= 1
        assert self.state.is_ended == bool(causes or UploadEvent.CANCEL in self.happened)


TestLife = Life.TestCase


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize(
    ("event", "end"),
    [
        (UploadEvent.REJECT, UploadState.REJECTED),
        (UploadEvent.CANCEL, UploadState.CANCELLED),
        (UploadEvent.EXPIRE, UploadState.EXPIRED),
    ],
)
def test_an_open_session_can_end_at_any_time(state: UploadState, event: UploadEvent, end: UploadState) -> None:
    assert advance(state, event) is end


@pytest.mark.parametrize("state", [UploadState.PENDING, UploadState.UPLOADING])
def test_a_file_that_has_not_arrived_cannot_be_completed(state: UploadState) -> None:
    with pytest.raises(UploadIncomplete):
        advance(state, UploadEvent.COMPLETE)


@pytest.mark.parametrize("state", [UploadState.COMPLETED, UploadState.REJECTED, UploadState.CANCELLED])
def test_an_ended_session_takes_no_more_bytes(state: UploadState) -> None:
    with pytest.raises(UploadEnded):
        advance(state, UploadEvent.BEGIN)


@pytest.mark.parametrize("event", [UploadEvent.BEGIN, UploadEvent.ARRIVE, UploadEvent.COMPLETE])
def test_an_expired_session_says_that_it_is_expired(event: UploadEvent) -> None:
    with pytest.raises(UploadExpired):
        advance(UploadState.EXPIRED, event)


def test_bytes_begin_to_come_once() -> None:
    with pytest.raises(Conflict):
        advance(UploadState.UPLOADED, UploadEvent.BEGIN)


def test_an_image_is_not_cancelled_but_every_other_end_may_be() -> None:
    with pytest.raises(UploadEnded):
        advance(UploadState.COMPLETED, UploadEvent.CANCEL)
    for state in (UploadState.CANCELLED, UploadState.REJECTED, UploadState.EXPIRED):
        assert advance(state, UploadEvent.CANCEL) is state


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    reached = {UploadState.PENDING}
    for transitions in TRANSITIONS.values():
        reached |= set(transitions.values())
    assert set(TRANSITIONS) == reached == set(UploadState)


def test_a_session_over_time_is_expired_before_anybody_sweeps_it() -> None:
    just_before = SESSION.expires_at - timedelta(microseconds=1)
    assert SESSION.at(just_before).state is UploadState.PENDING
    assert SESSION.at(SESSION.expires_at).state is UploadState.EXPIRED


def test_an_image_id_is_told_once_there_is_an_image() -> None:
    assert SESSION.image_id is None
    assert attrs.evolve(SESSION, state=UploadState.COMPLETED).image_id == UUID(int=2)


def test_the_original_has_its_types_extension() -> None:
    assert SESSION.original_key == "library/images/2/original.jpg"


def test_the_diagram_draws_every_transition() -> None:
    drawn = mermaid()
    for state, transitions in TRANSITIONS.items():
        for event, following in transitions.items():
            assert f"    {state} --> {following}: {event}\n" in drawn
    assert drawn.count(": ") == sum(len(transitions) for transitions in TRANSITIONS.values())


def test_the_documentation_shows_this_diagram() -> None:
    """`python docs/diagrams.py` brings it up to date."""
    command = [sys.executable, str(ROOT / "docs" / "diagrams.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("state", "error"),
    [
        *((state, None) for state in UploadState if not state.is_ended),
        (UploadState.COMPLETED, None),
        (UploadState.CANCELLED, UploadEnded),
        (UploadState.EXPIRED, UploadExpired),
    ],
)
def test_what_is_over_says_so_unless_it_became_an_image(state: UploadState, error: type[Exception] | None) -> None:
    with nullcontext() if error is None else pytest.raises(error):
        raise_if_over(attrs.evolve(SESSION, state=state))


def test_what_was_rejected_says_why() -> None:
    rejection = Rejection.of(EmptyFile("The file is empty."))
    with pytest.raises(EmptyFile, match=r"The file is empty\."):
        raise_if_over(attrs.evolve(SESSION, state=UploadState.REJECTED, rejection=rejection))


def test_a_log_shows_which_one_it_is_and_no_signed_url() -> None:
    signed = attrs.evolve(
        SESSION, filename="a\nb.jpg", request=UploadRequest("PUT", "https://store.example/?signature=s")
    )
    assert repr(signed) == f"<UploadSession {SESSION.id} 'a\\nb.jpg' {SESSION.state}>"
