import os
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from imagegallery.client.statefile import FileKey, RememberedUpload, StateFile
from imagegallery.errors import ConfigurationError


def key_of(path: Path, target: str = "here") -> FileKey:
    return FileKey.of(path, path.stat(), target)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "träm\n1.jpg"
    path.write_bytes(b"picture")
    return path


async def test_what_was_begun_and_ended_is_known_to_the_next_run(tmp_path: Path, file: Path) -> None:
    key, image_id = key_of(file), uuid4()
    state = await StateFile.open(tmp_path / "state")
    await state.remember_key(key, "begun")
    assert (await StateFile.open(tmp_path / "state")).get(key) == RememberedUpload("begun")
    await state.remember_image(key, image_id)
    assert (await StateFile.open(tmp_path / "state")).get(key) == RememberedUpload(image_id=image_id)


async def test_a_file_that_changed_or_goes_elsewhere_is_another(tmp_path: Path, file: Path) -> None:
    state = await StateFile.open(tmp_path / "state")
    await state.remember_image(key_of(file), uuid4())
    assert state.get(key_of(file, "there")) == RememberedUpload()
    file.write_bytes(b"another")
    os.utime(file, ns=(1, 1))
    assert state.get(key_of(file)) == RememberedUpload()


async def test_of_many_at_once_none_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "state"
    state = await StateFile.open(path)
    keys = [FileKey(f"/{number}.jpg", number, number, "here") for number in range(50)]
    async with anyio.create_task_group() as tasks:
        for key in keys:
            tasks.start_soon(state.remember_key, key, "begun")
    known = await StateFile.open(path)
    assert all(known.get(key) == RememberedUpload("begun") for key in keys)


async def test_a_crash_at_any_byte_costs_the_last_line_at_most(tmp_path: Path, file: Path) -> None:
    path, key, last = tmp_path / "state", key_of(file), uuid4()
    state = await StateFile.open(path)
    await state.remember_key(key, "first")
    before = path.read_bytes()
    await state.remember_image(key, last)
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        known = await StateFile.open(path)
        heading = whole.index(b"\n") + 1
        if length == len(whole):
            expected = RememberedUpload(image_id=last)
        elif length >= len(before):
            expected = RememberedUpload("first")
        else:
            expected = RememberedUpload()
        assert known.get(key) == expected
        await known.remember_key(key, "first")
        assert (await StateFile.open(path)).get(key).idempotency_key == "first", "and it can be written on"
        assert path.read_bytes()[:heading] == whole[:heading]


@pytest.mark.parametrize("text", ["[]", "{}\n", '{"imagegallery-uploads": 2}\n', "notes\nof mine\n", "\xff"])
async def test_another_kind_of_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="state"):
        await StateFile.open(path)
    assert path.read_text() == text


async def test_a_line_of_another_form_is_refused(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "state"
    await (await StateFile.open(path)).remember_key(key_of(file), "begun")
    path.write_text(path.read_text() + '{"path": "elsewhere"}\n')
    with pytest.raises(ConfigurationError, match="state"):
        await StateFile.open(path)


async def test_a_place_that_cannot_be_written_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        await StateFile.open(tmp_path / "nowhere" / "state")
