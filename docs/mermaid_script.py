"""Diagrams are drawn in the reader's browser by Mermaid: a hook of mkdocs that puts its script into the site.

From ``npm install --no-save --prefix build/npm mermaid@11`` (``nox -s docs`` does it); without it the theme asks for
the script elsewhere.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SCRIPT = Path(__file__).parents[1] / "build" / "npm" / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
ADDRESS = "javascripts/mermaid.min.js"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs once it knows which files there are."""
    if SCRIPT.exists():
        files.append(File.generated(config, ADDRESS, abs_src_path=str(SCRIPT)))
        config.extra_javascript.append(ADDRESS)
    return files
