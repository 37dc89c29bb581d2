"""Forms that were altered, or are too late, and bytes that are not what was promised: the store refuses them, and the
upload can still be done right."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from tests.faults.deployment import settings_of, without
from tests.faults.looking import objects_of

from imagegallery.gallery import ImageGallery
from imagegallery.principal import Principal
from imagegallery.storage.protocol import UploadRequest

ME = Principal.user("owner")
Sent = tuple[Mapping[str, Any], bytes]
BAD: Mapping[str, Callable[[UploadRequest, bytes], Sent]] = {
    "another place": lambda form, body: ({**form.fields, "key": "images/mine.jpg"}, body),
    "another type": lambda form, body: ({**form.fields, "Content-Type": "text/html"}, body),
    "another policy": lambda form, body: ({**form.fields, "policy": form.fields["policy"][::-1]}, body),
    "no signature": lambda form, body: (
        {name: value for name, value in form.fields.items() if name.lower() != "x-amz-signature"},
        body,
    ),
    "a byte too many": lambda form, body: (form.fields, body + b"\\0"),
    "a byte too few": lambda form, body: (form.fields, body[:-1]),
}


@pytest.mark.parametrize("kind", BAD)
async def test_what_the_form_does_not_allow_is_refused_by_the_store(
    kind: str, environment: dict[str, str], small_picture: Path
) -> None:
    body = small_picture.read_bytes()
    settings = await anyio.to_thread.run_sync(settings_of, without(environment, "_SQS_", "REDIS"))
    async with ImageGallery.open(settings) as gallery, httpx.AsyncClient() as http:
        uploads = gallery.uploads
        session = await uploads.create(ME, filename="tram.jpg", content_type="image/jpeg", size=len(body))
        form = session.request
        assert form is not None
        fields, sent = BAD[kind](form, body)
        refused = await http.post(form.url, data=dict(fields), files={"file": sent})
        assert 400 <= refused.status_code < 500, refused.text
        assert await objects_of(settings) == []
        (await http.post(form.url, data=dict(form.fields), files={"file": body})).raise_for_status()
        assert (await uploads.complete(ME, session.id)).file_size == len(body)
