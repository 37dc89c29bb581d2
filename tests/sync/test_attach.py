"""A host without an event loop attaches a picture in its own transaction."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import attrs
import psycopg
import pytest
import sqlalchemy
from sqlalchemy.orm import Session
from tests.support.shared_engine import SharedEngine
from tests.support.studio import picture

from imagegallery.database.options import DatabaseOptions
from imagegallery.errors import AlreadyUsed, InvalidInput, NotFound
from imagegallery.principal import Principal
from imagegallery.settings import Settings
from imagegallery.sync import SyncGallery, open_gallery

ANA = Principal.user("ana")
TABLE = "CREATE TABLE items (name text, image_id uuid REFERENCES images)"


@pytest.fixture
def gallery(database_dsn: str, tmp_path: Path, imaging_engine: SharedEngine) -> Iterator[SyncGallery]:
    settings = attrs.evolve(Settings(data_dir=tmp_path / "data"), database=DatabaseOptions(dsn=database_dsn))
    with open_gallery(settings, engine=imaging_engine, worker=True) as gallery:
        yield gallery


def test_a_picture_is_committed_with_its_row_or_not_at_all(gallery: SyncGallery, database_dsn: str) -> None:
    staged = gallery.uploads.stage(ANA, picture(40, 30), filename="bike.jpg")
    assert (staged.content_type, staged.width, staged.height) == ("image/jpeg", 40, 30)
    with psycopg.connect(database_dsn) as host:
        host.execute(TABLE)
        host.commit()
        image = staged.attach(host)
        host.rollback()
        with pytest.raises(NotFound):
            gallery.images.get(ANA, image.id)
        again = gallery.uploads.staged(ANA, staged.id).attach(host, alt_text="A bike")
        host.execute("INSERT INTO items VALUES ('Bike', %s)", (again.id,))
        assert gallery.images.get(ANA, again.id, connection=host).alt_text == "A bike"
        host.commit()
    assert gallery.images.wait_until_ready(ANA, again.id).variants, "the commit wakes the worker"
    with pytest.raises(AlreadyUsed):
        staged.attach()


def test_an_autocommitting_connection_is_refused_and_its_transaction_is_not(
    gallery: SyncGallery, database_dsn: str
) -> None:
    staged = gallery.uploads.stage(ANA, picture(40, 30))
    with psycopg.connect(database_dsn, autocommit=True) as host:
        with pytest.raises(InvalidInput, match="in no transaction"):
            staged.attach(host)
        with host.transaction():
            image = staged.attach(host)
    assert gallery.images.get(ANA, image.id).id == image.id


def test_a_session_of_sqlalchemy_takes_it_along(gallery: SyncGallery, database_dsn: str) -> None:
    url = database_dsn.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sqlalchemy.create_engine(url)
    with Session(engine) as session, session.begin():
        lot = gallery.galleries.create(ANA, name="Bike", connection=session)
        image = gallery.uploads.stage(ANA, picture(40, 30)).attach(session, gallery_id=lot.id)
    engine.dispose()
    assert gallery.galleries.get(ANA, lot.id).image_count == 1
    assert [each.id for each in gallery.galleries.list_images(ANA, lot.id).items] == [image.id]


def test_many_threads_attach_each_in_its_own_transaction(gallery: SyncGallery, database_dsn: str) -> None:
    """Each waits for the gallery's loop, which asks in threads: none of them holds what another needs."""
    staged = [gallery.uploads.stage(ANA, picture(40 + number, 30)) for number in range(8)]
    attached = []

    def attach(number: int) -> None:
        with psycopg.connect(database_dsn) as host:
            attached.append(staged[number].attach(host).id)

    threads = [Thread(target=attach, args=(number,), daemon=True) for number in range(len(staged))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {gallery.images.get(ANA, image_id).id for image_id in attached} == set(attached)
    assert len(attached) == len(staged)


FORKED = """
import os, sys
import psycopg
from imagegallery import Principal
from imagegallery.sync import open_gallery

gallery, ana = open_gallery(), Principal.user("ana")
staged = gallery.uploads.stage(ana, sys.stdin.buffer)
if (child := os.fork()) == 0:
    with psycopg.connect(os.environ["IMAGEGALLERY_DATABASE_DSN"]) as host:
        staged.attach(host)
    gallery.close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(gallery.uploads.staged(ana, staged.id).image_id is not None)
"""


def test_what_was_staged_before_a_fork_is_attached_after_it(database_dsn: str, tmp_path: Path) -> None:
    """As a worker of a web server does, with a connection of its own."""
    environment = {"IMAGEGALLERY_DATA_DIR": str(tmp_path / "data"), "IMAGEGALLERY_DATABASE_DSN": database_dsn}
    done = subprocess.run(
        [sys.executable, "-c", FORKED],
        input=picture(40, 30),
        env={**os.environ, **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.returncode) == (b"True\n", 0), done.stderr


def test_it_is_attached_after_the_gallery_was_closed_and_opened_again(gallery: SyncGallery) -> None:
    staged = gallery.uploads.stage(ANA, picture(40, 30))
    gallery.close()
    image = staged.attach()
    assert gallery.images.get(ANA, image.id).id == image.id
