"""The filter and the function of Jinja, in templates that escape and in those that do not."""

import pytest
from attrs import evolve
from jinja2 import Environment
from tests.support.library import make_image

from imagegallery import picture
from imagegallery.hosts.jinja import install

HOSTILE = '"><script>alert(1)</script>'


@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("template", ["{{ image | picture(alt=alt) }}", "{{ picture(image, alt=alt) }}"])
def test_a_template_shows_an_image_as_it_is(template: str, autoescape: bool) -> None:
    environment = Environment(autoescape=autoescape)
    install(environment)
    image = make_image()
    shown = environment.from_string(template).render(image=image, alt=HOSTILE)
    assert shown == picture(image, alt=HOSTILE)
    assert "<script>" not in shown


def test_the_address_of_the_api_is_said_once() -> None:
    environment = Environment(autoescape=True)
    install(environment, root="/gallery")
    image = make_image()
    image = evolve(image, variants=tuple(each.at("/files/a.webp") for each in image.variants))
    assert 'src="/gallery/files/a.webp"' in environment.from_string("{{ image | picture }}").render(image=image)
