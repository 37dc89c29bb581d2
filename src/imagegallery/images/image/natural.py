"""File names in the order in which people count: pure."""

import re
import unicodedata
from typing import Final

# Keeps an index entry and a cursor short: at most 512 bytes in UTF-8. Names that differ later count as equal.
KEY_LENGTH: Final = 128

_DIGITS = re.compile(r"\d+")


def natural_key(filename: str) -> str:
    """A text that sorts, by code points, as people sort names: ``img2`` before ``IMG10``.

    Letters compare without case and in compatibility form (Unicode 15.0, section 3.13: NFKC of the case-folded
    NFKC; not a locale's alphabet). A number, in any script's decimal digits, becomes its length in four digits
    and then itself without leading zeros.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", filename).casefold())
    return _DIGITS.sub(_counted, folded)[:KEY_LENGTH]


def _counted(match: re.Match[str]) -> str:
    number = "".join(str(unicodedata.decimal(digit)) for digit in match[0]).lstrip("0") or "0"
    return f"{len(number):04}{number}"
