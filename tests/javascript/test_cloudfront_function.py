"""The function on the page about hotlinks decides as the service does, with the table that our command makes."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
from tests.support.hotlinks import OWN, RULE, TABLE

from imagegallery.access.edge import RuledGallery, to_cloudfront
from imagegallery.access.hotlinks import AskingPage

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "hotlinks.md"
RULED = RuledGallery(UUID("01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"), tuple(sorted(RULE.origins or ())))
CLOSED = RuledGallery(UUID("01940c7e-77d0-7a11-9c3e-2f5d8b6a4e90"), ())
FREE = UUID("01940c7e-0000-7000-8000-000000000000")

# What CloudFront gives its functions: the module, and events.
CLOUDFRONT = """
const table = new Map(JSON.parse(%s).data.map(({ key, value }) => [key, value]));
const cf = { kvs: () => ({ exists: async (key) => table.has(key), get: async (key) => table.get(key) }) };
"""
HARNESS = """
const answers = [];
for (const request of %s) answers.push(await handler({ version: '1.0', request }));
console.log(JSON.stringify(answers.map((each) => each.statusCode || 200)));
"""


def request_of(gallery: UUID | str, page: AskingPage) -> dict[str, object]:
    told = {
        "origin": page.origin,
        "referer": page.referer and page.referer[:8000],
        "sec-fetch-site": page.fetch_site,
        "sec-fetch-dest": page.fetch_dest,
    }
    headers = {name: {"value": value} for name, value in told.items() if value is not None}
    return {"method": "GET", "uri": f"/api/v1/galleries/{gallery}/files/library/x.webp", "headers": headers}


def statuses(folder: Path, *, hotlinks: bool) -> list[list[int]]:
    """Of each row of the table: for a gallery with the rule, one with none but own pages, one without a rule."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("the function runs on Node here, which is not installed")
    [code] = re.findall(r"```js\n(.*?)```", PAGE.read_text(), re.DOTALL)
    imported = "import cf from 'cloudfront';\n"
    assert code.startswith(imported)
    # As CloudFront does, which runs no module but this.
    table = to_cloudfront([RULED, CLOSED], OWN, hotlinks=hotlinks)
    asked = [request_of(gallery, page) for page, *_ in TABLE for gallery in (str(RULED.id).upper(), CLOSED.id, FREE)]
    script = folder / "function.mjs"
    script.write_text(
        CLOUDFRONT % json.dumps(table) + code.removeprefix(imported) + HARNESS % json.dumps(asked, default=str)
    )
    done = subprocess.run([node, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return [found[row : row + 3] for row in range(0, len(found), 3)]


@pytest.mark.parametrize("hotlinks", [True, False])
def test_it_decides_as_the_service_does(tmp_path: Path, hotlinks: bool) -> None:
    answers = statuses(tmp_path, hotlinks=hotlinks)
    assert len(answers) == len(TABLE)
    for (page, by_rule, by_none), found in zip(TABLE, answers, strict=True):
        # A port that is the usual one is nothing that a browser writes.
        if page.referer in ("https://photos.example:443/", "https://photos.example:0443/"):
            continue
        let = (by_rule, by_none, by_none or hotlinks)
        assert found == [200 if each else 403 for each in let], page
