"""The file that a decoder process is started with, by its path, with two arguments: the JSON of `limits.to_json`, and
the process id to die with.

``python -m imagegallery.imaging.decoder.child`` would first run the package's ``__init__``, which imports the whole
library: time and memory that no decoder needs, and code that has no business beside one. So the package is given its
name and its place here, and only `imagegallery.imaging` is ever imported from it.
"""

import sys
from pathlib import Path
from types import ModuleType

package = ModuleType("imagegallery")
package.__path__ = [str(Path(__file__).parents[2])]
sys.modules[package.__name__] = package

from imagegallery.imaging.limits import from_json  # noqa: E402 (as below)
from imagegallery.imaging.sandbox.confinement import confine  # noqa: E402 (once the package has its name)


def main(limits: str, parent: str) -> None:
    """Put up the walls, and only then load what decodes: walls are around the one thread that there is so far."""
    options = from_json(limits)
    walls = confine(options.memory_limit, int(parent))

    from imagegallery.imaging.decoder.child import serve

    serve(options, walls)


if __name__ == "__main__":
    main(*sys.argv[1:])
