"""The header that gives a download its file name. Pure."""

import re
from urllib.parse import quote

_NOT_PLAIN = re.compile(r'[^\x20-\x7e]|["\\%;]')


def attachment(filename: str) -> str:
    """Make a ``Content-Disposition`` that every browser saves under ``filename`` (RFC 6266 section 4.3 and appendix D,
    with
    ``filename*`` as in RFC 8187).
    """
    plain = _NOT_PLAIN.sub("_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"
