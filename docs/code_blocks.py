"""Run the code that a page shows, in the current directory: ``python docs/code_blocks.py PAGE``.

The page's ``python`` blocks are one program (``await`` at top level is allowed), its ``sh`` blocks one script, run
before it; ``toml`` blocks are loaded as settings, ``json`` blocks parsed, ``mermaid`` and ``text`` are not code. Any
other block is an error. A comment above a block, invisible on the page, says what is special about it:

* ``<!-- run by tests/…/test_….py -->``: another test runs it, in surroundings of its own;
* ``<!-- not run: REASON -->``: nothing can run it here;
* ``<!-- hidden LANGUAGE`` with code up to ``-->``: a block that the reader is spared.
"""

import ast
import asyncio
import inspect
import json
import re
import subprocess
import sys
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from imagegallery import Settings

ROOT = Path(__file__).parents[1]
PROGRAMS = ("python", "sh")
NO_CODE = ("mermaid", "text")

_BLOCK = re.compile(
    r"""^<!--\ hidden\ (?P<hidden_language>\w+)\n(?P<hidden_code>.*?)^-->$
    | (?:^<!--\ (?:run\ by\ (?P<runner>\S+)|not\ run:\ (?P<reason>[^\n]+))\ -->\n)?
      ^```(?P<language>\w*)\n(?P<code>.*?)^```$""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)

_FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


class WrongBlock(Exception):
    """A block that is not what it says, or that nobody runs."""


@frozen
class Block:
    """``line`` is the one before its code, counted from 1; ``runner`` is a test file, ``reason`` why it is not run."""

    language: str
    code: str
    line: int
    hidden: bool = False
    runner: str | None = None
    reason: str | None = None

    @property
    def runs_here(self) -> bool:
        return self.runner is None and self.reason is None


def blocks_of(text: str) -> list[Block]:
    """Every block of a page, in order. Raises `WrongBlock` for a fence that begins or ends none."""
    blocks = [_block(text, match) for match in _BLOCK.finditer(text)]
    if len(_FENCE.findall(text)) != 2 * sum(not block.hidden for block in blocks):
        raise WrongBlock("a fence is indented, is not closed, or has more than a language behind it")
    return blocks


def _block(text: str, match: "re.Match[str]") -> Block:
    kind = "hidden_" if match["hidden_language"] else ""
    line = text.count("\n", 0, match.start(f"{kind}code"))
    return Block(match[f"{kind}language"], match[f"{kind}code"], line, bool(kind), match["runner"], match["reason"])


def shown(page: Path, language: str) -> str:
    """The page's visible blocks of that language, one below the other."""
    blocks = blocks_of(page.read_text())
    return "\n".join(block.code for block in blocks if block.language == language and not block.hidden)


def run(page: Path) -> None:
    """Raises `WrongBlock`, or whatever the page's program raises."""
    blocks = blocks_of(page.read_text())
    for runner in {block.runner for block in blocks if block.runner}:
        if not (ROOT / runner).is_file():
            raise WrongBlock(f"{page}: there is no {runner}")
    mine = [block for block in blocks if block.runs_here]
    for block in mine:
        _check(page, block)
    _run_sh([block for block in mine if block.language == "sh"])
    _run_python(page, [block for block in mine if block.language == "python"])


def _check(page: Path, block: Block) -> None:
    """Everything but programs. Raises `WrongBlock`."""
    try:
        if block.language == "toml":
            _load_settings(block.code)
        elif block.language == "json":
            json.loads(block.code)
        elif block.language not in (*PROGRAMS, *NO_CODE):
            raise WrongBlock(f"nothing runs {block.language or 'a block without a language'}")
    except Exception as error:
        raise WrongBlock(f"{page}:{block.line}: {error}") from error


def _load_settings(toml: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "imagegallery.toml"
        config.write_text(toml)
        Settings.from_env(config)


def _run_sh(blocks: Sequence[Block]) -> None:
    if blocks:
        subprocess.run(["sh", "-euc", "".join(block.code for block in blocks)], check=True)  # noqa: S607


def _run_python(page: Path, blocks: Sequence[Block]) -> None:
    """One namespace for all. With an ``await`` outside of functions, one event loop and task for all as well."""
    codes = [_compiled(page, block) for block in blocks]
    namespace: dict[str, object] = {"__name__": "__main__"}
    if any(code.co_flags & inspect.CO_COROUTINE for code in codes):
        asyncio.run(_evaluate(codes, namespace))
    else:
        for code in codes:
            exec(code, namespace)  # noqa: S102 - it is our own documentation


async def _evaluate(codes: Sequence[types.CodeType], namespace: dict[str, object]) -> None:
    for code in codes:
        pending = eval(code, namespace)  # noqa: S307 - it is our own documentation
        if inspect.isawaitable(pending):
            await pending


def _compiled(page: Path, block: Block) -> types.CodeType:
    """With the line numbers of the page."""
    code = compile("\n" * block.line + block.code, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert isinstance(code, types.CodeType)
    return code


def main(arguments: Sequence[str]) -> None:
    match arguments:
        case [page]:
            run(Path(page))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
