"""How long acts are kept, and how much of where they came from. Pure."""

from datetime import timedelta
from enum import StrEnum

import typed_settings
from attrs import field, frozen
from attrs.validators import gt

from imagegallery.errors import ConfigurationError

MIN_SALT_BYTES = 16


class AddressForm(StrEnum):
    """What is kept of a client's address: its ``network`` (/24, of IPv6 /48), a salted ``hash``, or nothing."""

    NETWORK = "network"
    HASH = "hash"
    NONE = "none"


def _secret(given: str | None) -> typed_settings.SecretStr | None:
    return None if given is None else typed_settings.SecretStr(given)


@frozen
class AuditOptions:
    """What is kept of acts that matter for security, and how long: ``retention``.

    ``addresses`` is what is kept of clients' addresses: ``network`` (/24, of IPv6 /48), ``hash`` (with ``salt``, 16
    bytes or more, so that the same address can be recognised but not read) or ``none``.
    """

    retention: timedelta = field(default=timedelta(days=365), validator=gt(timedelta(0)))
    addresses: AddressForm = field(default=AddressForm.NETWORK, converter=AddressForm)
    salt: typed_settings.SecretStr | None = field(default=None, converter=_secret)

    def __attrs_post_init__(self) -> None:
        """Four billion addresses are hashed in minutes: without a salt the hash hides nothing."""
        if self.addresses is AddressForm.HASH and (self.salt is None or len(self.salt.encode()) < MIN_SALT_BYTES):
            raise ConfigurationError(f"audit.addresses: hash needs audit.salt, of {MIN_SALT_BYTES} bytes or more.")
