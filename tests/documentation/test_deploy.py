"""The files to deploy with say what our commands, settings and routes are, and fit together."""

import configparser
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import click
import pytest
import yaml

from imagegallery import Settings
from imagegallery.cli.main import COMMANDS
from imagegallery.settings import ENV_PREFIX
from imagegallery_asgi.routes import OPERATIONAL

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "how-to" / "deploy"
PAGE = DEPLOY.with_suffix(".md")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
DEPLOYED = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()]
COMMANDS_PAGE = ROOT / "docs" / "reference" / "commands.md"

# What these files use of systemd.exec(5), .service(5), .unit(5) and .kill(5).
DIRECTIVES = {
    "Unit": {"Description", "Wants", "After"},
    "Service": {
        *("Type", "ExecStart", "EnvironmentFile", "Environment", "KillMode", "TimeoutStopSec", "Restart", "RestartSec"),
        *("DynamicUser", "User", "StateDirectory", "StateDirectoryMode"),
        *("NoNewPrivileges", "PrivateTmp", "ProtectSystem", "ProtectHome"),
    },
    "Install": {"WantedBy"},
}


def compose() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def manifests() -> Sequence[Mapping[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def of_kind(kind: str) -> Mapping[str, Any]:
    """By name."""
    return {each["metadata"]["name"]: each for each in manifests() if each["kind"] == kind}


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text())
    return parser


def pods() -> Iterator[Mapping[str, Any]]:
    for each in manifests():
        if each["kind"] in ("Deployment", "Job"):
            yield each["spec"]["template"]


def containers() -> Iterator[Mapping[str, Any]]:
    for pod in pods():
        yield from pod["spec"]["containers"]


def command_lines() -> Iterator[tuple[str, Sequence[str]]]:
    """Everything that is run as ``imagegallery …``, and where it says so."""
    for name, service in compose()["services"].items():
        if service["image"] == "imagegallery":
            yield f"compose {name}", service["command"]
    for path in UNITS:
        program, *arguments = shlex.split(unit(path)["Service"]["ExecStart"])
        assert Path(program).name == "imagegallery"
        yield path.name, arguments
    for container in containers():
        yield f"kubernetes {container['name']}", container["args"]
    last = (DEPLOY / "Dockerfile").read_text().rstrip().rpartition("\n")[2]
    yield "Dockerfile", yaml.safe_load(last.removeprefix("CMD"))


def parsed(arguments: Sequence[str]) -> click.Context:
    """The command's context, with its options. Raises `click.UsageError`, and `KeyError` without such a command."""
    name, *options = arguments
    return COMMANDS[name].load().make_context(name, options)


@pytest.mark.parametrize("arguments", [pytest.param(line, id=name) for name, line in command_lines()])
def test_every_command_is_one_of_ours(arguments: Sequence[str]) -> None:
    parsed(arguments)


def known_variables() -> set[str]:
    """Of settings, and those of the API, which the reference lists."""
    listed = set(re.findall(r"^\| `(IMAGEGALLERY_\w+)`", COMMANDS_PAGE.read_text(), re.MULTILINE))
    return listed | {f"{ENV_PREFIX}{name}" for name in _names(Settings)}


def _names(options: type, prefix: str = "") -> Iterator[str]:
    for option in attrs.fields(attrs.resolve_types(options)):
        if attrs.has(option.type):
            yield from _names(option.type, f"{prefix}{option.name.upper()}_")
        else:
            yield prefix + option.name.upper()


@pytest.mark.parametrize("path", [*DEPLOYED, PAGE], ids=lambda path: path.name)
def test_every_variable_is_read_by_something(path: Path) -> None:
    assert set(re.findall(r"\bIMAGEGALLERY_[A-Z0-9_]+", path.read_text())) <= known_variables()


def test_the_example_of_variables_makes_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (DEPLOY / "imagegallery.env").read_text().splitlines():
        if not line.startswith("#"):
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)
    settings = Settings.from_env()
    assert settings.storage.s3.bucket
    assert settings.redis.url
    assert settings.queue.sqs.queue_url


def test_containers_get_what_the_example_says() -> None:
    example = set(re.findall(r"^(\w+)=", (DEPLOY / "imagegallery.env").read_text(), re.MULTILINE))
    given = {*of_kind("ConfigMap")["imagegallery"]["data"], *of_kind("Secret")["imagegallery"]["stringData"]}
    # Pods have a role of the cloud's in place of keys, and a folder of their own.
    by_role = {"IMAGEGALLERY_AWS_ACCESS_KEY_ID", "IMAGEGALLERY_AWS_SECRET_ACCESS_KEY"}
    assert given == (example - by_role) | {"IMAGEGALLERY_DATA_DIR"}
    for container in containers():
        references = [reference for each in container["envFrom"] for reference in each.values()]
        assert [reference["name"] for reference in references] == ["imagegallery", "imagegallery"]


def test_services_of_the_compose_file_wait_for_services_that_there_are() -> None:
    services = compose()["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        build = service.get("build")
        if build is not None:
            assert (DEPLOY / build["context"]).resolve() == ROOT
            assert (ROOT / build["dockerfile"]).is_file()
        if "env_file" in service:
            assert (DEPLOY / service["env_file"]).is_file()
    assert {mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", ())} == set(
        compose()["volumes"]
    )


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_made_of_directives_that_systemd_knows(path: Path) -> None:
    found = unit(path)
    assert set(found.sections()) == set(DIRECTIVES)
    for section, known in DIRECTIVES.items():
        assert set(found[section]) <= known


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here to ask")
def test_systemd_itself_takes_the_units(tmp_path: Path) -> None:
    """With a program that is there in place of ours, which need not be installed under /opt."""
    for path in UNITS:
        text = path.read_text().replace("/opt/imagegallery/bin/imagegallery", "/bin/true")
        (tmp_path / path.name.replace("@", "@1")).write_text(text)
    units = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "imagegallery" in line]
    assert ours == []


def stop_seconds(arguments: Sequence[str]) -> float:
    """How long the process may take to stop, by its own options and the default settings."""
    options = parsed(arguments).params
    return max(
        float(options.get("drain", 0) + options.get("grace", 0)),
        Settings().queue.shutdown_grace.total_seconds(),
    )


def test_nobody_is_killed_while_it_still_stops_in_order() -> None:
    for name in ("api", "worker"):
        service = compose()["services"][name]
        assert int(service["stop_grace_period"].removesuffix("s")) > stop_seconds(service["command"])
        spec = of_kind("Deployment")[f"imagegallery-{name}"]["spec"]["template"]["spec"]
        assert spec["terminationGracePeriodSeconds"] > stop_seconds(spec["containers"][0]["args"])
    for path in UNITS:
        service = unit(path)["Service"]
        assert service["KillMode"] == "mixed"
        assert int(service["TimeoutStopSec"]) > stop_seconds(shlex.split(service["ExecStart"])[1:])


def test_probes_ask_routes_that_there_are_on_the_port_that_is_served() -> None:
    paths = {operation.path for operation in OPERATIONAL}
    (api,) = (container for container in containers() if container["name"] == "api")
    (port,) = api["ports"]
    assert port["containerPort"] == parsed(api["args"]).params["port"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert api[probe]["httpGet"]["path"] in paths
        assert api[probe]["httpGet"]["port"] == port["name"]
    # A pod that drains is not to be killed for it.
    assert api["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert api["readinessProbe"]["httpGet"]["path"] == "/readyz"
    readiness = api["readinessProbe"]
    assert readiness["periodSeconds"] * readiness["failureThreshold"] < parsed(api["args"]).params["drain"]
    assert "/readyz" in " ".join(compose()["services"]["api"]["healthcheck"]["test"])


def labels_of(selector: Mapping[str, str]) -> set[str]:
    """The parts whose pods the selector picks."""
    picked = [pod["metadata"]["labels"] for pod in pods() if selector.items() <= pod["metadata"]["labels"].items()]
    return {labels["part"] for labels in picked}


def test_selectors_pick_the_pods_that_are_meant() -> None:
    for name, deployment in of_kind("Deployment").items():
        assert {f"imagegallery-{part}" for part in labels_of(deployment["spec"]["selector"]["matchLabels"])} == {name}
    service = of_kind("Service")["imagegallery"]["spec"]
    assert labels_of(service["selector"]) == {"api"}
    assert service["ports"][0]["targetPort"] == "http"
    budget = of_kind("PodDisruptionBudget")["imagegallery-api"]["spec"]
    assert labels_of(budget["selector"]["matchLabels"]) == {"api"}


def test_autoscalers_scale_what_there_is_by_what_is_measured() -> None:
    scalers = of_kind("HorizontalPodAutoscaler")
    for scaler in scalers.values():
        target = scaler["spec"]["scaleTargetRef"]
        deployment = of_kind(target["kind"])[target["name"]]
        assert deployment["apiVersion"] == target["apiVersion"]
        assert "replicas" not in deployment["spec"]  # or each rollout would undo the scaling
    budget = of_kind("PodDisruptionBudget")["imagegallery-api"]["spec"]["minAvailable"]
    assert scalers["imagegallery-api"]["spec"]["minReplicas"] > budget
    (metric,) = scalers["imagegallery-worker"]["spec"]["metrics"]
    adapter = yaml.safe_load((DEPLOY / "prometheus-adapter.yaml").read_text())
    (rule,) = adapter["rules"]["external"]
    assert metric["external"]["metric"]["name"] == rule["name"]["as"]
    metrics = (ROOT / "src" / "imagegallery_asgi" / "framework" / "metrics.py").read_text()
    (series,) = set(re.findall(r"imagegallery_\w+(?=\{)", rule["seriesQuery"] + rule["metricsQuery"]))
    assert f'"{series}"' in metrics
    assert '("waiting",)' in metrics


def test_nothing_runs_as_root() -> None:
    (user,) = re.findall(r"^USER (\d+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert int(user) > 0
    for pod in pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
    for path in UNITS:
        service = unit(path)["Service"]
        assert service.get("DynamicUser") == "yes" or service["User"] == "imagegallery"


def test_all_volumes_that_are_mounted_are_there() -> None:
    for pod in pods():
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        for container in pod["spec"]["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_the_page_names_every_file() -> None:
    text = PAGE.read_text()
    for path in DEPLOYED:
        assert f"deploy/{path.relative_to(DEPLOY)}" in text
