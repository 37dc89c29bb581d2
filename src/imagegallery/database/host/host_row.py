"""A row as asyncpg has it: values in order, and by name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload


class HostRow(Sequence[Any]):
    """Reads as an `asyncpg.Record` does: by number, by name, and value by value."""

    def __init__(self, values: Sequence[object], numbers: Mapping[str, int]) -> None:
        self._values = tuple(values)
        self.numbers = numbers

    @overload
    def __getitem__(self, key: int | str) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Any]: ...
    def __getitem__(self, key: int | str | slice) -> Any:
        return self._values[self.numbers[key] if isinstance(key, str) else key]

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def keys(self) -> Iterator[str]:
        return iter(self.numbers)

    def items(self) -> Iterator[tuple[str, Any]]:
        return zip(self.numbers, self._values, strict=True)

    def get(self, key: str, default: object = None) -> Any:
        return self[key] if key in self.numbers else default
