"""The format of a file, from its first bytes. Pure. A decoder only gets formats recognised here."""

HEAD_SIZE = 64
"""The bytes needed."""

# File type box, ISO/IEC 14496-12 section 4.3: size, "ftyp", major brand, minor version, compatible brands.
# HEVC brands: ISO/IEC 23008-12 annex B; AVIF's: the AV1 Image File Format specification, section 6.
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_SEQUENCE_BRANDS = frozenset({b"msf1", b"hevc", b"hevx", b"hevm", b"hevs"})
_NEUTRAL_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})
HEIC_TYPES = frozenset({"image/heic", "image/heif"})


def sniff(start: bytes) -> str | None:
    """The media type of a file that begins with these bytes (the first 64 are enough), or ``None``."""
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:8] == b"ftyp":
        return _by_brand(start)
    return None


def is_sequence(start: bytes) -> bool:
    """Whether a HEIF file's first brand is one of a sequence of pictures (ISO/IEC 23008-12, annex B.4)."""
    return start[8:12] in _SEQUENCE_BRANDS


def is_as_declared(declared: str, sniffed: str | None) -> bool:
    """Whether a file of the sniffed type may be declared as this one.

    HEIC is HEIF with HEVC inside, and phones and browsers use either name for it.
    """
    return sniffed == declared or (sniffed in HEIC_TYPES and declared in HEIC_TYPES)


def _by_brand(start: bytes) -> str | None:
    """A codec's own brand in front decides; after a neutral one, the compatible brands do."""
    end = min(int.from_bytes(start[:4], "big"), HEAD_SIZE, len(start))
    major, compatible = start[8:12], {start[at : at + 4] for at in range(16, end - 3, 4)}
    specific = _by_codec({major}) or _by_codec(compatible)
    if specific is None and {major, *compatible} & _NEUTRAL_BRANDS:
        return "image/heif"
    return specific


def _by_codec(brands: set[bytes]) -> str | None:
    if brands & _AVIF_BRANDS:
        return "image/avif"
    return "image/heic" if brands & _HEIC_BRANDS else None
