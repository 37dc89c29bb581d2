"""Docstrings and comments are in plain English: no words of ours for things that have plain ones."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"

# What not to write, and what to write instead. Patterns are found anywhere in a text, in any case.
BANNED = {
    r"(?:^|[.;:,] |and )answers\b(?! (?:of|to|that|with)\b)": "returns",
    r"\bfor good\b": "permanently, durably",
    r"\bso many\b": "the number, or the name of the argument",
    r"\b(?:is|are|was|were|be) told\b": "the active voice: reports, logs, notifies, knows",
    r"\btells? of\b": "reports, announces, describes",
    r"\bhears? of\b": "learns of, receives",
    r"\bwhoever\b": "the caller, the process, everybody who",
    # A `who` that nobody is named for. It may begin a sentence about people: "Who can see a thing."
    r"(?:^|[.;:(] )who (?!(?:am|are|can|does|has|is|may|must|receives|sees|will)\b)": "the one that does it",
    r"\basks? for no\b": "does not check",
    r"\bin which (?:they|it)\b": "the usual order of words",
    r"\bif need be\b": "if needed",
    r"\bsees? to it\b": "ensures",
    r"\b(?:of|for) what is (?:no|none)\b": "invalid",
    r"\bas many as may be\b": "the limit",
}


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """The docstrings and comments of a file, each with its line."""
    text = path.read_text()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(words))):
                yield node.lineno, words
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def faults(words: str) -> Iterator[str]:
    flat = " ".join(words.split())
    for pattern, instead in BANNED.items():
        for found in re.finditer(pattern, flat, re.IGNORECASE):
            yield f"{found[0].strip()!r}: write {instead}"


def test_no_text_has_a_word_of_the_list() -> None:
    found = [
        f"{path.relative_to(SOURCES)}:{line}: {fault}"
        for path in sorted(SOURCES.rglob("*.py"))
        for line, words in prose(path)
        for fault in faults(words)
    ]
    assert found == []


def test_the_list_finds_what_it_is_for() -> None:
    assert list(faults("Remove drafts; answers how many.")) == ["'; answers': write returns"]
    assert len(list(faults("Who finds it tells of it,\nfor good, to whoever is told."))) == 5
    assert not list(faults("Return the answers to a client who can see it."))
