"""How long exports and erasures take. Pure."""

from datetime import timedelta

from attrs import field, frozen
from attrs.validators import ge, gt


@frozen
class PrivacyOptions:
    """An export can be fetched for ``export_lifetime``; an owner may ask for ``exports_per_day``, one after the other.

    What an owner has is erased ``erase_grace`` after they asked for it, which they can take back until then. Webhooks
    have ``tombstone_time`` to receive the event about it, before they are gone, too.
    """

    export_lifetime: timedelta = field(default=timedelta(days=7), validator=gt(timedelta(0)))
    exports_per_day: int = field(default=3, validator=ge(1))
    erase_grace: timedelta = field(default=timedelta(days=14), validator=ge(timedelta(0)))
    tombstone_time: timedelta = field(default=timedelta(days=1), validator=ge(timedelta(0)))
