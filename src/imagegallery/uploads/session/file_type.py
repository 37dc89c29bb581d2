"""What kind of file an upload brings: one rule for all ways in. Pure.

What the client declares, else what the name's extension says, else what the first bytes say; and in the end, the bytes
decide: a good picture that was declared as another kind is taken as what it is, unless the policy is ``strict``.
"""

from imagegallery.errors import TypeMismatch
from imagegallery.images.image.filename import type_of_extension
from imagegallery.imaging.signature import is_as_declared
from imagegallery.uploads.session.policy import UNKNOWN_TYPE, UploadPolicy, canonical_type

# What clients say when they do not know, and what carries pieces of a file rather than the file.
_UNTYPED = frozenset(
    {"", UNKNOWN_TYPE, "binary/octet-stream", "application/offset+octet-stream", "application/partial-upload"}
)


def declared_type(declared: str | None, filename: str | None) -> str:
    """The declared media type in canonical form, else what the name's extension says, else `UNKNOWN_TYPE`."""
    content_type = canonical_type(declared or "")
    if content_type not in _UNTYPED:
        return content_type
    return type_of_extension(filename or "") or UNKNOWN_TYPE


def actual_type(declared: str, sniffed: str | None, policy: UploadPolicy) -> str:
    """What a file is taken for, of what was ``declared`` and what its first bytes say.

    Raises `TypeMismatch` for what is no image, none that ``policy`` takes, or, if it is ``strict``, another one than
    was declared.
    """
    if sniffed is not None and is_as_declared(declared, sniffed):
        return declared
    if sniffed is None or (policy.strict and declared != UNKNOWN_TYPE):
        found = sniffed or "no image of a known type"
        said = "" if declared == UNKNOWN_TYPE else f"was declared {declared} and "
        raise TypeMismatch(f"The file {said}is {found}.")
    if sniffed not in policy.allowed_types:
        raise TypeMismatch(f"The file is {sniffed}; only these can be uploaded: {', '.join(policy.allowed_types)}.")
    return sniffed
