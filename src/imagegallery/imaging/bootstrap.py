"""The file that a decoder process is started with, by its path.

``python -m imagegallery.imaging.child`` would first run the package's ``__init__``, which imports the whole library:
time and memory that no decoder needs, and code that has no business beside one. So the package is given its
name and its place here, and only `imagegallery.imaging` is ever imported from it.
"""

import runpy
import sys
from pathlib import Path
from types import ModuleType

package = ModuleType("imagegallery")
package.__path__ = [str(Path(__file__).parents[1])]
sys.modules[package.__name__] = package
runpy.run_module("imagegallery.imaging.child", run_name="__main__")
