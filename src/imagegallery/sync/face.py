"""How a service whose methods are awaited is shown to callers that do not await.

A face names the methods that it has; their parameters, results and docstrings are the service's own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial, update_wrapper
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from imagegallery.gallery import ImageGallery
from imagegallery.sync.portal import Portal

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Face(Generic[S]):
    """One service of a gallery. ``find`` says where the gallery has it."""

    def __init__(self, portal: Portal, find: Callable[[ImageGallery], S]) -> None:
        self._portal = portal
        self._find = find

    @property
    def _service(self) -> S:
        return self._find(self._portal.gallery)


class Shown(Protocol[S_co]):
    """What has a service that is asked in the loop."""

    @property
    def _portal(self) -> Portal: ...

    @property
    def _service(self) -> S_co: ...


class ServiceCall(Generic[S, P, T]):
    """A method that waits for what the service's is awaited for."""

    def __init__(self, function: Callable[Concatenate[S, P], Awaitable[T]]) -> None:
        self.function = function

    def __get__(self, face: Shown[S], _: object) -> Callable[P, T]:
        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return face._portal.call(partial(self.function, face._service, *args, **kwargs))

        return update_wrapper(method, self.function)


class Faced(Generic[S, P, T, U]):
    """A method that waits for what the service's is awaited for, which has a face of its own."""

    def __init__(self, function: Callable[Concatenate[S, P], Awaitable[T]], show: Callable[[Portal, T], U]) -> None:
        self.function = function
        self.show = show

    def __get__(self, face: Shown[S], _: object) -> Callable[P, U]:
        def method(*args: P.args, **kwargs: P.kwargs) -> U:
            return self.show(face._portal, face._portal.call(partial(self.function, face._service, *args, **kwargs)))

        return update_wrapper(method, self.function)


class Each(Generic[S, P, T]):
    """A method that yields what the service's yields."""

    def __init__(self, function: Callable[Concatenate[S, P], AsyncIterator[T]]) -> None:
        self.function = function

    def __get__(self, face: Face[S], _: object) -> Callable[P, Iterator[T]]:
        def method(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
            return iterate(face._portal, self.function(face._service, *args, **kwargs))

        return update_wrapper(method, self.function)


def iterate(portal: Portal, items: AsyncIterator[T]) -> Iterator[T]:
    """The items, each awaited when it is asked for."""

    async def following() -> tuple[T] | None:
        try:
            return (await anext(items),)
        except StopAsyncIteration:
            return None

    while (found := portal.call(following)) is not None:
        yield found[0]
