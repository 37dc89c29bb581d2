"""Where policies come from: settings before code, hooks of both."""

import pytest

from imagegallery.errors import ConfigurationError, Conflict, InvalidInput, Refused
from imagegallery.policies.policy import Policy
from imagegallery.policies.registry import NO_POLICY, Policies


def test_settings_stand_before_code_and_the_gallerys_own_beside_its_definitions() -> None:
    defined = Policies()
    defined.define("avatar", Policy(max_size=1))
    defined.define("item", Policy(max_size=2))
    gallery = defined.of_gallery({"avatar": Policy(max_size=3)})
    gallery.define("banner", Policy(max_size=4))
    defined.define("late", Policy(max_size=5))

    assert {name: gallery.get(name).max_size for name in gallery.names} == {
        "avatar": 3,
        "banner": 4,
        "item": 2,
        "late": 5,
    }
    assert "banner" not in defined.names


def test_a_name_is_defined_once() -> None:
    policies = Policies()
    policies.define("avatar", Policy())
    with pytest.raises(ValueError, match="already"):
        policies.define("avatar", Policy())
    with pytest.raises(ConfigurationError):
        policies.define("Avatar", Policy())
    with pytest.raises(ConfigurationError):
        policies.add_hook("Avatar", print)


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    policies = Policies({"avatar": Policy(), "item": Policy()})
    policies.check_known(None)
    policies.check_known("item")
    with pytest.raises(InvalidInput, match=r"policy must be one of avatar, item\.") as refused:
        policies.check_known("itme")
    assert [fault.path for fault in refused.value.faults] == [("body", "policy")]
    with pytest.raises(InvalidInput, match="there is none"):
        Policies().check_known("item")
    with pytest.raises(Conflict, match="no policy itme"):
        policies.get("itme")
    assert policies.get(None) is NO_POLICY


async def test_every_hook_is_asked_those_of_the_definition_first() -> None:
    asked: list[str] = []
    defined = Policies()
    gallery = defined.of_gallery({})
    gallery.add_hook("item", lambda each: asked.append(f"gallery {each}"))
    defined.add_hook("item", lambda each: asked.append(f"definition {each}"))

    await gallery.accept("item", "tram")

    assert asked == ["definition tram", "gallery tram"]
    assert gallery.has_hooks("item")
    assert gallery.get("item") is NO_POLICY


async def test_the_first_refusal_ends_it() -> None:
    policies = Policies()

    async def refuse(_: object) -> None:
        raise Refused("No.")

    policies.add_hook("item", refuse)
    policies.add_hook("item", lambda _: pytest.fail("was asked"))
    with pytest.raises(Refused, match=r"No\."):
        await policies.accept("item", None)


def test_presets_are_those_that_there_are() -> None:
    policies = Policies({"avatar": Policy(presets=("thumbnail", "tiny"))})
    policies.check_presets(["thumbnail", "tiny", "large"])
    with pytest.raises(ConfigurationError, match=r"The policy avatar has a preset tiny; there are large, thumbnail\."):
        policies.check_presets(["thumbnail", "large"])


@pytest.mark.parametrize(
    ("policy", "made_under", "fault"),
    [
        (Policy(), None, None),
        (Policy(types=("image/png",)), None, "is image/jpeg, which the policy item does not take"),
        (Policy(max_size=10), None, "is larger than 10 bytes"),
        (Policy(min_width=41), None, "does not keep the policy item: The picture has 40 x 30 pixels"),
        (Policy(min_width=41), "item", None),
        (Policy(min_width=41), "other", "does not keep"),
    ],
)
def test_an_image_of_the_library_fits_if_it_keeps_the_limits_or_was_uploaded_under_them(
    policy: Policy, made_under: str | None, fault: str | None
) -> None:
    found = Policies({"item": policy}).fault_of(
        "item", made_under=made_under, content_type="image/jpeg", size=11, width=40, height=30
    )
    assert found == fault if fault is None else found is not None and found.startswith(fault)


def test_what_the_application_was_not_asked_about_does_not_fit() -> None:
    policies = Policies()
    policies.add_hook("item", print)
    seen = {"content_type": "image/jpeg", "size": 1, "width": 1, "height": 1}
    assert policies.fault_of("item", made_under="item", **seen) is None  # type: ignore[arg-type]
    assert policies.fault_of("item", made_under=None, **seen) == "was not uploaded under the policy item"  # type: ignore[arg-type]
