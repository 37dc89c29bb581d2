"""One running service for all pages: they only add to what it holds."""

from collections.abc import Iterator

import pytest
from tests.support.servers.service import RunningService, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """`imagegallery serve` on the folder ``data`` of a folder of its own."""
    with running_service(tmp_path_factory.mktemp("service") / "data") as service:
        yield service
