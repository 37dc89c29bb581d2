"""A gallery that is defined where code is written: what is registered with it, and how it is opened."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import anyio
import pytest
from attrs import frozen
from tests.support.shared_engine import SharedEngine
from tests.support.studio import picture

from imagegallery import (
    ConfigurationError,
    Event,
    ImageGallery,
    ImageReady,
    ImageUploaded,
    InvalidInput,
    NewImage,
    Policy,
    Principal,
    Refused,
    Settings,
)
from imagegallery.cache.memory import MemoryCache
from imagegallery.clock import utc_now
from imagegallery.common.meta import Meta
from imagegallery.database.pool import DatabaseOptions
from imagegallery.events.event import OwnerEvent

ME = Principal.user("ada")


@frozen
class ImageSold(OwnerEvent):
    """An event of no feature of these galleries."""

    type: ClassVar[str] = "image.sold"


@pytest.fixture
def settings(tmp_path: Path, database_dsn: str) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))


async def test_what_any_module_registers_is_called_by_the_worker_of_the_gallery_that_is_opened_later(
    settings: Settings, imaging_engine: SharedEngine
) -> None:
    pics = ImageGallery.define(engine=imaging_engine)
    ready: list[str] = []
    uploaded: list[threading.Thread] = []
    both = anyio.Event()

    @pics.on(ImageReady)
    async def congratulate(event: Event[ImageReady]) -> None:
        ready.append(event.data.owner_id)
        both.set()

    async with pics.open(settings) as gallery:

        @gallery.on(ImageUploaded)
        def count(_: Event[ImageUploaded]) -> None:
            uploaded.append(threading.current_thread())

        async with gallery.worker():
            await gallery.uploads.add(ME, picture(90, 60), filename="tram.jpg")
            with anyio.fail_after(60):
                await both.wait()
    assert ready == ["ada"]
    assert uploaded
    assert uploaded[0] is not threading.main_thread()


async def test_what_is_registered_with_an_open_gallery_is_its_own(settings: Settings) -> None:
    pics = ImageGallery.define(settings)

    async def handle(event: Event[ImageReady]) -> None:
        pass

    for _ in range(2):
        async with pics.open() as gallery:
            gallery.on(ImageReady, name="once")(handle)
            with pytest.raises(ValueError, match="already"):
                gallery.on(ImageReady, name="once")(handle)
    pics.on(ImageReady, name="once")(handle)
    with pytest.raises(ValueError, match="already"):
        pics.on(ImageReady, name="once")(handle)
    async with pics.open() as gallery:
        with pytest.raises(ValueError, match="already"):
            gallery.on(ImageReady, name="once")(handle)


async def test_an_event_that_no_feature_brings_is_told_as_soon_as_that_is_known(settings: Settings) -> None:
    pics = ImageGallery.define(settings)

    async def handle(event: Event[ImageSold]) -> None:
        pass

    async with pics.open() as gallery:
        with pytest.raises(ValueError, match="brings ImageSold"):
            gallery.on(ImageSold)(handle)
    pics.on(ImageSold)(handle)
    with pytest.raises(ValueError, match="brings ImageSold"):
        await pics.open().__aenter__()


async def test_meta_is_checked_by_what_is_registered_before_and_after_it_is_opened(settings: Settings) -> None:
    pics = ImageGallery.define(settings)
    asked: list[str] = []

    @pics.meta("gallery")
    async def check(meta: Meta) -> None:
        asked.append("defined")
        if not meta:
            raise InvalidInput("Say what it is for.")

    async with pics.open() as gallery:

        @gallery.meta("gallery")
        def check_more(_: Meta) -> None:
            asked.append("opened")

        with pytest.raises(InvalidInput, match="what it is for"):
            await gallery.galleries.create(ME, name="Lisbon")
        await gallery.galleries.create(ME, name="Lisbon", meta={"shop": 1})
    assert asked == ["defined", "defined", "opened"]
    with pytest.raises(ValueError, match="neither"):
        pics.meta("galleries")(check)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        pics.meta("image")(None)  # type: ignore[type-var]


async def test_settings_come_when_it_is_opened(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    strict = Settings(settings.data_dir, database=settings.database, upkeep_interval=timedelta(minutes=7))
    asked: list[None] = []

    def ask() -> Settings:
        asked.append(None)
        return strict

    pics = ImageGallery.define(ask)
    assert not asked
    async with pics.open() as gallery:
        assert gallery.settings is strict
    async with pics.open(settings) as gallery:
        assert gallery.settings is settings
    monkeypatch.setenv("IMAGEGALLERY_DATA_DIR", str(tmp_path / "of the environment"))
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", str(settings.database.dsn))
    opening = await anyio.to_thread.run_sync(ImageGallery.define().open)  # it reads files
    async with opening as gallery:
        assert gallery.settings.data_dir == tmp_path / "of the environment"


async def test_what_is_given_to_open_stands_before_what_is_defined(settings: Settings) -> None:
    own, other = (MemoryCache(2**20, utc_now) for _ in range(2))
    pics = ImageGallery.define(settings, cache=own)
    async with pics.open() as gallery:
        assert gallery._resources.kept._cache is own
    async with pics.open(cache=other) as gallery:
        assert gallery._resources.kept._cache is other


async def test_policies_are_of_the_definition_of_what_is_opened_and_of_the_open_gallery(settings: Settings) -> None:
    pics = ImageGallery.define(settings, policies={"avatar": Policy(max_width=1)})

    @pics.policy("item", Policy(max_width=2))
    def accept(new: NewImage) -> None:
        raise Refused(f"No {new.policy}s today.")

    async with pics.open(policies={"banner": Policy(max_width=3)}) as gallery:
        gallery.policy("listing")(accept)
        widths = {name: policy.max_width for name, policy in gallery.uploads.policies().items()}
        assert widths == {None: None, "avatar": 1, "banner": 3, "item": 2, "listing": None}
    async with pics.open() as gallery:
        assert list(gallery.uploads.policies()) == [None, "avatar", "item"]


async def test_a_policy_with_a_preset_that_is_none_is_told_when_it_opens(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="preset tiny"):
        async with ImageGallery.open(settings, policies={"avatar": Policy(presets=("tiny",))}):
            pass
