"""The sharing feature."""

from collections.abc import Iterable
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.access.options import SharingOptions
from imagegallery.feature import Feature, Resources
from imagegallery.queue.periodic import Periodic
from imagegallery.sharing import records
from imagegallery.sharing.events import ShareChanged, ShareCreated, ShareJoined, ShareLeft, ShareRevoked
from imagegallery.sharing.service import ShareService


def _services(resources: Resources) -> Iterable[object]:
    yield ShareService(
        resources.database,
        resources.rates,
        resources.options[SharingOptions],
        resources.clock,
        resources.registered[Authority],
    )


def _periodic(resources: Resources) -> Iterable[Periodic]:
    yield Periodic("past days of shares", resources.upkeep_interval, resources.services[ShareService].links.sweep)


FEATURE: Final = Feature(
    "sharing",
    options=SharingOptions,
    events=(ShareCreated, ShareChanged, ShareJoined, ShareLeft, ShareRevoked),
    services=_services,
    periodic=_periodic,
    holdings=records.HELD,
    closes=lambda resources: (resources.services[ShareService].revoke_all,),
)
