"""How long tests of an application take with the pytest plugin: ``python benchmarks/host_tests.py``.

Ten tests, each of which adds a photograph and looks at its variants, in a run of pytest of their own. The first waits
for the server; the others show what a test costs.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = 10
SOURCE = f"""
import io
import pytest
from PIL import Image
from imagegallery import Principal

ANA = Principal.user("ana")
PHOTO = io.BytesIO()
Image.effect_mandelbrot((640, 480), (-2, -1, 1, 1), 50).convert("RGB").save(PHOTO, "JPEG")

@pytest.mark.parametrize("number", range({TESTS}))
@pytest.mark.asyncio
async def test_a_product_shows_its_picture(imagegallery, number):
    image = await imagegallery.uploads.add(ANA, PHOTO.getvalue(), filename="tram.jpg")
    assert (await imagegallery.images.get(ANA, image.id)).variants
"""
_DURATION = re.compile(r"([0-9.]+)s (?:setup|call|teardown) .*\[(\d+)\]")


def main() -> None:
    """Print the time of the first test, and of the others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_host.py").write_text(SOURCE)
        Path(folder, "pytest.ini").write_text("[pytest]\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=0", "-vv"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    spent = dict.fromkeys(range(TESTS), 0.0)
    for seconds, number in _DURATION.findall(done.stdout):
        spent[int(number)] += float(seconds)
    first, *others = spent.values()
    print(f"first test {first:.2f} s, others {statistics.median(others):.3f} s (at most {max(others):.3f} s)")
    print(f"{TESTS} host tests: {sum(spent.values()):.2f} s")


if __name__ == "__main__":
    main()
