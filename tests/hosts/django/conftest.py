"""A Django project with one app, on a test database of its own as Django's runner makes it."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import django
import pytest
from django.conf import settings
from tests.support.database import DatabaseServer


def database_of(dsn: str) -> dict[str, object]:
    """What Django calls the parts of an address."""
    parts, query = urlsplit(dsn), parse_qs(urlsplit(dsn).query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username or query.get("user", [""])[0],
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname or query.get("host", [""])[0],
        "PORT": str(parts.port or query.get("port", [""])[0]),
    }


@pytest.fixture(scope="session")
def site(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project, and the folder that its pictures are in; dropped by the runner at the end, while it is in use."""
    folder = tmp_path_factory.mktemp("site")
    settings.configure(
        BASE_DIR=folder,
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="tests.hosts.django.shop.urls",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                **database_of(database_server.dsn),
                "TEST": {"NAME": f"django_{secrets.token_hex(6)}"},
            }
        },
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "imagegallery.hosts.django",
            "tests.hosts.django.shop",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        # Tables as the models are, without the history of how they came to be.
        MIGRATION_MODULES=dict.fromkeys(("admin", "auth", "contenttypes", "sessions")),
        IMAGEGALLERY={"policies": {"poster": {"min_width": 40}}},
    )
    django.setup()
    from imagegallery.hosts.django.test_runner import PictureRunner

    runner = PictureRunner(verbosity=0, interactive=False)
    runner.setup_test_environment()
    databases = runner.setup_databases()
    yield folder
    runner.teardown_databases(databases)
    runner.teardown_test_environment()
