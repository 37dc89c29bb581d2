"""Options of the cache. Pure."""

from attrs import field, frozen
from attrs.validators import ge

DEFAULT_MAX_BYTES = 64 * 2**20


@frozen
class CacheOptions:
    """``max_bytes`` is the memory of one process for encoded pages; 0 keeps none."""

    max_bytes: int = field(default=DEFAULT_MAX_BYTES, validator=ge(0))
