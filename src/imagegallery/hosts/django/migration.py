"""The gallery's own tables, made with the project's."""

import anyio

from imagegallery.backends import open_database
from imagegallery.database.migrate import migrate
from imagegallery.hosts.django.conf import load_settings, shares_database
from imagegallery.settings import Settings


def migrate_gallery(settings: Settings) -> list[str]:
    """Bring the gallery's schema up to this version, and return the names of the migrations applied."""

    async def bring_up() -> list[str]:
        async with open_database(settings) as database:
            return [*await migrate(database)]

    return anyio.run(bring_up)


def migrate_with_the_site(*, using: str, **_: object) -> None:
    """Before the project's own migrations, which may refer to images, in the database that both are in."""
    if shares_database(using):
        migrate_gallery(load_settings())
