"""Statements without JSON on the wire."""

import pytest

from imagegallery.database.host.json_text import JsonText, Named

ID, META = Named("id", "uuid"), Named("meta", "jsonb")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT id, meta FROM a", "WITH answered AS (SELECT id, meta FROM a) {} FROM answered"),
        (
            "WITH x AS (DELETE FROM a WHERE b = ')' RETURNING id) UPDATE c SET d = 1 RETURNING id, meta",
            "WITH x AS (DELETE FROM a WHERE b = ')' RETURNING id), answered AS"
            " (UPDATE c SET d = 1 RETURNING id, meta) {} FROM answered",
        ),
    ],
)
def test_a_json_column_is_read_as_text(sql: str, expected: str) -> None:
    text = JsonText.of(sql, [], [ID, META])
    assert text.sql == expected.format('SELECT "id", "meta"::text AS "meta"')
    assert (text.decode("meta", '{"a": 1}'), text.decode("meta", None), text.decode("id", "x")) == ({"a": 1}, None, "x")


def test_json_parameters_are_sent_as_text() -> None:
    text = JsonText.of("INSERT INTO a VALUES ($1, $2, $3::jsonb[], $1)", ["jsonb", "uuid", "jsonb[]"], [])
    assert text.sql == "INSERT INTO a VALUES ($1::text::jsonb, $2, $3::text[]::jsonb[]::jsonb[], $1::text::jsonb)"
    assert text.encode([[1], [2], [{"b": 3}, None]]) == ["[1]", [2], ['{"b": 3}', None]]
    assert text.encode([None, None, None]) == [None, None, None]


def test_what_has_no_json_stays_as_it_is() -> None:
    assert JsonText.of("SELECT $1", ["text"], [ID]) == JsonText("SELECT $1")
