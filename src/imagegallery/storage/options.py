"""Options of the storage package: where objects are kept. Pure."""

from attrs import Factory, field, frozen, validators

MEBIBYTE = 2**20

MIN_SECRET_BYTES = 16
"""The shortest secret allowed to sign URLs."""


@frozen
class S3Options:
    """``bucket``: without one, objects are files below ``data_dir``. ``endpoint_url`` is for stores other than AWS.
    ``public_endpoint_url`` is for clients, if they reach the store under another address than we do.

    ``prefix`` comes before every key, for a shared bucket. Objects of more than ``multipart_threshold`` bytes are sent
    in parts of ``part_size`` bytes, ``parallel_parts`` at once. ``server_side_encryption`` is ``AES256``, or
    ``aws:kms`` with ``kms_key_id``.
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
    """Objects are on S3 if there is a bucket, otherwise in files.

    ``disk_reserve`` bytes stay free on the disk of ``data_dir``, if objects are files or the database is the embedded
    one: uploads are refused before the disk is full.
    """

    s3: S3Options = Factory(S3Options)
    disk_reserve: int = field(default=1_000_000_000, validator=validators.ge(0))
