"""What a job must make for an image, and which objects become superfluous. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import inf

from attrs import field, frozen

from imagegallery.analyses.analysis import Analysis, FileNotes, missing_analyses
from imagegallery.images.image.image import Image, Variant
from imagegallery.imaging.protocol import RenderedFile
from imagegallery.policies.registry import Policies
from imagegallery.storage.keys import variant_key
from imagegallery.variants.plan import PlannedVariant, Stage, of_stage, plan
from imagegallery.variants.preset import Preset


@frozen
class Work:
    """An image, all the variants it should have, and what is to be made of it now: those of one stage that it does not
    have yet, and ``analyses`` that it lacks and that are made in the same pass; others are for jobs of their own."""

    image: Image
    planned: tuple[PlannedVariant, ...]
    missing: tuple[PlannedVariant, ...]
    analyses: tuple[Analysis, ...] = ()
    costly_analyses: tuple[Analysis, ...] = ()

    def left_out(self, made: Sequence[Variant]) -> tuple[PlannedVariant, ...]:
        """The planned variants that are no smaller than a rival, given existing ones and ``made``."""
        sizes = {each.fingerprint: each.file_size for each in (*self.image.variants, *made)}
        return no_smaller(self.planned, sizes)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to make."""
        return not self.missing and not self.analyses

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all that is to be made."""
        variants = (each.name for each in self.missing)
        return (*variants, *(each.name for each in (*self.analyses, *self.costly_analyses)))

    @property
    def needs_pixels(self) -> bool:
        """Whether the file must be decoded, not only its header read."""
        return bool(self.missing) or not all(isinstance(each.needs, FileNotes) for each in self.analyses)

    @property
    def missing_keys(self) -> tuple[str, ...]:
        """The keys of missing variants; a failed attempt may have stored some of them."""
        return tuple(_key(self.image, planned) for planned in self.missing)

    def frames_kept(self, files: Sequence[RenderedFile]) -> int:
        """The frames of the animation in the ``files`` that were to be animated; all, if none was."""
        moving = {each.rendition.name for each in self.missing if each.rendition.animated}
        return min((file.frames for file in files if file.name in moving), default=self.image.frames)

    def variant(self, file: RenderedFile) -> Variant:
        """The variant that a rendered file is."""
        planned = next(each for each in self.missing if each.rendition.name == file.name)
        return Variant(
            variant_type=planned.variant_type,
            format=planned.format,
            key=_key(self.image, planned),
            width=file.width,
            height=file.height,
            file_size=file.size,
            fingerprint=planned.fingerprint,
            frames=file.frames,
        )


@frozen
class Recipes:
    """What every image should have: variants by these presets, or those of its policy, and these analyses."""

    presets: tuple[Preset, ...]
    analyses: tuple[Analysis, ...]
    policies: Policies = field(factory=Policies)

    def planned(self, image: Image) -> tuple[PlannedVariant, ...]:
        """None while it is not known what the image's file holds."""
        if image.sha256 is None:
            return ()
        policy = self.policies.find(image.policy)
        wanted = {each.name for each in self.presets} if policy is None or not policy.presets else policy.presets
        presets = tuple(each for each in self.presets if each.name in wanted)
        return plan(image.width, image.height, image.frames, image.sha256, presets)


def work_for(image: Image, recorded: Mapping[str, int], stage: Stage | None, recipes: Recipes) -> Work:
    """What ``stage``, or all of them, have to do for ``image`` as it stands; ``recorded``: the versions of the analyses
    that it has.

    Variants of equal fingerprints are not made again.
    """
    planned = recipes.planned(image)
    asked_for = planned if stage is None else of_stage(planned, stage)
    analyses = () if stage is Stage.LATER else missing_analyses(recipes.analyses, recorded)
    return _work(image, planned, missing(image, asked_for), analyses)


def work_on(image: Image, recorded: Mapping[str, int], names: Collection[str], recipes: Recipes) -> Work:
    """What has to be done for ``image`` as it stands so that its variants and analyses of these names are as they
    should be today."""
    planned = recipes.planned(image)
    variants = tuple(each for each in missing(image, planned) if each.name in names)
    analyses = missing_analyses((each for each in recipes.analyses if each.name in names), recorded)
    return _work(image, planned, variants, analyses)


def _work(
    image: Image,
    planned: tuple[PlannedVariant, ...],
    missing: tuple[PlannedVariant, ...],
    analyses: tuple[Analysis, ...],
) -> Work:
    costly = tuple(each for each in analyses if each.is_costly)
    return Work(image, planned, missing, tuple(each for each in analyses if each not in costly), costly)


def missing(image: Image, planned: Iterable[PlannedVariant]) -> tuple[PlannedVariant, ...]:
    """The variants that the image lacks, or has by another recipe, except for those known to be left out."""
    there = {(variant.variant_type, variant.format): variant.fingerprint for variant in image.variants}
    return tuple(
        each
        for each in planned
        if there.get((each.variant_type, each.format)) != each.fingerprint and each.verdict not in image.left_out
    )


def no_smaller(planned: Iterable[PlannedVariant], sizes: Mapping[str, int]) -> tuple[PlannedVariant, ...]:
    """The ``planned`` variants that are no smaller than one of their rivals; ``sizes`` are in bytes, by fingerprint."""
    return tuple(
        each
        for each in planned
        if each.fingerprint in sizes and any(sizes.get(rival, inf) <= sizes[each.fingerprint] for rival in each.rivals)
    )


def verdicts(image: Image, planned: Iterable[PlannedVariant], left_out: Iterable[PlannedVariant]) -> frozenset[str]:
    """The record of variants that are left out, including ``left_out``, for current recipes only."""
    still_true = {each.verdict for each in planned} & image.left_out
    return frozenset(still_true | {each.verdict for each in left_out})


def dropped(image: Image, left_out: Iterable[PlannedVariant]) -> tuple[Variant, ...]:
    """The image's variants that should not be there."""
    names = {(each.variant_type, each.format) for each in left_out}
    return tuple(old for old in image.variants if (old.variant_type, old.format) in names)


def superseded(image: Image, made: Sequence[Variant]) -> tuple[Variant, ...]:
    """The image's variants whose rows ``made`` takes over, and whose objects are superfluous."""
    keys = {(variant.variant_type, variant.format): variant.key for variant in made}
    return tuple(old for old in image.variants if keys.get((old.variant_type, old.format), old.key) != old.key)


def obsolete(image: Image, planned: Iterable[PlannedVariant]) -> tuple[Variant, ...]:
    """The image's variants that no preset has any more."""
    asked_for = {(each.variant_type, each.format) for each in planned}
    return tuple(old for old in image.variants if (old.variant_type, old.format) not in asked_for)


def _key(image: Image, planned: PlannedVariant) -> str:
    return variant_key(image.key_prefix, planned.variant_type, planned.fingerprint, planned.format)
