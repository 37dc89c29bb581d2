"""What a project has of the app: checks, commands, forms, the admin, and the end of its test database."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.hosts.django.test_pages import Elements, items
from tests.support.studio import picture as jpeg

from imagegallery import Principal

SITE = Principal.user("site")


def upload(content: bytes | None = None) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("tram.jpg", content or jpeg(64, 48), "image/jpeg")


def checked(**settings: Any) -> list[tuple[str, str]]:
    from django.core.checks import run_checks
    from django.test import override_settings

    with override_settings(**settings):
        return [(str(each.id), str(each.msg)) for each in run_checks() if str(each.id).startswith("imagegallery")]


def test_right_settings_are_right(site: Path) -> None:
    assert checked() == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"uploads": {"max_sise": 5}},
            "In the settings given there is no setting uploads.max_sise; did you mean uploads.max_size?",
        ),
        ({"secret_key": "short"}, "secret_key: each secret must have at least 16 bytes."),
        (["data"], "IMAGEGALLERY must be a dictionary of settings, not list."),
    ],
)
def test_wrong_settings_are_said_before_anything_is_served(settings: object, said: str, site: Path) -> None:
    assert checked(IMAGEGALLERY=settings) == [("imagegallery.E001", said)]


def test_urls_that_lead_nowhere_are_said(site: Path) -> None:
    nowhere = "tests.hosts.django.shop.no_urls"
    assert checked(ROOT_URLCONF=nowhere) == [("imagegallery.W001", "URLs of pictures lead nowhere.")]
    address, policy = {"base_url": "https://photos.example/api/v1"}, {"poster": {"min_width": 40}}
    elsewhere = {"delivery": address, "policies": policy}
    assert checked(ROOT_URLCONF=nowhere, IMAGEGALLERY=elsewhere) == []


def test_an_owner_that_no_row_has_and_a_policy_that_is_not_there_are_said(site: Path) -> None:
    from django.db import models
    from django.test.utils import isolate_apps

    from imagegallery.hosts.django import PictureField

    with isolate_apps("tests.hosts.django.shop"):

        class Wrong(models.Model):
            photo = PictureField(owner="sellr")
            poster = PictureField(policy="postr")

            class Meta:
                app_label = "shop"

        assert [(each.id, each.msg, each.hint) for each in Wrong.check()] == [
            ("imagegallery.E002", "Its owner is 'sellr', but Wrong has no field or attribute 'sellr'.", None),
            ("imagegallery.E003", "There is no policy 'postr'.", "There are poster."),
        ]


def form(**options: Any) -> Any:
    from django.forms import modelform_factory

    return modelform_factory(items(), fields=["name", "drawing"])(**options)


def test_a_form_takes_a_file_keeps_it_and_lets_go_of_it(site: Path) -> None:
    made = form(data={"name": "Tram"}, files={"drawing": upload()}).save()
    first = made.drawing.id
    kept = form(data={"name": "The tram"}, instance=made)
    assert kept.is_valid()
    assert kept.changed_data == ["name"]
    assert kept.save().drawing.id == first
    cleared = form(data={"name": "The tram", "drawing-clear": "on"}, instance=made).save()
    assert cleared.drawing is None


def test_a_form_says_what_is_wrong_with_a_file(site: Path) -> None:
    refused = form(data={"name": "Tram"}, files={"drawing": upload(b"no picture")})
    assert refused.errors == {"drawing": ["The file was declared image/jpeg and is no image of a known type."]}


def test_a_form_shows_what_is_there(site: Path) -> None:
    empty = Elements(str(form()["drawing"]))
    assert empty.of("input") == {"type": "file", "name": "drawing", "accept": "image/*", "id": "id_drawing"}
    made = form(data={"name": "Tram"}, files={"drawing": upload()}).save()
    shown = Elements(str(form(instance=made)["drawing"]))
    assert shown.of("svg")["width"] == "160"
    assert {attributes.get("name") for _, attributes in shown.found} >= {"drawing", "drawing-clear"}


def test_the_admin_does_so_too(site: Path) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    visitor = Client()
    admin = User.objects.create_superuser("admin")
    visitor.force_login(admin)
    sent = visitor.post("/admin/shop/item/add/", {"name": "Tram", "seller": admin.pk, "drawing": upload()})
    assert sent.status_code == 302
    item = items().objects.latest("pk")
    page = visitor.get(f"/admin/shop/item/{item.pk}/change/").text
    assert f'data-image="{item.drawing.id}"' in page
    visitor.post(f"/admin/shop/item/{item.pk}/delete/", {"post": "yes"})
    assert not items().objects.filter(pk=item.pk).exists()


def test_the_projects_migrations_bring_the_gallerys_along(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.management import call_command

    from imagegallery.hosts.django import migration

    migrated: list[str | None] = []
    monkeypatch.setattr(migration, "migrate_gallery", lambda settings: migrated.append(settings.database.schema))
    call_command("migrate", verbosity=0)
    assert migrated == ["imagegallery"]


def test_the_gallery_has_a_schema_of_its_own_in_the_projects_database(site: Path) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT table_schema FROM information_schema.tables WHERE table_name = 'images'")
        assert cursor.fetchall() == [("imagegallery",)]


def test_a_row_and_its_picture_go_in_one_transaction(site: Path) -> None:
    """Seen from inside of it: after its commit would be too late for who looks now."""
    from django.db import connection, transaction

    item = items().objects.create(name="Tram", drawing=upload())
    drawing = item.drawing.id
    trashed = "SELECT deleted_at IS NOT NULL FROM imagegallery.images WHERE id = %s"
    with transaction.atomic(), connection.cursor() as cursor:
        item.delete()
        cursor.execute(trashed, [drawing])
        assert cursor.fetchone() == (True,)


PROJECT = """
import sys
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["imagegallery.hosts.django", "shop"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite3"}},
    IMAGEGALLERY={"database": {"dsn": %r}, "data_dir": "pictures"},
)
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
MODELS = """
from django.db import models
from imagegallery.hosts.django import PictureField

class Item(models.Model):
    name = models.CharField(max_length=100)
    photo = PictureField()
"""
APP = """
from django.apps import AppConfig

class Shop(AppConfig):
    name = "shop"

    def ready(self):
        from imagegallery import ImageReady
        from imagegallery.hosts.django import gallery

        @gallery.on(ImageReady)
        def heard(event):
            print("ready", event.data.image_id, flush=True)
"""
BEGIN = """
from django.core.management import call_command
call_command("makemigrations", "shop", verbosity=0)
call_command("makemigrations", "shop", check_changes=True)
call_command("migrate", verbosity=0)
call_command("imagegallery_migrate")
from pathlib import Path
from shop.models import Item
print(Item.objects.create(name="Tram", photo=Path("tram.jpg")).photo.id)
"""


def test_a_project_makes_migrations_and_works(database_dsn: str, tmp_path: Path) -> None:
    """On SQLite, with the gallery elsewhere: `makemigrations`, `migrate`, and a worker that its handlers hear of."""
    (tmp_path / "manage.py").write_text(PROJECT % database_dsn)
    (tmp_path / "tram.jpg").write_bytes(jpeg(64, 48))
    (tmp_path / "shop").mkdir()
    for name, text in (("__init__", ""), ("models", MODELS), ("apps", APP)):
        (tmp_path / "shop" / f"{name}.py").write_text(text)

    begin = [sys.executable, "manage.py", "shell", "-c", BEGIN]
    begun = subprocess.run(begin, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert begun.returncode == 0, begun.stderr
    *_, changes, migrated, added = begun.stdout.splitlines()
    assert (changes, migrated) == ("No changes detected in app 'shop'", "Nothing is to be done.")
    made = (tmp_path / "shop" / "migrations" / "0001_initial.py").read_text()
    assert "imagegallery.hosts.django.fields.PictureField(null=True)" in made
    command = [sys.executable, "manage.py", "imagegallery_worker"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        try:
            heard = {worker.stdout.readline().strip() for _ in range(2)}
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
        finally:
            worker.kill()
    assert heard == {"Working.", f"ready {added}"}
