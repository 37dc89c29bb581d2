"""How pictures get onto pages: the Jinja is rendered, the scripts are read, and what they ask for is there."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import attrs
import pytest
from attrs import evolve
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image, without_variants

from code_blocks import blocks_of
from imagegallery import Image, Principal
from imagegallery.database.pool import Database
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.gallery import EVENT_TYPES
from imagegallery.images.presentation.picture import GREY
from imagegallery.imaging.blurhash import mean_colour
from imagegallery_asgi.api.responses.images import ImageSummary

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "show.md"
BASE = "https://photos.example/api/v1"
ANA = Principal.user("ana")
HOSTILE = '"><script>alert(1)</script>'

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node reads the scripts")


def shown(language: str) -> str:
    (code,) = (block.code for block in blocks_of(PAGE.read_text()) if block.language == language)
    return code


def page_script() -> str:
    (script,) = re.findall(r'<script type="module">\n(.*?)</script>', shown("html"), re.DOTALL)
    return str(script)


class Elements(HTMLParser):
    """The start tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def image_with_a_smaller_avif() -> Image:
    image = make_image()
    smaller = (evolve(each, file_size=900) if each.format == "avif" else each for each in image.variants)
    return evolve(image, alt_text=HOSTILE, variants=tuple(smaller))


async def test_jinja_shows_what_is_there_and_keeps_room_for_what_comes(
    database: Database, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library.on(database, tmp_path / "objects", clock, DeliveryOptions(base_url=BASE))
    lisbon = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    ready = await library.add_image(image_with_a_smaller_avif(), lisbon.id)
    await library.add_image(evolve(without_variants(make_image()), blurhash=None), lisbon.id)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "pictures.html").write_text(shown("jinja"))
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    exec(shown("python"), namespace)

    render = namespace["page"]
    assert callable(render)
    made = Elements(await render(library, Principal.anonymous(), lisbon.id))

    assert made.of("script") == []
    (source,), (first,), (second,) = made.of("source"), made.of("img"), made.of("svg")
    urls = {f"{each.variant_type}.{each.format}": f"{BASE}/files/{each.key}" for each in ready.variants}
    assert source["type"] == "image/avif"
    assert source["srcset"] == f"{urls['thumbnail.webp']} 80w, {urls['medium.avif']} 800w"
    assert first["srcset"] == f"{urls['thumbnail.webp']} 80w, {urls['medium.webp']} 800w"
    assert first["src"] == urls["medium.webp"]
    assert (first["width"], first["height"], first["alt"]) == ("4000", "3000", HOSTILE)
    assert first["style"] == "background-color:#979695"
    assert (second["width"], second["height"], second["data-state"]) == ("4000", "3000", "pending")
    assert [each["fill"] for each in made.of("rect")] == ["#dddddd"]


@needs_node
def test_react_finds_the_same_colour_as_python(tmp_path: Path) -> None:
    _, digits, function = shown("jsx").partition("const DIGITS")
    file = tmp_path / "colour.mjs"
    file.write_text(digits + function + 'console.log(colourOf("LEHV6nWB2yk8pyo0adR*.7kCMdnj"), colourOf(null))')
    told = subprocess.run(["node", str(file)], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [mean_colour("LEHV6nWB2yk8pyo0adR*.7kCMdnj"), GREY]


@needs_node
@pytest.mark.parametrize(
    "script",
    [page_script(), page_script().replace("  let cursor", shown("js") + "  let cursor")],
    ids=["asks", "is told"],
)
def test_the_scripts_can_be_read(script: str, tmp_path: Path) -> None:
    file = tmp_path / "script.mjs"
    file.write_text(script)
    read = subprocess.run(["node", "--check", str(file)], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr


def test_what_the_scripts_read_and_hear_is_there() -> None:
    scripts = shown("jsx") + page_script() + shown("js")
    taken = ", ".join(re.findall(r"const \{ (.*?) \} = image\n", scripts)).split(", ")
    read = {name.partition(":")[0] for name in taken} | set(re.findall(r"\bimage\.(\w+)(?![\w\"])", scripts))
    known = {field.name for field in attrs.fields(ImageSummary)}
    assert {"sources", "srcSet", "alt_text", "processing_status", "blurhash"} <= read <= known
    heard = set(re.findall(r'addEventListener\("([\w.]+)"', shown("js")))
    assert heard == {"open", "image.ready", "image.failed"}
    assert heard - {"open"} <= set(EVENT_TYPES)
