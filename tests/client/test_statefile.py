import os
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from imagegallery.client.statefile import FileKey, Remembered, StateFile
from imagegallery.errors import ConfigurationError


def key_of(path: Path, target: str = "here") -> FileKey:
    return FileKey.of(path, path.stat(), target)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "träm 1.jpg"
    path.write_bytes(b"picture")
    return path


async def test_what_was_begun_and_ended_is_known_to_the_next_run(tmp_path: Path, file: Path) -> None:
    key, upload_id, image_id = key_of(file), uuid4(), uuid4()
    state = await StateFile.open(tmp_path / "state.json")
    await state.began(key, upload_id)
    assert (await StateFile.open(tmp_path / "state.json")).get(key) == Remembered(upload_id)
    await state.ended(key, image_id)
    assert (await StateFile.open(tmp_path / "state.json")).get(key) == Remembered(image_id=image_id)


async def test_a_file_that_changed_or_goes_elsewhere_is_another(tmp_path: Path, file: Path) -> None:
    state = await StateFile.open(tmp_path / "state.json")
    await state.ended(key_of(file), uuid4())
    assert state.get(key_of(file, "there")) == Remembered()
    file.write_bytes(b"another")
    os.utime(file, ns=(1, 1))
    assert state.get(key_of(file)) == Remembered()


async def test_of_many_at_once_none_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state = await StateFile.open(path)
    keys = [FileKey(f"/{number}.jpg", number, number, "here") for number in range(50)]
    async with anyio.create_task_group() as tasks:
        for key in keys:
            tasks.start_soon(state.began, key, uuid4())
    known = await StateFile.open(path)
    assert all(known.get(key).upload_id for key in keys)
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": 2, "files": {}}', '{"format": 1, "files": {"a": 1}}']
)
async def test_another_kind_of_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"state\.json"):
        await StateFile.open(path)
    assert path.read_text() == text
