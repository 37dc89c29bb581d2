"""What the image is built from, and under which licences: lists that are made, and fit to what they are made from."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import constraints
import licences

ROOT = Path(__file__).parents[2]
PINNED = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", constraints.CONSTRAINTS.read_text(), re.MULTILINE)
}
# The first release without a fault that was known on 30 November 2026.
SOUND = {
    "aiohttp": "3.14.1",
    "cryptography": "48.0.1",
    "h11": "0.16",
    "pillow": "12.2",
    "pyjwt": "2.15",
    "python-multipart": "0.0.31",
    "starlette": "1.3.1",
}


def required(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [each for each in map(Requirement, lines) if each.name != "imagegallery"]


def test_floors_leave_out_releases_with_known_faults() -> None:
    floors = {each.name: each.specifier for each in required("heic", "s3", "sqs", "asgi")}
    for name, sound in SOUND.items():
        assert all(Version(each.version) >= Version(sound) for each in floors[name]), name


def test_the_list_of_the_image_holds_what_it_needs_with_hashes() -> None:
    needed = required(*constraints.extras(), "asgi", "embedded")
    assert {canonicalize_name(each.name) for each in needed} <= set(PINNED)
    assert [each for each in needed if PINNED[canonicalize_name(each.name)] not in each.specifier] == []
    text = constraints.CONSTRAINTS.read_text()
    assert text.startswith(constraints.HEAD)
    blocks = re.split(r"^(?=[\w.-]+==)", text.removeprefix(constraints.HEAD), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(PINNED)
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_list_names_no_address() -> None:
    assert re.findall(r"https?:|//|index|find-links", constraints.CONSTRAINTS.read_text()) == []


def test_the_image_is_built_from_the_list_alone() -> None:
    text = (constraints.DEPLOY / "Dockerfile").read_text()
    installs = re.findall(r"pip install .*", text)
    assert len(installs) == 2
    assert "--require-hashes -r /build/constraints.txt" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]


def test_every_package_of_the_image_and_of_ours_has_its_licence_on_the_page() -> None:
    listed = dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", licences.PAGE.read_text(), re.MULTILINE))
    assert set(PINNED) <= set(listed)
    assert {canonicalize_name(each.name) for each in required("heic", "s3", "redis", "client", "asgi")} <= set(listed)
    assert "see its files" not in listed.values()
    assert licences.licence("starlette") == listed["starlette"]
