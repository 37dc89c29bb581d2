"""The texts of the page, where the service writes it: those that its programs use, from the same files."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from imagegallery_asgi.page.assets import page_assets
from imagegallery_asgi.page.languages import LANGUAGES


@cache
def texts_of(feature: str, language: str) -> Mapping[str, str]:
    """The texts of a feature in this language, or else in English; without those that have plurals."""
    english, own = (_table(feature, each) for each in (LANGUAGES[0], language))
    return MappingProxyType({key: text for key, text in {**english, **own}.items() if isinstance(text, str)})


def _table(feature: str, language: str) -> Mapping[str, object]:
    found = page_assets().by_name.get(f"messages/{language}/{feature}.json")
    return {} if found is None else msgspec.json.decode(found.content, type=dict[str, object])
