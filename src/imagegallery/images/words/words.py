"""Words of an owner: what may be said of an image, and when two tags are the same. Pure.

A tag is shown as its owner wrote it first, in Unicode's composed form (NFC). Two tags are the same if they differ in
the case of letters alone (The Unicode Standard, section 3.13, D145: canonical caseless matching).
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias
from uuid import UUID

from attrs import field, frozen

from imagegallery.common.unset import UNSET, Unset
from imagegallery.common.validation import Faults

MAX_TAGS: Final = 100
"""Of one image."""
MAX_TAG: Final = 100
MAX_KEY: Final = 3 * MAX_TAG
"""Characters of a tag as it is compared: no letter becomes more than three (SpecialCasing.txt)."""
MAX_TITLE: Final = 200
MAX_DESCRIPTION: Final = 5_000
MAX_RATING: Final = 5

OwnWord: TypeAlias = Literal["tags", "title", "description", "rating"]


@frozen
class Tag:
    """A tag as it is shown; two with the same ``key`` are the same."""

    name: str = field(eq=False)
    key: str

    @classmethod
    def of(cls, name: str) -> "Tag":
        return cls(unicodedata.normalize("NFC", name), key_of(name))


def key_of(name: str) -> str:
    """What a tag is compared by."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def distinct(names: Iterable[str]) -> tuple[Tag, ...]:
    """The tags of these names, each once, in the order of their keys."""
    first: dict[str, Tag] = {}
    for tag in map(Tag.of, names):
        first.setdefault(tag.key, tag)
    return tuple(first[key] for key in sorted(first))


@frozen
class CountedTag:
    """An owner's tag, and how many images outside of the trash have it. ``key`` is what it is compared by."""

    id: UUID
    name: str
    image_count: int
    key: str = field(repr=False)


@frozen
class WordChanges:
    """What an owner says. What is ``UNSET`` stays as it is; a rating of ``None`` is none. ``people`` come from their
    sidecars alone."""

    tags: tuple[Tag, ...] | Unset = UNSET
    title: str | Unset = UNSET
    description: str | Unset = UNSET
    rating: int | Unset | None = UNSET
    people: tuple[str, ...] | Unset = UNSET

    @property
    def said(self) -> tuple[OwnWord, ...]:
        """The names of what is said."""
        names: tuple[OwnWord, ...] = ("tags", "title", "description", "rating")
        return tuple(name for name in names if not isinstance(getattr(self, name), Unset))

    @property
    def is_for_owner(self) -> bool:
        """Whether it says what only the owner sees."""
        return not {"tags", "rating"}.isdisjoint(self.said)


def check_words(
    faults: Faults,
    tags: Sequence[str] | Unset = UNSET,
    title: str | Unset = UNSET,
    description: str | Unset = UNSET,
    rating: int | Unset | None = UNSET,
) -> WordChanges:
    """Add the faults of what is given, and return it as it is kept."""
    return WordChanges(
        tags if isinstance(tags, Unset) else check_tags(faults, tags),
        title if isinstance(title, Unset) else _title(faults, title),
        description
        if isinstance(description, Unset)
        else faults.prose(("body", "description"), description, MAX_DESCRIPTION),
        rating if isinstance(rating, Unset) else check_rating(faults, rating),
    )


def check_tags(faults: Faults, names: Sequence[str]) -> tuple[Tag, ...]:
    """Up to 100 tags, each of which is checked as the name of a thing; the same one twice is one."""
    checked = [check_tag(faults, ("body", "tags", str(index)), name) for index, name in enumerate(names[:MAX_TAGS])]
    if len(names) > MAX_TAGS:
        faults.add(("body", "tags"), f"must be at most {MAX_TAGS} tags")
    return distinct(checked)


def check_tag(faults: Faults, path: tuple[str, ...], name: str) -> str:
    """The name as it is kept: in NFC, with single blanks."""
    return faults.line(path, " ".join(unicodedata.normalize("NFC", name).split()), MAX_TAG)


def check_rating(faults: Faults, rating: int | None) -> int | None:
    if rating is not None and not 0 <= rating <= MAX_RATING:
        faults.add(("body", "rating"), f"must be 0 to {MAX_RATING}")
    return rating


def _title(faults: Faults, title: str) -> str:
    """One line, which may be empty."""
    return faults.line(("body", "title"), title, MAX_TITLE) if title.strip() else ""
