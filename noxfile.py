"""The project's checks: ``nox`` runs them all, ``nox -s tests`` one of them."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "tests", "wheel", "docs"]
PYTHONS = ["3.11", "3.12", "3.13"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and the import contracts between the packages."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict over everything, the tests included."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The whole suite, in parallel."""
    session.install("-e", ".[dev]")
    session.run("pytest", *session.posargs)


@nox.session
def quick(session: nox.Session) -> None:
    """What is quick: hardly a test that starts a server or a process."""
    session.install("-e", ".[dev]")
    session.run("pytest", "--quick", *session.posargs)


@nox.session
def floors(session: nox.Session) -> None:
    """What reads strangers' bytes, on the oldest releases that we allow. Needs uv."""
    oldest = f"{session.create_tmp()}/oldest.txt"
    extras = ("--extra", "all", "--extra", "dev-stack")
    session.run(
        "uv",
        "pip",
        "compile",
        "-q",
        "--resolution",
        "lowest-direct",
        *extras,
        "pyproject.toml",
        "-o",
        oldest,
        external=True,
    )
    session.install("-e", ".[dev]", "--constraint", oldest)
    session.run("pytest", "tests/imaging", "tests/asgi", "tests/storage", "tests/database", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Requests that nobody thought of, made from the description of the API."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-p", "schemathesis.pytest.plugin", "tests/asgi/schemathesis_api.py", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """What takes minutes: processes killed at all steps that the default run leaves out, and all engines together."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Tests of the tests: locks, fences, shields, syncs and owners' conditions are taken away, decisions changed."""
    session.install("-e", ".[dev]", "mutmut>=3.8,<4")
    session.run("python", "-m", "tests.mutants", *session.posargs)
    session.run("mutmut", "run")
    session.run("mutmut", "results")


@nox.session
def wheel(session: nox.Session) -> None:
    """The built wheel, installed without extras and with them, does what its users need first."""
    session.install("-e", ".[dev]")
    session.run("pytest", "tests/packaging", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The pages build without a warning, and the code in them runs."""
    session.install("-e", ".[dev]")
    session.run("npm", "install", "--no-save", "--prefix", "build/npm", "mermaid@11", external=True)
    session.run("mkdocs", "build", "--strict", "--site-dir", "site")
    session.run("pytest", "tests/documentation", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Ratios, measured side by side; see benchmarks/README.md for what each needs."""
    session.install("-e", ".[dev]", "ssimulacra2")
    session.run("python", "benchmarks/walk.py")
    session.run("python", "-m", "benchmarks.list_page")
    for what in ("page", "library", "file"):
        session.run("python", "-m", "benchmarks.cached_page", what)
    session.run("python", "benchmarks/render.py", *session.posargs)
