"""An operator sets limits: how sizes are written."""

import click
import pytest

from imagegallery.cli.commands.owners import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1000", 1000), ("5GB", 5 * 10**9), ("1.5 GiB", 3 * 2**29), ("512mib", 512 * 2**20), ("default", None)],
)
def test_a_size_is_a_number_with_a_unit_or_without(text: str, size: int | None) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "GB", "5XB", "1,5GB", "none", "1" * 19])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_size(text)
