"""Which variant answers a request for one: pure."""

from collections.abc import Collection, Sequence

from imagegallery.images.image import Variant

# Fewest bytes first, among what the client says it can show; what everything can show first, when it says nothing.
_SMALLEST_FIRST = ("avif", "webp", "jpeg", "png", "gif")
_SAFEST_FIRST = ("jpeg", "png", "gif", "webp", "avif")


def choose_variant(
    variants: Sequence[Variant], wanted: str | None, accepts: Collection[str], ladder: Sequence[str]
) -> Variant | None:
    """The best of ``variants`` for a client that can show the formats in ``accepts``; ``None`` if there is none.

    ``ladder`` names the variant types from the smallest to the largest. Without the ``wanted`` type, the next
    larger one answers, else the next smaller; without ``wanted``, the largest. The format comes first: a
    client never gets one it cannot show, unless there is no other.
    """
    acceptable = [variant for variant in variants if variant.format in accepts]
    order = _SMALLEST_FIRST if acceptable else _SAFEST_FIRST
    candidates = acceptable or list(variants)
    if not candidates:
        return None
    rungs = {name: rung for rung, name in enumerate(ladder)}
    target = rungs[wanted] if wanted is not None else len(ladder)

    def badness(variant: Variant) -> tuple[bool, int, int]:
        distance = rungs.get(variant.variant_type, -1) - target
        return distance < 0, abs(distance), _rank(variant.format, order)

    return min(candidates, key=badness)


def _rank(image_format: str, order: Sequence[str]) -> int:
    return order.index(image_format) if image_format in order else len(order)
