"""Takes away every lock, fence, shield, sync and owner's condition in turn, and sees whether a test fails.

    python -m tests.mutants [-j PROCESSES] [PART_OF_A_PATH ...]

Works on copies of the tree. Ends with an error if one that is not in `NOT_SEEN` can be taken away unseen. Decisions in
plain Python are mutmut's: ``nox -s mutants`` runs both.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from attrs import frozen

# What begins a line, or a line of a class, by a name of its own.
_NAME: Final = re.compile(r"^(?:    )?(?:async def |def |class )(\w+)|^(\w+)(?=(?:: \S+)? = )", re.MULTILINE)

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = Path("src/imagegallery")

# What is taken away, and what is left in its place.
RULES: Final[Mapping[str, str]] = {
    r"\s*FOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)(?: OF \w+)?(?: SKIP LOCKED)?": "",
    r" SKIP LOCKED": "",
    r"pg_advisory_xact_lock\(": "coalesce(",
    r"pg_try_advisory(?:_xact)?_lock\(": "0 <= abs(",
    r"await \S*\b(?:fence|complete_in)\(connection, job\)": "True",
    # What is written only if nobody else was quicker.
    r"event_log\.last_position = log\.last_position AND ": "",
    r"(?<=consumer = \$1) AND position = \$2": "",
    r" AND state = ANY \(\$3\)": "",
    r"shield=True": "shield=False",
    r"(?:\b\w+\.)?\bowner_id = (?:ANY \()?(\$\d|:\w+)\)?": r"(\g<0> OR \1 IS NOT NULL)",
    r"(?<=\n)( +)(?:os\.fsync|(?:folders\.|file\.)?sync)\(.*": r"\1pass",
    r"file\.sync, self._timestamp\(\)": "abs, 0",
}

# Which tests see it, beside those of its package, by what its path or its text contain.
TESTS: Final[Mapping[str, tuple[str, ...]]] = {
    "shield=True": ("tests/test_shields.py", "tests/storage/filesystem/test_appends.py"),
    "owner_id": ("tests/test_owners.py",),
    "records.py": ("tests/database/test_locks.py",),
    "membership.py": ("tests/database/test_locks.py",),
    "migrate.py": ("tests/database/test_locks.py",),
    "sync": ("tests/test_durability.py",),
}

# What no test can see, each with the reason.
NOT_SEEN: Final[Mapping[str, str]] = {
    "images/duplicates/records.py END_OF_WALK: owner_id = $1": "where a long walk ends: its next page looks by owner",
    "images/duplicates/lookalike_records.py MARK: owner_id = $1": "whose neighbours: these are looked for by owner",
    "images/duplicates/lookalike_records.py _UNMARK: owner_id = $1": "by the ids of this owner's images",
    "images/duplicates/lookalike_records.py _DISCONNECT: own.owner_id = $1": "whose neighbours: the owner's rows go",
}


@frozen
class Mutant:
    """The ``source`` of ``path``, its text from ``start`` to ``end``, in what has this ``name``, replaced."""

    path: Path
    source: str
    start: int
    end: int
    text: str
    name: str
    taken: str

    def apply(self, root: Path) -> None:
        (root / self.path).write_text(self.source[: self.start] + self.text + self.source[self.end :])

    def undo(self, root: Path) -> None:
        (root / self.path).write_text(self.source)

    def tests(self) -> Iterator[tuple[str, ...]]:
        """Files and folders of tests that may see it, in the order in which to try them."""
        for part, tests in TESTS.items():
            if part in str(self):
                yield tests
        beside = Path("tests") / self.path.relative_to(PACKAGE).parent
        for folder in (beside, *beside.parents):
            if len(folder.parts) > 1 and (ROOT / folder).is_dir():
                yield (str(folder),)

    def __str__(self) -> str:
        return f"{self.path.relative_to(PACKAGE)} {self.name}: {self.taken}"


def mutants(parts: Sequence[str]) -> Iterator[Mutant]:
    """All of the package, but for what tests use; of files whose paths contain one of ``parts``, if there are any."""
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        if {"testing", "dev_stack"} & set(path.parts) or (parts and not any(part in str(path) for part in parts)):
            continue
        source = path.read_text()
        for pattern, replacement in RULES.items():
            for match in re.finditer(pattern, source):
                taken = " ".join(match[0].partition("#")[0].split())
                start = match.start() + len(match[0]) - len(match[0].lstrip())
                name = "".join(_NAME.findall(source, 0, start)[-1])
                text = match.expand(replacement)
                yield Mutant(path.relative_to(ROOT), source, match.start(), match.end(), text, name, taken)


def is_seen(mutant: Mutant, copy: Path) -> bool:
    return any(_pass(tests, copy) and not _pass_with(mutant, tests, copy) for tests in mutant.tests())


def _pass_with(mutant: Mutant, tests: tuple[str, ...], copy: Path) -> bool:
    mutant.apply(copy)
    try:
        return _run(tests, copy)
    finally:
        mutant.undo(copy)


@cache
def _pass(tests: tuple[str, ...], copy: Path) -> bool:
    """Whether they do as long as nothing is taken away: else they see nothing."""
    return _run(tests, copy)


def _run(tests: tuple[str, ...], copy: Path) -> bool:
    """Whether all pass; one that hangs does not."""
    command = (sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests)
    environment = {**os.environ, "PYTHONPATH": str(copy / "src")}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def copy_tree(folder: Path) -> Path:
    listed = subprocess.run(("git", "ls-files", "-z", "-co", "--exclude-standard"), cwd=ROOT, stdout=-1, check=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", help="only files whose path contains one of these")
    parser.add_argument("-k", default="", help="only where this is part of what is taken away")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, help="how many at once")
    given = parser.parse_args()
    found, unseen = [each for each in mutants(given.parts) if given.k in each.taken], list[Mutant]()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.j) as pool:
        copies = SimpleQueue[Path]()
        for number in range(given.j):
            copies.put(copy_tree(Path(folder, str(number))))

        def judge(mutant: Mutant) -> bool:
            copy = copies.get()
            try:
                return is_seen(mutant, copy)
            finally:
                copies.put(copy)

        for mutant, seen in zip(found, pool.map(judge, found), strict=True):
            print("seen    " if seen else "NOT SEEN", mutant, flush=True)
            if not seen:
                unseen.append(mutant)
    print(f"{len(found) - len(unseen)} of {len(found)} cannot be taken away unseen.")
    return int(any(str(each) not in NOT_SEEN for each in unseen))


if __name__ == "__main__":
    sys.exit(main())
