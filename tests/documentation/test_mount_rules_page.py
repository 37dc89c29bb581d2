"""The how-to about mounting under the host's rules: its application runs as it stands, but for where its data lie."""

import re
from pathlib import Path
from typing import Any

import httpx
from tests.support.photographs import photograph

from imagegallery import Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery_asgi.routes import GROUPS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "mount-rules.md"
API = "/pictures/api/v1"


def program() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert 'Settings.embedded("./data"), worker=True' in code
    return str(code.replace('Settings.embedded("./data"), worker=True', "SETTINGS"))


async def test_the_application_of_the_page_holds_its_rules(tmp_path: Path, database_dsn: str) -> None:
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    host: dict[str, Any] = {"SETTINGS": settings}
    exec(program(), host)
    transport = httpx.ASGITransport(host["app"], client=("127.0.0.1", 1))
    async with (
        host["gallery"] as gallery,
        httpx.AsyncClient(transport=transport, base_url="http://shop.example", headers={"X-User": "ana"}) as client,
    ):
        image_id = str((await gallery.uploads.add(Principal.user("ana"), photograph(80, 60))).id)
        path = f"{API}/images/{image_id}"
        assert (await client.patch(path, json={"alt_text": "A tram"})).status_code == 200
        assert (await client.get(f"/covers/{image_id}")).json() == {"alt": "A tram"}

        host["FROZEN"].add(image_id)
        assert (await client.patch(path, json={"alt_text": "No tram"})).status_code == 403
        assert (await client.get(path)).json()["data"]["alt_text"] == "A tram"
        host["BANNED"].add("ana")
        assert (await client.get(path)).status_code == 404
        missing = await client.get(f"/covers/{image_id}")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")

        described = (await client.get("/pictures/openapi.json")).json()
        assert {each["name"] for each in described["tags"]} == {"uploads", "images", "files"}
        assert (await client.get(f"{API}/galleries")).status_code == 404


def test_the_page_names_every_group() -> None:
    text = PAGE.read_text()
    assert [name for name in GROUPS if f"`{name}`" not in text] == []
