"""One result of `doctor`. Pure."""

from enum import StrEnum

from attrs import frozen


class Level(StrEnum):
    """``WARNING``: it works, but not as it should, or not much longer. ``ERROR``: it does not work, or is not safe."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@frozen
class Check:
    """What was found about ``name``, and a ``remedy`` unless it is in order."""

    name: str
    level: Level
    detail: str
    remedy: str | None = None

    @classmethod
    def ok(cls, name: str, detail: str) -> "Check":
        return cls(name, Level.OK, detail)

    @classmethod
    def warning(cls, name: str, detail: str, remedy: str) -> "Check":
        return cls(name, Level.WARNING, detail, remedy)

    @classmethod
    def error(cls, name: str, detail: str, remedy: str) -> "Check":
        return cls(name, Level.ERROR, detail, remedy)

    def to_json(self) -> dict[str, str | None]:
        """All of it as a JSON object."""
        return {"name": self.name, "level": self.level.value, "detail": self.detail, "remedy": self.remedy}

    def __str__(self) -> str:
        line = f"{self.level.value:8}{self.name}: {self.detail}"
        return line if self.remedy is None else f"{line} -> {self.remedy}"
