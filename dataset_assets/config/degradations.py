"""Settings of degraded LR stacks: the steps that make them from the clean ones, and their ranges.

Belongs here: what a step may be. Not here: drawing values and pixels (the package `degradation`), and where
the steps stand in a configuration (models.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator

from dataset_assets.config.fields import Ratio, Strict, mistake

CodecName: TypeAlias = Literal["h264", "hevc", "vp9", "av1", "mpeg2"]

# Of a range both ends count; a fixed value is a range from it to itself.
_PAIR: Final = {"minItems": 2, "maxItems": 2}


def _ascending(ends: list[Any]) -> list[Any]:
    if len(ends) != 2 or ends[0] > ends[1]:
        raise mistake(f"{ends} is no range; use the least value and then the largest")
    return ends


def _named_once(kinds: list[Any]) -> list[Any]:
    if not kinds or len(set(kinds)) < len(kinds):
        raise mistake("names no kind, or one twice; name each kind that is wanted once")
    return kinds


def _named(*names: str) -> list[JsonValue]:
    """Return a schema for each name, which fits where it is written and not null."""
    return [{"required": [name], "properties": {name: {"type": "object"}}} for name in names]


_Range = AfterValidator(_ascending)
_Kinds = AfterValidator(_named_once)
_PAIR_FIELD: Final = Field(json_schema_extra={**_PAIR})
_SOME: Final = Field(json_schema_extra={"minItems": 1, "uniqueItems": True})

Sigmas = Annotated[list[Annotated[float, Field(ge=0.2, le=5)]], _PAIR_FIELD, _Range]
Factors = Annotated[list[Annotated[float, Field(ge=0.25, le=1)]], _PAIR_FIELD, _Range]
Levels = Annotated[list[Annotated[float, Field(ge=0, le=50)]], _PAIR_FIELD, _Range]
Crf51 = Annotated[list[Annotated[int, Field(ge=0, le=51)]], _PAIR_FIELD, _Range]
Crf63 = Annotated[list[Annotated[int, Field(ge=0, le=63)]], _PAIR_FIELD, _Range]
Quantizers = Annotated[list[Annotated[int, Field(ge=1, le=31)]], _PAIR_FIELD, _Range]
Weight = Annotated[float, Field(gt=0, le=1000)]


class BlurStep(Strict):
    """Blur by a Gaussian, the same for all frames of a window."""

    p: Ratio = Field(default=0.5, description="Share of the windows that are blurred, 0 to 1.")
    sigma: Sigmas = Field(
        default=[0.4, 1.2], description="Standard deviation in LR pixels, 0.2 to 5: from, to."
    )
    kinds: Annotated[list[Literal["iso", "aniso"]], _SOME, _Kinds] = Field(
        default=["iso", "aniso"],
        description="`iso`, the same in all directions, or `aniso`, another sigma along a drawn direction.",
    )


class ResizeStep(Strict):
    """Scale down, and up again to the size before: LR stays on its grid."""

    p: Ratio = Field(default=0.3, description="Share of the windows that are scaled, 0 to 1.")
    factor: Factors = Field(
        default=[0.5, 1.0], description="Size in between, as a share of that of LR, 0.25 to 1: from, to."
    )
    kinds: Annotated[list[Literal["area", "bilinear", "bicubic"]], _SOME, _Kinds] = Field(
        default=["area", "bilinear", "bicubic"],
        description="Filters, of which one is drawn for each direction; `area` is `bilinear` upwards.",
    )


class NoiseStep(Strict):
    """Noise, of its own in each frame."""

    p: Ratio = Field(default=0.5, description="Share of the windows that get noise, 0 to 1.")
    sigma: Levels = Field(
        default=[1.0, 8.0],
        description="Standard deviation in levels of 255, of `poisson` that at white, 0 to 50: from, to.",
    )
    kinds: Annotated[list[Literal["gauss", "poisson"]], _SOME, _Kinds] = Field(
        default=["gauss", "poisson"],
        description="`gauss`, equal everywhere, or `poisson`, which grows with the square root of light.",
    )
    grey: Ratio = Field(default=0.4, description="Share of the noise that is the same in all channels.")


class ChromaStep(Strict):
    """Colour at a lower resolution than light."""

    p: Ratio = Field(default=0.3, description="Share of the windows that lose colour detail, 0 to 1.")
    kinds: Annotated[list[Literal[422, 420, 411]], _SOME, _Kinds] = Field(
        default=[422, 420, 411],
        description="Colour of half the width, half of both sides, or a quarter of the width. Codecs take "
        "half of both sides afterwards in any case.",
    )


class AvcCodec(Strict):
    """H.264 (x264) or HEVC (x265)."""

    weight: Weight = Field(default=1.0, description="How often it is drawn, beside the weights of others.")
    crf: Crf51 = Field(default=[18, 33], description="Constant rate factor, 0 to 51: from, to.")


class WebCodec(Strict):
    """VP9 (libvpx) or AV1 (SVT-AV1)."""

    weight: Weight = Field(default=1.0, description="How often it is drawn, beside the weights of others.")
    crf: Crf63 = Field(default=[25, 45], description="Constant rate factor, 0 to 63: from, to.")


class Mpeg2Codec(Strict):
    """MPEG-2."""

    weight: Weight = Field(default=1.0, description="How often it is drawn, beside the weights of others.")
    quantizer: Quantizers = Field(default=[2, 12], description="Quantizer, 1 to 31: from, to.")


class CodecStep(Strict):
    """The whole window through one video encoder, of those that are named one drawn by its weight."""

    model_config = ConfigDict(json_schema_extra={"anyOf": _named("h264", "hevc", "vp9", "av1", "mpeg2")})

    p: Ratio = Field(default=1.0, description="Share of the windows that are coded, 0 to 1.")
    h264: AvcCodec | None = Field(default=None, description="H.264 by x264: weight and crf.")
    hevc: AvcCodec | None = Field(default=None, description="HEVC by x265: weight and crf.")
    vp9: WebCodec | None = Field(default=None, description="VP9 by libvpx: weight and crf.")
    av1: WebCodec | None = Field(default=None, description="AV1 by SVT-AV1: weight and crf.")
    mpeg2: Mpeg2Codec | None = Field(default=None, description="MPEG-2: weight and quantizer.")

    @model_validator(mode="after")
    def _names_a_codec(self) -> CodecStep:
        if not self.choices:
            raise mistake("names no codec; name one or more, such as {h264: {crf: [18, 33]}}")
        return self

    @property
    def choices(self) -> dict[CodecName, AvcCodec | WebCodec | Mpeg2Codec]:
        """The codecs that are named, in a fixed order."""
        found = {"h264": self.h264, "hevc": self.hevc, "vp9": self.vp9, "av1": self.av1, "mpeg2": self.mpeg2}
        return {name: each for name, each in found.items() if each is not None}  # type: ignore[misc]


StepKind: TypeAlias = BlurStep | ResizeStep | NoiseStep | ChromaStep | CodecStep


class DegradationStep(Strict):
    """One step: a mapping with one key, its kind."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": _named("blur", "resize", "noise", "chroma", "codec")}
    )

    blur: BlurStep | None = Field(default=None, description="Blur by a Gaussian.")
    resize: ResizeStep | None = Field(default=None, description="Scale down and up again.")
    noise: NoiseStep | None = Field(default=None, description="Add noise.")
    chroma: ChromaStep | None = Field(default=None, description="Take resolution from the colour.")
    codec: CodecStep | None = Field(default=None, description="Code by a video encoder; the last step.")

    @model_validator(mode="after")
    def _is_one(self) -> DegradationStep:
        if len(self._given) != 1:
            raise mistake("is not one step; write one key an entry: blur, resize, noise, chroma or codec")
        return self

    @property
    def _given(self) -> list[StepKind]:
        every = (self.blur, self.resize, self.noise, self.chroma, self.codec)
        return [each for each in every if each is not None]

    @property
    def kind(self) -> StepKind:
        """The step."""
        return self._given[0]


def _coded_last(steps: list[DegradationStep]) -> list[DegradationStep]:
    if any(step.codec is not None for step in steps[:-1]):
        raise mistake("codes before the last step; keep one codec step, and make it the last")
    return steps


Degradations = Annotated[list[DegradationStep], AfterValidator(_coded_last)]
