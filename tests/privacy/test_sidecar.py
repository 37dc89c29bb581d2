"""Sidecars as other programs read them: exiftool, where it is installed, and any reader of XML."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.support.library import make_image

from imagegallery.images.image.filename import clean_filename
from imagegallery.images.image.image import Image
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.words.file_words import Words, read_words
from imagegallery.imaging.decoder.source import Blocks
from imagegallery.imaging.formats.notes import read_notes
from imagegallery.privacy.export import name_of
from imagegallery.privacy.sidecar import NAMESPACE, sidecar

DESCRIPTION = ".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"
TRAM = evolve(
    make_image(),
    filename='the "28" <tram>.jpg',
    alt_text="A tram & its <driver>\nin Lisbon",
    taken_at=datetime(2024, 6, 1, 11, 30, 0, 250_000, tzinfo=UTC),
    taken_at_source=TakenAtSource.EXIF_ORIGINAL,
    latitude=38.70833333,
    longitude=-9.1375,
    is_favorite=True,
    tags=("eléctrico", "<b> & co"),
    title="Line 28",
    description="Up to the\n<castle>",
    rating=4,
    people=("Ana", "Inês"),
    meta={"order": 7, "tags": ["tram", "“yellow”"]},
)


def test_exiftool_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "tram.jpg.xmp"
    path.write_bytes(sidecar(TRAM, ["Lisbon", "A|B"]))
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    asked = ["-j", "-n", "-G1", "-a", "-warning", "-XMP:all"]
    told = subprocess.run(["exiftool", *asked, str(path)], check=True, capture_output=True)
    read = json.loads(told.stdout)[0]
    assert not [name for name in read if name.endswith("Warning")], read
    assert read["XMP-dc:Description"] == TRAM.description
    assert read["XMP-dc:Title"] == TRAM.title
    assert read["XMP-dc:Subject"] == list(TRAM.tags)
    assert read["XMP-iptcExt:PersonInImage"] == list(TRAM.people)
    assert read["XMP-iptcCore:AltTextAccessibility"] == TRAM.alt_text
    assert read["XMP-exif:DateTimeOriginal"] == "2024:06:01 11:30:00.250+00:00"
    assert read["XMP-xmpMM:PreservedFileName"] == TRAM.filename
    assert (read["XMP-exif:GPSLatitude"], read["XMP-exif:GPSLongitude"]) == pytest.approx((38.70833333, -9.1375))
    assert read["XMP-xmp:Rating"] == 4
    assert read["XMP-lr:HierarchicalSubject"] == ["Galleries|Lisbon", "Galleries|A/B"]
    assert json.loads(read["XMP-imagegallery:Meta"]) == TRAM.meta


def description(image: Image, *galleries: str) -> ElementTree.Element:
    found = ElementTree.fromstring(sidecar(image, galleries)).find(DESCRIPTION)
    assert found is not None
    return found


def test_what_is_not_known_is_not_said() -> None:
    plain = evolve(make_image(), filename="tram.jpg", alt_text="", taken_at_source=TakenAtSource.UPLOAD)
    found = description(plain)
    assert [*found] == []
    names = {name.rpartition("}")[2] for name in found.attrib}
    assert names == {"about", "PreservedFileName", "Id", "AddedAt", "Visibility", "Favorite", "Archived"}


def test_it_says_to_this_program_what_it_says_to_others() -> None:
    words = read_words(b"", read_notes(Blocks(xmp=sidecar(TRAM, ["Lisbon"]))))
    assert words == Words(("eléctrico",), TRAM.title, TRAM.description, TRAM.rating, TRAM.people), "markup is no tag"
    favourite = evolve(TRAM, rating=None, tags=(), description="")
    words = read_words(b"", read_notes(Blocks(xmp=sidecar(favourite, ["Lisbon"]))))
    assert (words.rating, words.tags, words.description) == (5, (), TRAM.alt_text)


@given(st.text(), st.text(max_size=50))
def test_whatever_a_text_holds_it_stays_xml(alt_text: str, name: str) -> None:
    found = description(evolve(TRAM, alt_text=alt_text, meta={"key": alt_text}), name)
    assert json.loads(found.attrib[f"{{{NAMESPACE}}}Meta"]).keys() == {"key"}


@pytest.mark.parametrize(
    ("image", "folder"),
    [
        (TRAM, "images"),
        (evolve(TRAM, deleted_at=TRAM.taken_at), "trash"),
        (evolve(TRAM, is_pending=True), "waiting"),
    ],
)
def test_the_name_in_the_archive_says_where_the_image_is(image: Image, folder: str) -> None:
    assert name_of(image) == f"{folder}/2024-06/the _28_ _tram_.{image.id}.jpg"


@given(st.text(max_size=300))
def test_every_name_fits_a_file_system_with_its_sidecar(filename: str) -> None:
    name = name_of(evolve(TRAM, filename=filename)).split("/")
    assert len(name) == 3
    assert 36 < len(f"{name[-1]}.xmp".encode()) <= 255
    assert clean_filename(name[-1]) == name[-1]
