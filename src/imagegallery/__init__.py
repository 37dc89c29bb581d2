"""An async image backend: upload sessions, variants, galleries and responsive URLs.

``__init__.pyi`` has the public names, for type checkers, too; nothing inside the package imports them from here. Each
is imported on first use, so that a program that needs three of them does not wait for all.
"""

_homes: dict[str, tuple[str, str]] = {}


def __getattr__(name: str) -> object:
    """Return the public name, or ``__all__``. Raises `AttributeError`."""
    homes = _read_homes()
    if name == "__all__":
        return list(homes)
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, original = homes[name]
    value = getattr(import_module(module), original)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_read_homes()})


def _read_homes() -> dict[str, tuple[str, str]]:
    """The module and original name of each public name: the imports of ``__init__.pyi``."""
    if not _homes:
        from ast import ImportFrom, parse
        from importlib.resources import files

        for node in parse(files(__name__).joinpath("__init__.pyi").read_text(encoding="utf-8")).body:
            if isinstance(node, ImportFrom) and node.module is not None:
                _homes.update({each.asname or each.name: (node.module, each.name) for each in node.names})
    return _homes
