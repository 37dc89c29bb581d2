"""What a gallery of a given size needs, by arithmetic: the tables of docs/explanation/scale.md.

    python benchmarks/scale.py

`MEASURED` is what benchmarks/row_sizes.py and benchmarks/upload_requests.py printed. `ASSUMED` is nobody's measurement:
put your own figures there. Prices are assumptions, too; look up your provider's.
"""

from collections.abc import Iterator, Mapping
from typing import Final

MEASURED: Final[Mapping[str, float]] = {
    "bytes of rows and indexes an image": 6_037,
    "bytes an upload's session takes": 451,
    "bytes an upload's two events take": 877,
    "statements an upload": 58.6,
    "reads of the store an upload": 4,  # get and head
    "writes to the store an upload": 8,  # put and promote, which is a copy
}
ASSUMED: Final[Mapping[str, float]] = {
    "users": 100e6,
    "images": 1e12,
    "uploads a second": 10_000,
    "bytes of an original": 3.5e6,
    "bytes of its six variants": 0.7e6,
    "days that sessions are kept": 1,
    "days that events are kept": 7,
    "copies of each row": 3,
    "bytes of rows a database node holds": 4e12,
    "statements a second a database node carries": 30_000,
    "processor seconds an image takes to process": 2,
    "processors of a worker": 16,
    "dollars a GB and month of storage": 0.023,
    "dollars a million writes": 5.0,
    "dollars a million reads": 0.4,
}
SECONDS_A_MONTH: Final = 30 * 86_400
A_DAY: Final = 86_400


def sizes() -> Iterator[tuple[str, float, str]]:
    """What lies there when all images are in."""
    images, users = ASSUMED["images"], ASSUMED["users"]
    rows = images * MEASURED["bytes of rows and indexes an image"]
    session = MEASURED["bytes an upload's session takes"] * ASSUMED["days that sessions are kept"]
    events = MEASURED["bytes an upload's two events take"] * ASSUMED["days that events are kept"]
    transient = ASSUMED["uploads a second"] * A_DAY * (session + events)
    objects = images * (ASSUMED["bytes of an original"] + ASSUMED["bytes of its six variants"])
    yield "images a user", images / users, ""
    yield "rows and indexes of a user", rows / users / 1e6, "MB"
    yield "rows and indexes", rows / 1e15, "PB"
    yield "sessions and events that are kept for a while", transient / 1e12, "TB"
    yield "database nodes, for what they hold", _nodes(rows, "bytes of rows a database node holds"), ""
    yield "objects in the store", images * 7 / 1e12, "trillion"
    yield "bytes in the store", objects / 1e18, "EB"
    yield "storage, a month", objects / 1e9 * ASSUMED["dollars a GB and month of storage"] / 1e6, "million dollars"


def rates() -> Iterator[tuple[str, float, str]]:
    """What happens while images come in."""
    uploads = ASSUMED["uploads a second"]
    statements = uploads * MEASURED["statements an upload"]
    processors = uploads * ASSUMED["processor seconds an image takes to process"]
    arriving = uploads * ASSUMED["bytes of an original"]
    yield "days until all images are in", ASSUMED["images"] / uploads / A_DAY, ""
    yield "statements", statements / 1e6, "million a second"
    yield "database nodes, for what they do", _nodes(statements, "statements a second a database node carries"), ""
    yield "new rows and indexes", uploads * MEASURED["bytes of rows and indexes an image"] * A_DAY / 1e12, "TB a day"
    yield "originals that arrive", arriving * 8 / 1e9, "Gbit/s"
    yield "workers", processors / ASSUMED["processors of a worker"], ""
    yield "writes to the store", _requests("writes") / 1e6, "million dollars a month"
    yield "reads of the store", _requests("reads") / 1e6, "million dollars a month"


def _nodes(amount: float, each: str) -> float:
    """Nodes for all copies of each row: every copy holds it, and takes part in writing it."""
    return amount * ASSUMED["copies of each row"] / ASSUMED[each]


def _requests(kind: str) -> float:
    """Dollars a month for the requests that uploads make of the store."""
    calls = MEASURED["writes to the store an upload" if kind == "writes" else "reads of the store an upload"]
    return ASSUMED["uploads a second"] * SECONDS_A_MONTH * calls / 1e6 * ASSUMED[f"dollars a million {kind}"]


def table(rows: Iterator[tuple[str, float, str]]) -> str:
    """Markdown, three significant figures."""
    lines = [f"| {what} | {_shown(value)} {unit}".rstrip() + " |" for what, value, unit in rows]
    return "\n".join(["| what | how much |", "|---|---|", *lines])


def _shown(value: float) -> str:
    if value >= 100:
        digits = 3 - len(str(int(value)))
        return f"{round(value, digits):,.0f}"
    return f"{value:.3g}"


def main() -> None:
    print(table(sizes()), table(rates()), sep="\n\n")


if __name__ == "__main__":
    main()
