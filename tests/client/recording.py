"""A connection that keeps what was asked."""

import httpx


class Recorder(httpx.AsyncHTTPTransport):
    def __init__(self) -> None:
        super().__init__()
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return await super().handle_async_request(request)

    def parts_sent(self) -> int:
        return sum(request.method == "PUT" for request in self.requests)
