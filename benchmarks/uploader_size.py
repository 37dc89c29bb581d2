"""What the page's uploader weighs, in bytes as gzip sends them, beside Uppy and tus-js-client: python -m
benchmarks.uploader_size."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

from tests.support.node import node_programs

from imagegallery_asgi.page.assets import page_assets

HERE = Path(__file__).parent
UPLOAD = HERE.parent / "src" / "imagegallery_asgi" / "page" / "app" / "upload"
FIRST = ("upload/entry.js", "upload/button.js", "upload/target.js")
CLIENT = ("upload/protocol.js", "upload/request.js")


def sent(names: Iterable[str]) -> int:
    """What the service sends: each file by itself, without its comments."""
    assets = page_assets().by_name
    return sum(len(gzip.compress(assets[name].content, 9)) for name in names)


def bundled() -> dict[str, int]:
    modules = sorted(path for path in UPLOAD.glob("*.js"))
    of_all = "\n".join(f"import {json.dumps(str(path))}" for path in modules)
    of_client = "\n".join(f"export * from {json.dumps(str(UPLOAD.parent / name))}" for name in CLIENT)
    programs = node_programs(HERE / "uploader_size")
    return {
        name: int(str(size)) for name, size in programs.run("bundle.mjs", {"all": of_all, "client": of_client}).items()
    }


def main() -> None:
    names = [name for name in page_assets().by_name if name.startswith("upload/")]
    sizes = {
        "the page's, as it is sent": sent([*names, "messages/en/upload.json"]),
        "of it with the first view": sent(FIRST),
        "its client alone, as it is sent": sent(CLIENT),
        **bundled(),
    }
    for name, size in sizes.items():
        print(f"| {name} | {size:,} |")


if __name__ == "__main__":
    main()
