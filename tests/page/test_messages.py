"""Texts of the page: every language has all of them, with the same places for values, and each one is used."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen

import imagegallery_asgi.page
from imagegallery_asgi.page.languages import LANGUAGES

APP = Path(imagegallery_asgi.page.__file__).parent / "app"
ENGLISH = {path.stem: json.loads(path.read_text()) for path in sorted((APP / "messages" / "en").glob("*.json"))}
# What `Intl.PluralRules` of the language may say (Unicode CLDR, "Language Plural Rules").
PLURALS = {
    "en": {"one", "other"},
    "de": {"one", "other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
}
_LOADED = re.compile(r"""messages\(["'](\w[\w-]*+)["']\)""")
_LITERAL = re.compile(r""""([\w.-]++)"|'([\w.-]++)'|`([\w.-]++)`""")
_TEMPLATE = re.compile(r"`((?:[\w.-]++|\$\{[^}`]*+\})+)`")
_HOLE = re.compile(r"\$\{[^}`]*+\}")
_CALLED = re.compile(r"""\bt\w?\(\s*+["']([\w.-]++)["']""")

Message = str | Mapping[str, str]


@frozen
class Module:
    """A program of the page: which features' texts it loads, and its source."""

    name: str
    features: tuple[str, ...]
    source: str

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    def uses(self, key: str) -> bool:
        """Whether the key is in it, or a template of it that could be."""
        literals = (group for match in _LITERAL.findall(self.source) for group in match)
        return key in literals or any(re.fullmatch(pattern, key) for pattern in self.patterns)

    @property
    def patterns(self) -> Iterator[str]:
        """What its templates may make, as regular expressions."""
        for template in _TEMPLATE.findall(self.source):
            texts = _HOLE.split(template)
            if any(texts) and len(texts) > 1:
                yield ".+".join(map(re.escape, texts))


def modules() -> Iterator[Module]:
    for path in sorted(APP.rglob("*.js")):
        source = path.read_text()
        yield Module(path.relative_to(APP).as_posix(), tuple(dict.fromkeys(_LOADED.findall(source))), source)


MODULES = tuple(modules())


def texts(message: Message) -> Mapping[str, str]:
    return {"": message} if isinstance(message, str) else message


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w++)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("feature", ENGLISH)
def test_each_language_has_each_text_with_the_same_places(feature: str, language: str) -> None:
    table: Mapping[str, Message] = json.loads((APP / "messages" / language / f"{feature}.json").read_text())
    english = ENGLISH[feature]
    assert list(table) == list(english)
    for key, message in table.items():
        wanted = texts(english[key])
        every = set().union(*map(places, wanted.values()))
        for form, text in texts(message).items():
            assert text.strip(), key
            # A form for a few numbers alone may leave a value out, as languages write "one image".
            assert places(text) == every if form in ("", "other") else places(text) <= every, f"{key} {form}"
        assert isinstance(message, str) == isinstance(english[key], str), key
        if not isinstance(message, str):
            assert set(message) == PLURALS[language], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_has_more_files(language: str) -> None:
    assert {path.stem for path in (APP / "messages" / language).glob("*.json")} == set(ENGLISH)


def test_each_text_is_used() -> None:
    """By a module that loads it, one beside that, which it is handed to, or a page that needs no script."""
    sources = "".join(path.read_text() for path in sorted(APP.parents[1].rglob("*.py")))
    written = set(re.findall(r"""["'][\w.-]++["']""", sources))
    unused = []
    for feature, table in ENGLISH.items():
        folders = {each.folder for each in MODULES if feature in each.features}
        users = [each for each in MODULES if each.folder in folders]
        unused += [
            f"{feature}: {key}"
            for key in table
            if not any(each.uses(key) for each in users) and not {f'"{key}"', f"'{key}'"} & written
        ]
    assert unused == []


def test_each_text_that_is_used_exists() -> None:
    missing = [
        f"{each.name}: {key}"
        for each in MODULES
        if each.features
        for key in _CALLED.findall(each.source)
        if not any(key in ENGLISH.get(feature, {}) for feature in each.features)
    ]
    assert missing == []
