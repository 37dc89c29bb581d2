"""What S3 and SQS share: account and patience. Pure."""

from datetime import timedelta

import typed_settings
from attrs import field, frozen
from attrs.validators import ge, gt

ZERO = timedelta(0)


@frozen
class AwsOptions:
    """Without keys here, AWS's usual sources are used: environment, profile, instance or container role. Their keys are
    renewed before they expire.

    ``max_attempts`` includes the first try of a request. ``connections`` is the limit of one process to each service.
    """

    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: typed_settings.SecretStr | None = None
    session_token: typed_settings.SecretStr | None = None
    connect_timeout: timedelta = field(default=timedelta(seconds=5), validator=gt(ZERO))
    read_timeout: timedelta = field(default=timedelta(seconds=30), validator=gt(ZERO))
    max_attempts: int = field(default=4, validator=ge(1))
    connections: int = field(default=32, validator=ge(1))
