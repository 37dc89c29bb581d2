"""What the first bytes say a file is: the decoder that is asked to open it must agree. Pure."""

HEAD_SIZE = 64
"""Bytes that `matches` wants to see."""

HEIC_TYPES = frozenset({"image/heic", "image/heif"})

_PREFIXES = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_NEUTRAL_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})

CONTENT_TYPES = frozenset({*_PREFIXES, "image/webp", "image/avif", *HEIC_TYPES})
"""Every content type that can be decoded (the HEIC ones with the extra ``heic``)."""


def matches(content_type: str, head: bytes) -> bool:
    """Whether a file that starts with ``head`` is of this content type."""
    if content_type in _PREFIXES:
        return head.startswith(_PREFIXES[content_type])
    if content_type == "image/webp":
        return head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    if content_type == "image/avif":
        return bool(_brands(head) & _AVIF_BRANDS)
    if content_type in HEIC_TYPES:
        brands = _brands(head)
        return bool(brands & (_HEVC_BRANDS | _NEUTRAL_BRANDS)) and not brands & _AVIF_BRANDS
    return False


def _brands(head: bytes) -> frozenset[bytes]:
    """The brands of an ISO base media file (ISO/IEC 14496-12 section 4.3), the decisive one first.

    A codec's own brand in front settles what the file is; a neutral one leaves it to the compatible brands.
    """
    if head[4:8] != b"ftyp":
        return frozenset()
    major, end = head[8:12], min(int.from_bytes(head[:4], "big"), len(head))
    if major in _AVIF_BRANDS | _HEVC_BRANDS:
        return frozenset({major})
    return frozenset({major, *(head[at : at + 4] for at in range(16, end - 3, 4))})
