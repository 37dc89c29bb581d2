"""What the library reads of strangers' texts takes time in proportion to them; and no pattern can do otherwise."""

import ast
import importlib
import inspect
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from re import _constants as kinds
from re import _parser as grammar
from typing import Any

import pytest
from msgspec import Meta
from tests.support.growth import check_linear

import imagegallery
import imagegallery_asgi
from imagegallery.events.event import parse_event_id
from imagegallery.ids import parse_id
from imagegallery.images.image.filename import clean_filename, natural_key
from imagegallery.images.metadata.metadata import read_metadata
from imagegallery.images.metadata.timestamps import read_mail_timestamp, read_timestamp, timestamp_in_name
from imagegallery.imaging.decoder_errors import bad_image
from imagegallery.imaging.formats.xmp import read_properties
from imagegallery.imaging.removal import iptc, photoshop, xmp
from imagegallery.imaging.removal.pieces import Unreadable
from imagegallery.pagination import decode_cursor
from imagegallery.storage.signatures import DownloadGrant, UrlSigner
from imagegallery.uploads.bucket_events.messages import created_objects
from imagegallery.webhooks.webhook import WebhookOptions, check_webhook

Reader = Callable[[str], object]

SIGNER = UrlSigner(b"k" * 32, lambda: datetime.now(UTC))
NOW = datetime(2026, 11, 30, tzinfo=UTC)
# Accents of two classes in the wrong order, a letter in parts, and one that stands for eighteen.
WRITING = ("\u0301\u0323", "\u0323\u0301", "a\u0301", "\u1112\u1161\u11ab", "\ufdfa", "\u200d", "\U0001f468\u200d", "٣")


def exif(text: str) -> object:
    """As the name of the camera."""
    value = text.encode()
    entry = struct.pack("<HHIII", 1, 0x010F, 2, len(value), 26)
    return read_metadata(b"II*\0\x08\0\0\0" + entry[:2] + struct.pack("<HHII", 0x010F, 2, len(value), 26) + value)


def edited(edit: Callable[[bytes], bytes]) -> Reader:
    def read(text: str) -> object:
        try:
            return edit(text.encode("latin-1", "replace"))
        except Unreadable:
            return None

    return read


READERS: dict[str, tuple[Reader, list[str]]] = {
    "cursor": (lambda text: decode_cursor(text, "images", datetime), ["", "W10", "WyJ"]),
    "token": (lambda text: SIGNER.read(text, DownloadGrant), ["", "W10.", "."]),
    "id": (parse_id, ["", "0", "urn:uuid:"]),
    "event": (parse_event_id, ["", "1"]),
    "filename": (clean_filename, ["", "/"]),
    "natural": (lambda text: natural_key(text[:255]), ["", "1"]),
    "webhook": (
        lambda text: check_webhook(text, (), (), WebhookOptions()),
        ["", "https://", "https://a/", "https://["],
    ),
    "bucket": (created_objects, ["", "[", '{"Records":[', '{"Records":"']),
    "exif": (exif, ["", "a "]),
    "time": (read_timestamp, ["", "2024:", "2024:06:30 18:04:05", "2024:06:30 18:04:05."]),
    "time in a mail": (lambda text: read_mail_timestamp(text[:200]), ["", "Sat, 21 Nov 2026 "]),
    "time in a name": (lambda text: timestamp_in_name(text, NOW), ["", "IMG_", "IMG_2024", "PXL_20240630_"]),
    "xmp": (lambda text: read_properties(text.encode()), ["", "<", "<a>", '<a xmlns="', "<!--", "<![CDATA[", "<a>&"]),
    "xmp without place": (
        edited(xmp.without_place),
        ["", "<", "<a>", "<City>", '<a City="', "<a City='x' ", "<a><City/>"],
    ),
    "iptc without place": (edited(iptc.without_place), ["", "\x1c", "\x1c\x02\x5a\0\0", "\0"]),
    "photoshop without place": (
        edited(photoshop.without_place),
        ["", "8BIM\x04\x04\0\0\0\0\0\0", "8BIM\x04\x24\0\0\0\0\0\0", "\0"],
    ),
    "complaint": (bad_image, ["", "unexpected "]),
}


@pytest.mark.parametrize("name", READERS)
def test_no_text_costs_more_than_its_length(name: str) -> None:
    read, prefixes = READERS[name]
    for prefix in prefixes:
        check_linear(read, prefix)
        check_linear(read, prefix, WRITING)


# --- patterns ----------------------------------------------------------------------------------------------

_ENDLESS = 1_000  # a repetition without a bound, or with one that is none
_ONE_CHARACTER = (kinds.LITERAL, kinds.NOT_LITERAL, kinds.IN, kinds.ANY)
_CALLS = {"compile", "match", "fullmatch", "search", "finditer", "findall", "sub", "split"}


def returns(pattern: str) -> list[str]:
    """The repetitions that the engine may return to, to try with less: ambiguous together, they cost the square."""
    return [kind for kind in _returns(list(grammar.parse(pattern))) if kind]


def _returns(items: list[tuple[Any, Any]]) -> Iterator[str]:
    for kind, value in items:
        if kind is kinds.ATOMIC_GROUP:
            is_possessive = len(value) == 1 and value[0][0] is kinds.MAX_REPEAT
            yield from _returns(list(value[0][1][2] if is_possessive else value))
        elif kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
            _, most, body = value
            is_returned_to = kind is not kinds.POSSESSIVE_REPEAT and most > _ENDLESS
            yield ("one" if len(body) == 1 and body[0][0] in _ONE_CHARACTER else "many") if is_returned_to else ""
            yield from _returns(list(body))
        elif kind is kinds.BRANCH:
            for branch in value[1]:
                yield from _returns(list(branch))
        elif kind in (kinds.SUBPATTERN, kinds.ASSERT, kinds.ASSERT_NOT):
            yield from _returns(list(value[-1]))


def patterns() -> Iterator[str]:
    """All of both packages: what is compiled, what constrains a field, and what is written into a call."""
    for package in (imagegallery, imagegallery_asgi):
        root = Path(inspect.getfile(package)).parent
        for file in root.rglob("*.py"):
            source = file.read_text()
            yield from written(ast.parse(source))
            if "re.compile(" in source or "pattern(" in source:
                names = file.relative_to(root.parent).with_suffix("").parts
                yield from of_module(vars(importlib.import_module(".".join(names))))


def of_module(members: Mapping[str, object]) -> Iterator[str]:
    yield from (each.pattern for each in members.values() if isinstance(each, re.Pattern))
    yield from (each.pattern for each in members.values() if isinstance(each, Meta) and each.pattern)


def written(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS:
            owner, first = node.func.value, node.args[0] if node.args else None
            if (
                isinstance(owner, ast.Name)
                and owner.id == "re"
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str | bytes)
            ):
                yield first.value if isinstance(first.value, str) else first.value.decode("latin-1")


def test_no_pattern_can_read_a_text_in_two_ways() -> None:
    """At most one repetition of one character is returned to; all others are possessive (``*+``) or bounded."""
    found = set(patterns())
    assert len(found) > 40
    assert not {pattern for pattern in found if returns(pattern) not in ([], ["one"])}


@pytest.mark.parametrize("pattern", [r"(a*)*b", r"(a|a)*b", r"[ \t]*,[ \t]*x", r'"((?:\\.|[^"])*)"', r"a*?b*"])
def test_patterns_that_can_are_found(pattern: str) -> None:
    assert returns(pattern) not in ([], ["one"])
