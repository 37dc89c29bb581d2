"""Which variant to return for a request. Pure."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from imagegallery.images.image.image import Variant
from imagegallery.images.presentation.responsive import FORMATS, rank


@frozen
class Ladder:
    """The names of the variant types, from the smallest to the largest."""

    names: tuple[str, ...]


def choose_variant(
    variants: Sequence[Variant], wanted: str | None, accepts: Sequence[str], ladder: Sequence[str]
) -> Variant | None:
    """The best of ``variants`` for a client that shows the formats in ``accepts``, preferred first.

    Returns ``None`` if there are none. ``ladder`` names the variant types from the smallest to the largest. The
    ``wanted`` type is more important than the format; if it is missing, the next larger one is chosen, otherwise the
    next smaller. Without ``wanted``, it is the largest that the client can show. One that it cannot show is better than
    none (RFC 9110 section 12.5.1).
    """
    rungs = {name: rung for rung, name in enumerate(ladder)}
    target = rungs[wanted] if wanted is not None else len(ladder)

    def badness(variant: Variant) -> tuple[bool, bool, int, int, int]:
        distance = rungs.get(variant.variant_type, -1) - target
        is_foreign = variant.format not in accepts
        return (
            is_foreign and wanted is None,
            distance < 0,
            abs(distance),
            _rank(variant.format, accepts),
            # For a client without preferences, and among formats that it likes equally.
            _rank(variant.format, FORMATS),
        )

    return min(variants, key=badness, default=None)


def no_newer(variants: Iterable[Variant], image_format: str) -> tuple[Variant, ...]:
    """Variants in a format that every client which shows ``image_format`` shows."""
    return tuple(each for each in variants if rank(each.format) <= rank(image_format))


def _rank(image_format: str, order: Sequence[str]) -> int:
    return order.index(image_format) if image_format in order else len(order)
