"""Each test that the table of the protocols' rules names is there. That it is up to date: `test_reference`."""

import ast
from functools import cache
from pathlib import Path

from protocols_page import IETF_RULES, TUS_RULES

ROOT = Path(__file__).parents[2]
RULES = (*TUS_RULES, *IETF_RULES)


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_is_named_is_there() -> None:
    named = {rule.held_by for rule in RULES if "::" in rule.held_by}
    missing = {name for name in named if name.partition("::")[2] not in names_in(name.partition("::")[0])}
    assert not missing


def test_a_rule_without_a_test_says_why() -> None:
    reasons = [rule.held_by for rule in RULES if "::" not in rule.held_by]
    assert all(len(reason.split()) > 3 for reason in reasons)
    assert len(reasons) <= 10
