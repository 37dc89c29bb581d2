"""The test runner of a project."""

from typing import Any

from django.test.runner import DiscoverRunner

from imagegallery.hosts.django.conf import gallery


class PictureRunner(DiscoverRunner):
    """``TEST_RUNNER = "imagegallery.hosts.django.test_runner.PictureRunner"``: closes the gallery before its test
    database is dropped, which could not be done otherwise."""

    def teardown_databases(self, old_config: Any, **options: Any) -> None:
        gallery.close()
        super().teardown_databases(old_config, **options)
