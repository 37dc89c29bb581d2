"""Parameters by name, and that no SQL that is put together counts them by hand."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import imagegallery
from imagegallery.database.statement import Statement

_SOURCE = Path(imagegallery.__file__).parent
_NUMBERED = re.compile(r"\$\d")
_RUNS = {"execute", "fetch", "fetchrow", "fetchval"}


def test_parameters_are_numbered_by_their_first_appearance() -> None:
    statement = Statement.of("SELECT :b::text, i[1:2] FROM t WHERE a = :a AND (:b IS NULL OR b = :b) LIMIT :most_of_it")
    assert statement.sql == "SELECT $1::text, i[1:2] FROM t WHERE a = $2 AND ($1 IS NULL OR b = $1) LIMIT $3"
    assert statement.arguments({"a": 1, "most_of_it": 3, "b": 2}) == (2, 1, 3)


@pytest.mark.parametrize("values", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}])
def test_each_name_has_a_value_and_each_value_a_name(values: Mapping[str, object]) -> None:
    with pytest.raises(TypeError, match="takes a, b"):
        Statement.of("SELECT :a, :b").arguments(values)


def test_no_sql_that_is_put_together_counts_its_parameters_by_hand() -> None:
    """A ``$1`` stands only in a text whose pieces have no parameters: any other is a `Statement`, with names."""
    paths = sorted(set(_SOURCE.rglob("*.py")) - {_SOURCE / "database" / "statement.py"})
    assert [f"{path.relative_to(_SOURCE)}:{line}" for path in paths for line in counted(path)] == []


@pytest.mark.parametrize(
    "source",
    [
        'KEY = "a = $1"\nGET = f"SELECT 1 WHERE {KEY} AND b = $2"',
        'def page(key: str) -> str:\n    return f"SELECT 1 WHERE {key} > $1"',
        'def page(first: int) -> str:\n    return f"SELECT ${first}"',
        'LIST = listing("AND b = $2")',
        'GET = "SELECT 1 WHERE b = $2" + MORE',
    ],
)
def test_counting_would_be_found(tmp_path: Path, source: str) -> None:
    path = tmp_path / "records.py"
    path.write_text(source)
    assert list(counted(path, {"KEY": "a = $1"})) != []


def counted(path: Path, names: Mapping[str, object] | None = None) -> Iterator[int]:
    """The lines on which a number is given to a parameter of a text that has others' pieces in it."""
    text = path.read_text()
    if not re.search(r"\$[\d{]", text):
        return
    tree = ast.parse(text)
    of_modules = set(map(id, _outside_of_functions(tree)))
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=pieces):
                written = "".join(str(piece.value) for piece in pieces if isinstance(piece, ast.Constant))
                holes = [piece.value for piece in pieces if isinstance(piece, ast.FormattedValue)]
                is_counting = "${" in ast.unparse(node)
                if _NUMBERED.search(written):
                    is_counting |= id(node) not in of_modules
                    is_counting = is_counting or any(_NUMBERED.search(_value(path, hole, names)) for hole in holes)
                if is_counting:
                    yield node.lineno
            case ast.Call(func=func, args=arguments):
                runs = isinstance(func, ast.Attribute) and func.attr in _RUNS
                if not runs and any(map(_is_numbered, arguments)):
                    yield node.lineno
            case ast.BinOp(left=left, right=right) if _is_numbered(left) or _is_numbered(right):
                yield node.lineno


def _outside_of_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _outside_of_functions(child)


def _is_numbered(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_NUMBERED.search(node.value))


def _value(path: Path, hole: ast.expr, names: Mapping[str, object] | None) -> str:
    """What fills a hole of a text, as its module has it."""
    if names is None:
        module = ".".join(("imagegallery", *path.relative_to(_SOURCE).with_suffix("").parts))
        names = vars(importlib.import_module(module))
    return str(eval(ast.unparse(hole), dict(names)))
