"""The table of the protocols' rules is up to date, and each test that it names is there."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "protocols_page.py"


def protocols() -> ModuleType:
    spec = importlib.util.spec_from_file_location("protocols_page", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_test_that_is_named_is_there() -> None:
    module = protocols()
    named = {rule.held_by for rule in (*module.TUS_RULES, *module.IETF_RULES) if "::" in rule.held_by}
    missing = {name for name in named if name.partition("::")[2] not in names_in(name.partition("::")[0])}
    assert not missing


def test_a_rule_without_a_test_says_why() -> None:
    module = protocols()
    reasons = [rule.held_by for rule in (*module.TUS_RULES, *module.IETF_RULES) if "::" not in rule.held_by]
    assert all(len(reason.split()) > 3 for reason in reasons)
    assert len(reasons) <= 10
