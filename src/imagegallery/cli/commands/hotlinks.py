"""``imagegallery hotlinks``: the rules of galleries, for a cache in front."""

import anyio
import anyio.to_thread
import click

from imagegallery.access import file_records as records
from imagegallery.access.edge import to_cloudfront, to_nginx
from imagegallery.access.hotlinks import origin_of
from imagegallery.backends import open_database, settings_policy
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.policies import records as policy_records
from imagegallery.settings import Settings

_FORMATS = {"cloudfront": to_cloudfront, "nginx": to_nginx}


@click.command("hotlinks")
@click.option("--format", "name", type=click.Choice([*_FORMATS]), required=True, help="For which cache.")
@gallery_options
def hotlinks_command(name: str, chosen: Chosen) -> None:
    """Print which pages may show the public files of galleries, for a cache that refuses all others by itself.

    "cloudfront" is the table of a key value store, "nginx" two maps to include. What changes afterwards holds there
    when this is given to it again.
    """

    async def run(settings: Settings) -> None:
        own = (settings.delivery.base_url or "", *settings.cors_origins)
        origins = dict.fromkeys(origin for each in own if (origin := origin_of(each)) is not None)
        async with open_database(settings) as database, database.connection() as connection:
            galleries = await records.ruled_galleries(connection)
            version = await policy_records.current(connection)
        policy = (await anyio.to_thread.run_sync(settings_policy, settings)).under(version.rules)
        click.echo(_FORMATS[name](galleries, origins, hotlinks=policy.hotlinks))

    anyio.run(run, chosen.settings)
