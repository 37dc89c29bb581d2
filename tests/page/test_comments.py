"""What is sent of a program is all of it but its comments and indents."""

import json
from pathlib import Path

from tests.support.node import node_programs

import imagegallery_asgi.page
from imagegallery_asgi.page.assets import page_assets
from imagegallery_asgi.page.comments import without_comments

APP = Path(imagegallery_asgi.page.__file__).parent / "app"


def test_comments_are_left_out_and_lines_stay_where_they_are() -> None:
    script = b"/**\n * What it is.\n */\nexport const one = 1; // told\n  // a line\nlet /** @type {string} */ two;\n"
    assert without_comments("a.js", script) == b"\n\n\nexport const one = 1; // told\n\nlet two;\n"
    assert without_comments("a.css", b"/* why */\n  a { /* b */ c: d; }") == b"\na { c: d; }"
    assert without_comments("a.json", b'{"a": "/** b */"}') == b'{"a": "/** b */"}'


def test_no_program_loses_more_than_comments_and_indents(tmp_path: Path) -> None:
    sent = {name: asset.content.decode() for name, asset in page_assets().by_name.items() if name.endswith(".js")}
    given = tmp_path / "files.json"
    given.write_text(json.dumps({"files": [[name, (APP / name).read_text(), text] for name, text in sent.items()]}))
    done = node_programs(Path(__file__).parent).run("tokens.mjs", {"from": str(given)})
    assert done == {"changed": [], "checked": len(sent)}
    assert all("/**" not in text for text in sent.values())
