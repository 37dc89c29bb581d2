"""The file that starts a decoder process, by its path, with two arguments: the JSON of `limits.to_json`, and the id of
the parent process.

``python -m imagegallery.imaging.decoder.child`` would first run the package's ``__init__``, which imports the whole
library: that takes time and memory, and none of it belongs in a decoder. So this sets the package's name and place, and
only imports `imagegallery.imaging` from it.
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
    """Confine the process, and only then load decoders: the walls apply to the one thread that exists so far."""
    options = from_json(limits)
    walls = confine(options.memory_limit, int(parent))

    from imagegallery.imaging.decoder.child import serve

    serve(options, walls)


if __name__ == "__main__":
    main(*sys.argv[1:])
