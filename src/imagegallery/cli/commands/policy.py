"""``imagegallery policy``: what administrators govern at run time, for operators."""

import getpass
import json
from collections.abc import Sequence

import anyio
import attrs
import click

from imagegallery.administration.governor import Governor
from imagegallery.administration.policy_history import StandingPolicy
from imagegallery.backends import open_policy_history
from imagegallery.cli.commands.owners import json_option, parse_size
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit, say
from imagegallery.common.meta import JsonValue
from imagegallery.pagination import MAX_LIMIT
from imagegallery.policies.admin_policy import UNLIMITED, AdminPolicy, Rules
from imagegallery.policies.version import PolicyVersion
from imagegallery.settings import Settings

DEFAULT = "default"
_SIZES = frozenset(("max_size", "storage_limit"))
_LISTS = frozenset(("allowed_types",))
_WORDS = {"true": True, "false": False}
_FIELDS = tuple(each.name for each in attrs.fields(AdminPolicy) if each.init)

why_option = click.option("--why", required=True, help="Why, for whoever reads the history.")
by_option = click.option("--by", metavar="NAME", help="Who says so.  [default: the name you are signed in by]")


def parse_rules(assignments: Sequence[str]) -> Rules:
    """Read rules as they are written on a command line: ``max_size=20MB``, ``allowed_types=image/jpeg,image/png``,
    ``originals=strip_place``, ``guest_uploads=true``; ``default`` leaves one to the settings. What they mean is checked
    later. Raises `click.BadParameter`.
    """
    rules: dict[str, JsonValue] = {}
    for each in assignments:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.BadParameter(f"{each} says nothing: write RULE=VALUE.")
        if name in rules:
            raise click.BadParameter(f"{name} is given twice.")
        rules[name] = _parsed(name, value)
    return rules


def _parsed(name: str, value: str) -> JsonValue:
    if value == DEFAULT:
        return None
    if name in _SIZES and value != UNLIMITED:
        return parse_size(value)
    if name in _LISTS:
        return [each.strip() for each in value.split(",")]
    return _WORDS.get(value, value)


@click.group("policy")
def policy_group() -> None:
    """Show and change what administrators govern at run time."""


@policy_group.command("show")
@gallery_options
@json_option
def show_command(chosen: Chosen, as_json: bool) -> None:
    """Show what holds now, and what of it was said here rather than in the settings."""

    async def run(settings: Settings) -> None:
        async with open_policy_history(settings) as history:
            _emit(await history.current(), as_json=as_json)

    anyio.run(run, chosen.settings)


@policy_group.command("set")
@click.argument("rules", metavar="RULE=VALUE...", nargs=-1, required=True)
@why_option
@by_option
@gallery_options
@json_option
def set_command(rules: tuple[str, ...], why: str, by: str | None, chosen: Chosen, as_json: bool) -> None:
    """Change rules, in every process and from its next request on: max_size=20MB, storage_limit=unlimited,
    allowed_types=image/jpeg,image/png, visitor_rate=600/minute, originals=strip_place, default_visibility=private,
    guest_uploads=true, hotlinks=false. The value "default" leaves a rule to the settings.
    """
    wanted = parse_rules(rules)

    async def run(settings: Settings) -> None:
        async with open_policy_history(settings) as history:
            _emit(await history.change(_operator(by), wanted, why, None), as_json=as_json)

    anyio.run(run, chosen.settings)


@policy_group.command("history")
@click.option(
    "--limit", type=click.IntRange(1, MAX_LIMIT), default=20, show_default=True, help="How many, the last first."
)
@gallery_options
@json_option
def history_command(limit: int, chosen: Chosen, as_json: bool) -> None:
    """Show who changed what, when and why."""

    async def run(settings: Settings) -> None:
        async with open_policy_history(settings) as history:
            for version in (await history.versions(None, limit)).items:
                emit(_line(version), _version(version), as_json=as_json)

    anyio.run(run, chosen.settings)


@policy_group.command("restore")
@click.argument("number", type=click.IntRange(0, 2**53 - 1))
@why_option
@by_option
@gallery_options
@json_option
def restore_command(number: int, why: str, by: str | None, chosen: Chosen, as_json: bool) -> None:
    """Make the rules of version NUMBER hold again; 0 has none."""

    async def run(settings: Settings) -> None:
        async with open_policy_history(settings) as history:
            _emit(await history.restore(_operator(by), number, why, None), as_json=as_json)

    anyio.run(run, chosen.settings)


def _operator(name: str | None) -> Governor:
    return Governor.operator(name or getpass.getuser())


def _emit(standing: StandingPolicy, *, as_json: bool) -> None:
    version, policy = standing.version, standing.in_force
    in_force: dict[str, JsonValue] = {name: _plain(getattr(policy, name)) for name in _FIELDS}
    if as_json:
        emit("", {**_version(version), "in_force": in_force}, as_json=True)
        return
    say(_line(version))
    for name, value in in_force.items():
        say(f"  {name} = {_said(value)}{'' if name in version.rules else ', as the settings say'}")


def _line(version: PolicyVersion) -> str:
    if version.number == 0:
        return "version 0: nothing was said here, the settings hold"
    again = "" if version.restores is None else f", as in version {version.restores}"
    rules = ", ".join(f"{name}={_said(rule)}" for name, rule in version.rules.items()) or "no rules"
    when = f"{version.created_at:%Y-%m-%d %H:%M:%S %Z}"
    who = version.changed_by or "somebody who was erased"
    return f"version {version.number}, by {who}, {when}: {version.why} ({rules}{again})"


def _version(version: PolicyVersion) -> dict[str, object]:
    return {
        "version": version.number,
        "rules": dict(version.rules),
        "changed_by": version.changed_by,
        "why": version.why,
        "restores": version.restores,
        "created_at": version.created_at.isoformat(),
    }


def _plain(value: object) -> JsonValue:
    return [*value] if isinstance(value, tuple) else value  # type: ignore[return-value]


def _said(value: JsonValue) -> str:
    if value is None:
        return UNLIMITED
    return ",".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')
