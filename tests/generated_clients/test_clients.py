"""Clients that generators make of the description do the main job, as their page has it, against a real service."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.generated_clients.conftest import Programs, run
from tests.support.served import KEY, token_of
from tests.support.servers.service import RunningService, running_service
from tests.support.studio import picture

from code_blocks import blocks_of

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "generate-client.md"
DONE = "[ 'tram.jpg ', 'form.jpg A yellow tram' ] image/webp\nnot_found\n"
STRICT = """{
  "compilerOptions": {
    "strict": true, "noUncheckedIndexedAccess": true, "skipLibCheck": true, "target": "ES2022", "module": "NodeNext",
    "lib": ["ES2022", "DOM", "DOM.Iterable"], "types": ["node"], "outDir": "built"
  },
  "include": ["*.ts", "client"]
}"""


def shown(language: str) -> list[str]:
    return [block.code for block in blocks_of(PAGE.read_text()) if block.language == language]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One that users sign in to, and that makes variants."""
    environment = {"IMAGEGALLERY_JWT_KEY": KEY}
    with running_service(tmp_path_factory.mktemp("service") / "data", environment=environment) as service:
        yield service


@pytest.fixture
def environment(service: RunningService, programs: Programs) -> Mapping[str, str]:
    """Where a reader stands: with a photograph, and what the programs want to know."""
    (programs.folder / "photo.jpg").write_bytes(picture(320, 240))
    found = (str(programs.packages / "node_modules" / ".bin"), str(Path(sys.executable).parent), os.environ["PATH"])
    return {"API": f"{service.url}/api/v1", "TOKEN": token_of("ana"), "PATH": os.pathsep.join(found)}


@pytest.fixture
def reader(programs: Programs, environment: Mapping[str, str]) -> Callable[..., str]:
    """Runs a program in the reader's folder."""
    return lambda *command: run([*command], programs.folder, environment)


def test_in_typescript(programs: Programs, reader: Callable[..., str]) -> None:
    files = {"package.json": '{"type": "module"}', "tsconfig.json": STRICT, "openapi-ts.config.mjs": shown("js")[0]}
    for name, text in {**files, **dict(zip(("fetch.ts", "hey.ts"), shown("ts"), strict=True))}.items():
        (programs.folder / name).write_text(text)
    fetch, types, hey, _ = shown("sh")
    reader("sh", "-euc", fetch + types + hey)
    reader("tsc", "--project", ".")
    for program in ("fetch", "hey"):
        assert reader("node", f"built/{program}.js") == DONE


def test_in_python(programs: Programs, reader: Callable[..., str]) -> None:
    (programs.folder / "config.yaml").write_text(shown("yaml")[0])
    (programs.folder / "job.py").write_text(shown("python")[0])
    fetch, *_, generate = shown("sh")
    assert "WARNING" not in reader("sh", "-euc", fetch + generate)
    options = ("--strict", "--config-file=", "--follow-imports=silent", "--cache-dir=.mypy")
    reader(sys.executable, "-m", "mypy", *options, "job.py")
    assert reader(sys.executable, "job.py") == DONE.replace("[ ", "[").replace(" ]", "]")
