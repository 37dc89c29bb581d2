"""An image as HTML, read by a parser: what a browser finds, whatever is in its texts."""

from html.parser import HTMLParser
from typing import Any

import pytest
from attrs import evolve
from tests.support.library import make_image, without_variants

from imagegallery import Image, picture
from imagegallery.images.image.image import ProcessingStatus

HOSTILE = "\"'><script>alert(1)</script>&amp;\x00\n</picture>"
HASH, MEAN = "LEHV6nWB2yk8pyo0adR*.7kCMdnj", "#979695"  # the specification's own example


class Elements(HTMLParser):
    """The start tags with their attributes, and any text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute comes twice"
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def elements(image: Image, **options: Any) -> dict[str, dict[str, str | None]]:
    read = Elements(picture(image, **options))
    assert read.text == ""
    return dict(read.tags)


def ready() -> Image:
    image = evolve(make_image(), blurhash=HASH, alt_text="A tram")
    shown = (each.at(f"/files/{each.variant_type}.{each.format}") for each in image.variants)
    smaller = (evolve(each, file_size=1 if each.format == "avif" else 9) for each in shown)
    return evolve(image, variants=tuple(smaller))


def test_a_browser_finds_all_that_it_chooses_from() -> None:
    found = elements(ready())
    assert [*found] == ["picture", "source", "img"]
    tiles = "(max-width: 640px) 50vw, (max-width: 1024px) 33vw, 20vw"
    assert found["source"] == {
        "type": "image/avif",
        "srcset": "/files/thumbnail.webp 80w, /files/medium.avif 800w",
        "sizes": tiles,
    }
    assert found["img"] == {
        "width": "4000",
        "height": "3000",
        "loading": "lazy",
        "decoding": "async",
        "src": "/files/medium.webp",
        "srcset": "/files/thumbnail.webp 80w, /files/medium.webp 800w",
        "sizes": tiles,
        "alt": "A tram",
        "style": f"background-color:{MEAN}",
    }


def test_what_is_asked_for_is_what_is_made() -> None:
    img = elements(ready(), layout="slideshow", alt="", class_="wide dark", lazy=False, ratio=1.5, styled=False)["img"]
    assert (img["sizes"], img["alt"], img["class"]) == ("100vw", "", "wide dark")
    assert (img["width"], img["height"]) == ("4000", "2667")
    assert img.keys().isdisjoint(("loading", "style"))
    cropped = elements(ready(), width=80, ratio=1)["img"]
    assert (cropped["width"], cropped["height"], cropped["sizes"]) == ("80", "80", "80px")
    assert cropped["style"] == f"aspect-ratio:1;object-fit:cover;background-color:{MEAN}"
    assert elements(ready(), sizes="50vw")["source"]["sizes"] == "50vw"


def test_the_address_of_the_api_comes_before_urls_that_are_relative_to_it() -> None:
    image = ready()
    absolute = evolve(image, variants=tuple(each.at(f"https://cdn.example{each.url}") for each in image.variants))
    assert elements(image, root="/gallery/api/v1")["img"]["src"] == "/gallery/api/v1/files/medium.webp"
    assert elements(absolute, root="/gallery/api/v1")["img"]["src"] == "https://cdn.example/files/medium.webp"


def test_hostile_texts_and_urls_are_only_texts_and_urls() -> None:
    image = ready()
    urls = tuple(each.at(f"https://cdn.example/{HOSTILE}") for each in image.variants)
    found = elements(evolve(image, alt_text=HOSTILE, variants=urls), class_=HOSTILE, sizes=HOSTILE, root=HOSTILE)
    assert [*found] == ["picture", "source", "img"]
    img = found["img"]
    assert img["alt"] == img["class"] == img["sizes"] == HOSTILE
    assert img["src"] is not None
    assert img["src"].startswith("https://cdn.example/\"'><script>alert(1)</script>&amp;%00%0A")
    box = elements(without_variants(evolve(image, alt_text=HOSTILE)), class_=HOSTILE)
    assert [*box] == ["svg", "rect"]
    assert box["svg"]["aria-label"] == box["svg"]["class"] == HOSTILE


@pytest.mark.parametrize("blurhash", [HASH, None])
def test_what_has_no_variant_yet_is_a_box_of_its_shape(blurhash: str | None) -> None:
    image = evolve(without_variants(ready()), blurhash=blurhash, status=ProcessingStatus.PROCESSING)
    found = elements(image, class_="tile")
    assert [*found] == ["svg", "rect"]
    assert found["svg"] == {
        "class": "tile",
        "width": "4000",
        "height": "3000",
        "viewbox": "0 0 4000 3000",
        "role": "img",
        "aria-label": "A tram",
        "data-image": str(image.id),
        "data-state": "pending",
    }
    assert found["rect"]["fill"] == (MEAN if blurhash else "#dddddd")
    decoration = elements(image, alt="")["svg"]
    assert decoration["aria-hidden"] == "true"
    assert "role" not in decoration


def test_what_failed_is_crossed_out() -> None:
    found = elements(evolve(without_variants(ready()), status=ProcessingStatus.FAILED))
    assert found["svg"]["data-state"] == "failed"
    assert found["path"]["d"] == "M0 0L4000 3000M4000 0L0 3000"


def test_no_colour_shines_through_what_may_be_transparent() -> None:
    assert "style" not in elements(evolve(ready(), mime_type="image/png"))["img"]


@pytest.mark.parametrize("wrong", [{"layout": "mosaic"}, {"ratio": 0}, {"ratio": float("nan")}, {"width": 0}])
def test_what_cannot_be_is_said(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no layout 'mosaic': use one of slideshow|must be above 0"):
        picture(ready(), **wrong)


def test_templates_take_it_as_it_is() -> None:
    made = picture(ready())
    assert made.__html__() is made


def test_a_notebook_shows_what_it_can_reach() -> None:
    image = evolve(ready(), filename="<b>.jpg")
    here = Elements(image._repr_html_())
    assert [name for name, _ in here.tags] == ["figure", "svg", "rect", "figcaption"]
    assert "'<b>.jpg' 4000x3000 complete" in here.text
    away = evolve(image, variants=tuple(each.at(f"https://cdn.example{each.url}") for each in image.variants))
    assert dict(Elements(away._repr_html_()).tags)["img"]["width"] == "400"


def test_a_log_shows_which_image_it_is_in_one_line() -> None:
    image = evolve(ready(), filename="a\nb.jpg")
    assert repr(image) == f"<Image {image.id} 'a\\nb.jpg' 4000x3000 complete>"
