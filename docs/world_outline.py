"""Writes the outline of the world that the page draws a photo's place on: ``python docs/world_outline.py FILE``.

FILE is ``countries-50m.json`` of the npm package world-atlas (ISC), which is Natural Earth (public domain) as TopoJSON.
What comes of it is small enough to travel with the page: ``land`` are closed rings, ``borders`` the lines between
countries, each point a step from the one before, in twentieths of a degree, as text (see `encode`).
"""

import heapq
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

PAGE = Path(__file__).parents[1] / "src/imagegallery_asgi/page/app/viewer/world.json"
STEPS = 20
"""A degree has this many steps: about 5 km each at the equator, less than a pixel of the largest map."""
_LEAST = 6
"""Points go whose triangle with their neighbours has at most this area, in square steps."""
_SMALLEST = 3
"""Islands go that are smaller, in square steps."""
_AROUND = 360 * STEPS
_SOUTH = -86 * STEPS
"""Beyond the end of the map, which is where its projection would grow without bounds."""

Point: TypeAlias = tuple[int, int]
Line: TypeAlias = list[Point]
Topology: TypeAlias = Mapping[str, Any]
"""TopoJSON, or a geometry of it."""


def outline(topology: Topology) -> dict[str, list[str]]:
    arcs = [simplified(each) for each in absolute(topology)]
    countries, land = (topology["objects"][name]["geometries"] for name in ("countries", "land"))
    uses = Counter(max(arc, ~arc) for geometry in countries for ring in rings_of(geometry) for arc in ring)
    coasts = [joined(arcs, ring) for geometry in land for ring in rings_of(geometry)]
    return {
        "land": [encode(ring) for ring in coasts if len(ring) > 3 and abs(area(ring)) > _SMALLEST],
        "borders": [encode(arcs[arc]) for arc, count in sorted(uses.items()) if count > 1],
    }


def absolute(topology: Topology) -> Iterator[Line]:
    """The arcs of the topology, in steps."""
    (east, north), (left, bottom) = topology["transform"]["scale"], topology["transform"]["translate"]
    for arc in topology["arcs"]:
        x = y = 0
        line: Line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            point = round((x * east + left) * STEPS), max(_SOUTH, round((y * north + bottom) * STEPS))
            if not line or line[-1] != point:
                line.append(point)
        yield line


def simplified(line: Line) -> Line:
    """Without the points that change its shape least (Visvalingam and Whyatt 1993); its ends stay."""
    before, after = list(range(-1, len(line) - 1)), list(range(1, len(line) + 1))
    queue = [(_triangle(*line[i - 1 : i + 2]), i) for i in range(1, len(line) - 1)]
    heapq.heapify(queue)
    current = {i: size for size, i in queue}
    fewest = 2 if line[0] == line[-1] else 0  # an island stays a triangle
    while queue:
        size, i = heapq.heappop(queue)
        if current.get(i) != size:
            continue
        if size > _LEAST or len(current) <= fewest:
            break
        del current[i]
        left, right = before[i], after[i]
        after[left], before[right] = right, left
        for each in (left, right):
            if each in current:
                current[each] = max(size, _triangle(line[before[each]], line[each], line[after[each]]))
                heapq.heappush(queue, (current[each], each))
    return [point for i, point in enumerate(line) if i in current or i in (0, len(line) - 1)]


def _triangle(a: Point, b: Point, c: Point) -> float:
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


def rings_of(geometry: Topology) -> list[list[int]]:
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs", ())
    return [ring for polygon in polygons for ring in polygon]


def joined(arcs: Sequence[Line], ring: Iterable[int]) -> Line:
    line: Line = []
    for arc in ring:
        points = arcs[arc] if arc >= 0 else arcs[~arc][::-1]
        line.extend(points[1:] if line else points)
    return unbroken(line)


def unbroken(ring: Line) -> Line:
    """Where it crosses the 180th meridian it goes on beyond it; around the pole it closes below the map."""
    line, turns = ring[:1], 0
    for (before, _), (x, y) in pairwise(ring):
        turns += (before - x > _AROUND / 2) - (x - before > _AROUND / 2)
        line.append((x + turns * _AROUND, y))
    return [*line, (line[-1][0], _SOUTH), (line[0][0], _SOUTH)] if turns else line


def area(ring: Line) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise([*ring, ring[0]])) / 2


def encode(line: Line) -> str:
    """Steps from point to point, each number in one sign or more: five bits a sign, the lowest first, from ``?`` on,
    and 32 more where another follows (as Google's encoded polylines)."""
    x = y = 0
    written = []
    for point in line:
        for step in (point[0] - x, point[1] - y):
            rest = ~(step << 1) if step < 0 else step << 1
            while rest >= 32:
                written.append(chr((rest & 31 | 32) + 63))
                rest >>= 5
            written.append(chr(rest + 63))
        x, y = point
    return "".join(written)


if __name__ == "__main__":
    PAGE.write_text(json.dumps(outline(json.loads(Path(sys.argv[1]).read_text())), separators=(",", ":")) + "\n")
