"""Where objects are kept: the storage package's options. Pure."""

from attrs import Factory, field, frozen, validators

MEBIBYTE = 2**20

MIN_SECRET_BYTES = 16
"""Of a secret that signs URLs."""


@frozen
class S3Options:
    """``bucket`` without one, objects are files below ``data_dir``. ``endpoint_url`` is for stores other than AWS's,
    ``public_endpoint_url`` for clients, where they reach the store by another address than we do.

    ``prefix`` stands before every key, for a bucket that is shared. Objects of more than ``multipart_threshold`` bytes
    travel in parts of ``part_size`` bytes, ``parallel_parts`` at once. ``server_side_encryption``: ``AES256`` or
    ``aws:kms``, with ``kms_key_id``.
    """

    bucket: str | None = None
    prefix: str = ""
    endpoint_url: str | None = None
    public_endpoint_url: str | None = None
    path_style: bool = False
    storage_class: str | None = None
    server_side_encryption: str | None = field(
        default=None, validator=validators.optional(validators.in_(("AES256", "aws:kms", "aws:kms:dsse")))
    )
    kms_key_id: str | None = None
    multipart_threshold: int = field(default=16 * MEBIBYTE, validator=validators.ge(5 * MEBIBYTE))
    part_size: int = field(default=8 * MEBIBYTE, validator=validators.ge(5 * MEBIBYTE))
    parallel_parts: int = field(default=4, validator=validators.ge(1))


@frozen
class StorageOptions:
    """On S3 with a bucket, else in files.

    ``disk_reserve`` bytes of the disk that ``data_dir`` lies on stay free, where objects are files or the database is
    the embedded one: uploads are refused before it is full.
    """

    s3: S3Options = Factory(S3Options)
    disk_reserve: int = field(default=1_000_000_000, validator=validators.ge(0))
