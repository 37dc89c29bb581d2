"""Programs and styles without what is for those who read their sources, comments and indents: a third of their bytes.

Lines stay where they are, so that errors and debuggers name those of the source.
"""

import re
from typing import Final

_BLOCK: Final = r"[^*]*+(?:\*(?!/)[^*]*+)*+\*/[ \t]?"
_IN_SCRIPT: Final = re.compile(rf"/\*\*{_BLOCK}|^[ \t]*+//.*$", re.MULTILINE)
_INDENT: Final = re.compile(r"^[ \t]++", re.MULTILINE)
_IN_STYLE: Final = re.compile(rf"/\*{_BLOCK}")


def without_comments(name: str, content: bytes) -> bytes:
    """The content of a file without its comments and indents, which mean nothing in templates of markup.

    In scripts those are documentation (``/** … */``) and whole lines (``//``): no text of ours has the like in it,
    which a test holds.
    """
    suffix = name.rpartition(".")[2]
    pattern = {"js": _IN_SCRIPT, "css": _IN_STYLE}.get(suffix)
    if pattern is None:
        return content
    bare = pattern.sub(lambda comment: "\n" * comment[0].count("\n"), content.decode())
    return _INDENT.sub("", bare).encode()
