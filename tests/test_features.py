"""How a gallery is put together of features."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import frozen
from tests.support.clock import ManualClock
from tests.support.shared_engine import SharedEngine

from imagegallery import ConfigurationError, ImageGallery, Settings, new_id
from imagegallery.database.connection import Connection
from imagegallery.database.options import DatabaseOptions
from imagegallery.feature import Feature
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.images.service import ImageService
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.queue.periodic import Periodic
from imagegallery.storage.streams import bytes_chunks


@frozen
class BellOptions:
    tone: str = "low"


@frozen
class Bell:
    tone: str
    images: ImageService


BELLS = Feature(
    "bells",
    options=BellOptions,
    services=lambda resources: [Bell(resources.options[BellOptions].tone, resources.services[ImageService])],
)


@pytest.fixture
def settings(tmp_path: Path, database_dsn: str) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))


async def test_a_service_has_its_options_and_the_services_of_features_before_it(
    settings: Settings, imaging_engine: SharedEngine
) -> None:
    async with ImageGallery.open(settings, engine=imaging_engine, features=[BELLS]) as gallery:
        assert gallery.service(Bell) == Bell("low", gallery.images)
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery:
        with pytest.raises(LookupError, match="Bell"):
            gallery.service(Bell)


def test_options_are_read_like_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[imagegallery.bells]\ntone = "high"\n')
    settings = Settings.of_features([BELLS])()
    assert settings.bells == BellOptions("low")  # type: ignore[attr-defined]
    assert repr(settings) == repr(Settings())
    assert Settings.from_env(config, [BELLS]).bells == BellOptions("high")  # type: ignore[attr-defined]
    monkeypatch.setenv("IMAGEGALLERY_BELLS_TONES", "high")
    with pytest.raises(ConfigurationError, match="did you mean IMAGEGALLERY_BELLS_TONE"):
        Settings.from_env(features=[BELLS])


@pytest.mark.parametrize("name", ["events", "load_secrets", "data_dir", "church bells"])
def test_options_take_the_place_of_no_others(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings.of_features([Feature(name, options=BellOptions)])


def test_a_feature_is_named_by_its_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[imagegallery]\nfeatures = ["tests.test_features:BELLS"]\nbells.tone = "high"\n')
    assert Settings.from_env(config).bells.tone == "high"  # type: ignore[attr-defined]
    opening = ImageGallery.open(Settings.from_env(config, [BELLS]), features=[BELLS])
    assert opening.features[-1] is BELLS
    assert len(set(opening.features)) == len(opening.features)
    for wrong in ("tests.test_features:TRUMPETS", "tests.test_features:Bell", "no.module:BELLS", "BELLS"):
        monkeypatch.setenv("IMAGEGALLERY_FEATURES", wrong)
        with pytest.raises(ConfigurationError, match=wrong):
            Settings.from_env()


async def test_two_features_that_bring_the_same_are_refused_and_nothing_stays_open(
    settings: Settings, imaging_engine: SharedEngine
) -> None:
    opening = ImageGallery.open(
        settings, engine=imaging_engine, features=[BELLS, Feature("b", services=BELLS.services)]
    )
    for _ in range(2):
        with pytest.raises(ValueError, match="bring Bell"):
            await opening.__aenter__()
    purge = Feature("p", jobs=lambda resources: {PURGE_OBJECTS: PurgeObjects(resources.database, resources.store)})
    async with ImageGallery.open(settings, engine=imaging_engine, features=[purge]) as gallery:
        with pytest.raises(ValueError, match=PURGE_OBJECTS):
            gallery.server.make_worker()


async def test_periodic_work_is_done_by_one_worker_of_all_unless_it_says_otherwise(
    settings: Settings, imaging_engine: SharedEngine, clock: ManualClock
) -> None:
    done: Counter[str] = Counter()

    def strike(name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            done[name] += 1

        return run

    hour = timedelta(hours=1)
    tasks = [Periodic("once", hour, strike("once")), Periodic("each", hour, strike("each"), in_every_worker=True)]
    feature = Feature("bells", periodic=lambda _: tasks)
    async with ImageGallery.open(settings, engine=imaging_engine, features=[feature], clock=clock) as gallery:
        for worker in (gallery.server.make_worker(), gallery.server.make_worker()):
            for task in worker._periodic:
                if task.name in ("once", "each"):
                    await task.run()
    assert done == {"once": 1, "each": 2}


async def test_what_a_feature_claims_is_no_stray(settings: Settings, imaging_engine: SharedEngine) -> None:
    ours, strangers = (f"library/images/{new_id()}/{name}" for name in ("bell.wav", "drum.wav"))

    async def not_bells(_: Connection, keys: Sequence[str]) -> Collection[str]:
        return [key for key in keys if not key.endswith("bell.wav")]

    feature = Feature("bells", unclaimed=not_bells)
    async with ImageGallery.open(settings, engine=imaging_engine, features=[feature]) as gallery:
        for key in (ours, strangers):
            await gallery.server.store.put(key, bytes_chunks(b"x"), content_type="audio/wav")
        assert [each async for each in _subjects(gallery)] == [strangers]
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery:
        assert sorted([each async for each in _subjects(gallery)]) == sorted([ours, strangers])


async def _subjects(gallery: ImageGallery) -> AsyncIterator[str]:
    for phase in gallery.upkeep.reconciliation(grace=timedelta(seconds=-10)):
        async for step in phase.run(repair=False):
            for finding in step.findings:
                yield finding.subject
