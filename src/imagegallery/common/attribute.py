"""Attributes that instances set, declared where tools look that only see the class."""

from typing import Generic, TypeVar, overload

T = TypeVar("T")


class AttributeOf(Generic[T]):
    """An attribute that ``__init__`` sets, of this class. Asked of the class it is declared in, it is that class, so
    that `unittest.mock.create_autospec` knows the methods of services of services.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind

    @overload
    def __get__(self, owner: None, kind: type) -> type[T]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: object | None, kind: type) -> type[T] | T:
        if owner is not None:
            raise AttributeError("It is not set yet.")
        return self._kind
