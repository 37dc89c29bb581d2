"""The analyses feature: the job of costly ones. The others are made with variants."""

from collections.abc import Mapping
from typing import Final

from imagegallery.analyses import records
from imagegallery.analyses.analysis import AnalysisOptions
from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.analyses.job import ANALYSE_IMAGE, AnalyseImage
from imagegallery.feature import Feature, Resources
from imagegallery.queue.protocol import JobHandler


def _jobs(resources: Resources) -> Mapping[str, JobHandler]:
    analyse = AnalyseImage(
        resources.database,
        resources.store,
        resources.queue,
        resources.engine,
        resources.scratch,
        ANALYSES,
        resources.clock,
    )
    return {ANALYSE_IMAGE: analyse}


FEATURE: Final = Feature(
    "analyses",
    options=AnalysisOptions,
    jobs=_jobs,
    holdings=records.HELD,
    apart=lambda resources: {ANALYSE_IMAGE: resources.options[AnalysisOptions].max_at_once},
)
