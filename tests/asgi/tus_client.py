"""A tus client of these tests, as bare as can be: what it sends is what the test says."""

import base64

import httpx
from attrs import frozen

MAX_UPLOAD = 2_000_000  # as the server of these tests is set
NEW = "/uploads/resumable"
BYTES = "application/offset+octet-stream"
VERSION = {"Tus-Resumable": "1.0.0"}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def metadata(**values: str) -> str:
    return ",".join(f"{key} {encoded(value)}" for key, value in values.items())


TRAM = metadata(filename="tram.jpg", filetype="image/jpeg")


@frozen
class Upload:
    """A tus upload as its client has it."""

    client: httpx.Client
    path: str

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    def head(self) -> httpx.Response:
        return self.client.head(self.path, headers=VERSION)

    def offset(self) -> int:
        answer = self.head()
        assert answer.status_code == 204
        return int(answer.headers["Upload-Offset"])

    def patch(self, data: bytes, offset: int | str, **more: str) -> httpx.Response:
        headers = {**VERSION, "Content-Type": BYTES, "Upload-Offset": str(offset), **_headers(more)}
        return self.client.patch(self.path, content=data, headers=headers)

    def delete(self) -> httpx.Response:
        return self.client.delete(self.path, headers=VERSION)

    def session(self) -> dict[str, object]:
        found: dict[str, object] = self.client.get(f"/uploads/{self.id}").json()["data"]
        return found


def _headers(values: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in values.items()}


def post(client: httpx.Client, content: bytes = b"", **headers: str) -> httpx.Response:
    return client.post(NEW, content=content, headers={**VERSION, **_headers(headers)})


def create(client: httpx.Client, size: int | None, **headers: str) -> Upload:
    length = {"Upload_Defer_Length": "1"} if size is None else {"Upload_Length": str(size)}
    answer = post(client, b"", **{"Upload_Metadata": TRAM, **length, **headers})
    assert answer.status_code == 201, answer.text
    return Upload(client, answer.headers["Location"].removeprefix("/api/v1"))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
