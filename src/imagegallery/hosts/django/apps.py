"""The app ``imagegallery`` of a Django project."""

from django.apps import AppConfig
from django.core.checks import register
from django.core.signals import setting_changed
from django.db.models.signals import pre_migrate

from imagegallery.hosts.django.checks import check_settings
from imagegallery.hosts.django.conf import close_when_changed
from imagegallery.hosts.django.migration import migrate_with_the_site


class ImageGalleryConfig(AppConfig):
    """Named ``imagegallery`` among the apps of a project, with no models of its own."""

    name = "imagegallery.hosts.django"
    label = "imagegallery"
    verbose_name = "Pictures"

    def ready(self) -> None:
        """Checks, and what is to happen with the project's own migrations and settings."""
        register(check_settings)
        setting_changed.connect(close_when_changed)
        pre_migrate.connect(migrate_with_the_site, sender=self)
