"""The page's programs are typed by comments (JSDoc), and the types are checked."""

import json
import subprocess
from pathlib import Path

from tests.support.node import node_programs

HERE = Path(__file__).parent
APP = HERE.parents[1] / "src" / "imagegallery_asgi" / "page" / "app"


def test_types(tmp_path: Path) -> None:
    programs = node_programs(HERE)
    options = json.loads((HERE / "tsconfig.json").read_text())
    checked = {"extends": None, **options, "include": [f"{APP}/**/*.js"]}
    del checked["extends"]
    (tmp_path / "tsconfig.json").write_text(json.dumps(checked))
    compiler = programs.folder.parent / "node_modules" / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        [programs.node, str(compiler), "-p", str(tmp_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
