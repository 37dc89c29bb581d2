"""XML, written: elements whose texts and attributes are escaped. Pure."""

import re
from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
# What XML 1.0 cannot hold, escaped or not (section 2.2, "Char").
_NO_CHARACTER: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, *inside: str, text: str = "", **attributes: str | None) -> str:
    """An element of these elements, or of this text. Attributes that are ``None`` are left out."""
    return tag(name, attributes, f"{''.join(inside)}{escape(_allowed(text))}")


def tag(name: str, attributes: Mapping[str, str | None], inside: str = "") -> str:
    """An element of what is XML already."""
    given = "".join(f" {key}={quoteattr(_allowed(value))}" for key, value in attributes.items() if value is not None)
    return f"<{name}{given}>{inside}</{name}>" if inside else f"<{name}{given}/>"


def _allowed(text: str) -> str:
    return _NO_CHARACTER.sub("\ufffd", text)
