"""``manage.py imagegallery_migrate``: the gallery's own tables."""

from typing import Any

from django.core.management.base import BaseCommand

from imagegallery.hosts.django.conf import load_settings
from imagegallery.hosts.django.migration import migrate_gallery


class MigrateCommand(BaseCommand):
    """For a gallery in a database of its own; in the project's, ``migrate`` does it."""

    help = "Bring the tables of the gallery up to this version."

    def handle(self, *_: Any, **__: Any) -> None:
        for name in migrate_gallery(load_settings()) or ["Nothing is to be done."]:
            self.stdout.write(name)


Command = MigrateCommand  # the name that Django looks for
