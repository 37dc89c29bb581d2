"""What is kept of an exception."""

import pytest

from imagegallery.errors import Unavailable
from imagegallery.queue.failure import LONGEST, describe


def fail(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_our_own_errors_are_quoted() -> None:
    assert describe(Unavailable("The store does not answer.")) == "unavailable: The store does not answer."


def test_foreign_errors_are_told_by_class_and_place_and_not_quoted() -> None:
    text = describe(fail(ValueError("https://store/key?signature=secret")))
    assert text.startswith("ValueError at test_failure.py:")
    assert "secret" not in text


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert describe(ValueError("secret")) == "ValueError"


def test_what_a_task_group_wrapped_is_unwrapped() -> None:
    inner = fail(KeyError("secret"))
    assert describe(ExceptionGroup("all", [ExceptionGroup("some", [inner])])) == describe(inner)
    assert describe(ExceptionGroup("all", [inner, inner])) == "ExceptionGroup"


@pytest.mark.parametrize("message", ["two\nlines", "x" * 1000])
def test_the_text_is_one_short_line(message: str) -> None:
    text = describe(Unavailable(message))
    assert "\n" not in text
    assert len(text) <= LONGEST
