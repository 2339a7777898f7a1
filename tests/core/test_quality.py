"""What makes a face usable, on pictures made for the purpose."""

import itertools
from collections.abc import Callable, Iterable

import attrs
import cv2
import numpy as np
import pytest

from facecv.core.arrays import Floats, Pixels, check_pixels
from facecv.core.attributes import AttributeValue, HeadPose
from facecv.core.geometry import ARCFACE_TEMPLATE
from facecv.core.quality import GATES, GateName, Quality, measure_quality

FINE = Quality(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def _crop() -> Pixels:
    """Return something with the light of a face: bright, with dark eyes and mouth, and detail."""
    crop = np.full((112, 112, 3), 150, dtype=np.uint8)
    for x, y in ARCFACE_TEMPLATE[:2].round().astype(int).tolist():
        cv2.ellipse(crop, (x, y), (11, 5), 0, 0, 360, (40, 50, 60), cv2.FILLED)
    cv2.ellipse(crop, (56, 92), (16, 5), 0, 0, 360, (60, 60, 120), cv2.FILLED)
    crop[:, :56] -= 20
    grain = np.random.default_rng(0).normal(0, 6, crop.shape[:2])
    return np.clip(crop + grain[..., None], 0, 255).astype(np.uint8)


def _landmarks(
    *, scale: float = 1.0, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0
) -> Floats:
    """Return five points of a head, turned by degrees and seen from far away."""
    head = np.array([[-32, 0, 0], [32, 0, 0], [0, 34, -26], [-25, 68, -4], [25, 68, -4]], float)
    yaw, pitch, roll = np.radians([yaw, pitch, roll])
    head = head @ _turn(yaw, 0, 2) @ _turn(pitch, 1, 2) @ _turn(roll, 0, 1)
    return (head[:, :2] * scale + 100).astype(np.float32)


def _turn(angle: float, one: int, other: int) -> Floats:
    matrix = np.eye(3)
    matrix[[one, other], [one, other]] = np.cos(angle)
    matrix[one, other], matrix[other, one] = np.sin(angle), -np.sin(angle)
    return matrix.astype(np.float32)


def _falls(values: Iterable[float]) -> bool:
    """Return whether values never rise, and fall from fine to useless over all."""
    values = list(values)
    steps = all(after <= before + 1e-6 for before, after in itertools.pairwise(values))
    return steps and values[0] > 0.8 and values[-1] < 0.1


def _blurred(sigma: float) -> Callable[[Pixels], object]:
    return lambda crop: cv2.GaussianBlur(crop, (0, 0), sigma)


def _lit(factor: float, shift: float = 0.0) -> Callable[[Pixels], object]:
    return lambda crop: crop * factor + shift


def _measured(change: Callable[[Pixels], object]) -> Quality:
    crop = np.clip(np.asarray(change(_crop())), 0, 255).astype(np.uint8)
    return measure_quality(check_pixels(crop), _landmarks())


class TestParts:
    def test_a_good_face_is_good(self) -> None:
        quality = measure_quality(_crop(), _landmarks())
        assert quality.score > 0.9
        assert quality.failed("strict") == ()

    def test_sharpness_falls_with_blur(self) -> None:
        blurs = (0.01, 0.6, 0.8, 1, 1.5, 2, 3, 4, 6)
        assert _falls(_measured(_blurred(sigma)).sharpness for sigma in blurs)

    def test_sharpness_does_not_fall_with_light(self) -> None:
        """A dark face is dark, not blurred."""
        assert _measured(_lit(0.5)).sharpness == pytest.approx(1.0)

    def test_rounding_is_not_taken_for_detail(self) -> None:
        """What is left of a blurred face in fog are steps between whole greys."""
        quality = _measured(lambda crop: cv2.GaussianBlur(crop, (0, 0), 6) * 0.3 + 90)
        assert quality.sharpness == 0.0

    def test_the_edge_of_the_photo_is_not_taken_for_detail(self) -> None:
        """Crops of faces at the edge of a photo are black outside of it."""

        def cut(crop: Pixels) -> object:
            blurred = np.array(cv2.GaussianBlur(crop, (0, 0), 6))
            blurred[:30], blurred[:, :16] = 0, 0
            return blurred

        assert _measured(cut).sharpness == 0.0

    def test_brightness_falls_with_darkness_and_with_glare(self) -> None:
        factors = (1, 0.8, 0.5, 0.3, 0.2, 0.1, 0)
        assert _falls(_measured(_lit(factor)).brightness for factor in factors)
        shifts = (0, 30, 60, 90, 120, 160)
        assert _falls(_measured(_lit(1.0, shift)).brightness for shift in shifts)

    def test_contrast_falls_in_fog(self) -> None:
        factors = (1, 0.7, 0.4, 0.3, 0.2, 0.1)
        assert _falls(_measured(_lit(f, 128 * (1 - f))).contrast for f in factors)

    @pytest.mark.parametrize("sign", [-1, 1])
    def test_pose_falls_with_yaw(self, sign: int) -> None:
        angles = range(0, 85, 5)
        poses = [measure_quality(_crop(), _landmarks(yaw=sign * angle)).pose for angle in angles]
        assert _falls(poses)

    @pytest.mark.parametrize("sign", [-1, 1])
    def test_pose_falls_with_pitch(self, sign: int) -> None:
        angles = range(0, 75, 5)
        poses = [measure_quality(_crop(), _landmarks(pitch=sign * angle)).pose for angle in angles]
        assert poses[0] > 0.9
        assert poses[-1] < 0.3

    @pytest.mark.parametrize("roll", [-90, -30, 30, 180])
    def test_roll_does_not_count(self, roll: float) -> None:
        """Alignment undoes it."""
        upright = measure_quality(_crop(), _landmarks(yaw=25)).pose
        turned = measure_quality(_crop(), _landmarks(yaw=25, roll=roll)).pose
        assert turned == pytest.approx(upright, abs=1e-3)

    def test_size_falls_with_distance(self) -> None:
        scales = (2, 1, 0.5, 0.4, 0.3, 0.2, 0.1)
        assert _falls(measure_quality(_crop(), _landmarks(scale=scale)).size for scale in scales)

    def test_visibility_falls_when_something_covers_the_face(self) -> None:
        def mask(crop: Pixels) -> Pixels:
            crop[66:] = 220
            return crop

        def hand(crop: Pixels) -> Pixels:
            crop[:, 56:] = np.random.default_rng(1).integers(0, 256, (112, 56, 3))
            return crop

        assert _measured(mask).visibility < 0.3
        assert _measured(hand).visibility < 0.7

    def test_no_input_gives_anything_but_0_to_1(self) -> None:
        random = np.random.default_rng(2)
        for shade in (0, 255):
            flat = np.full((112, 112, 3), shade, dtype=np.uint8)
            parts = measure_quality(flat, np.zeros((5, 2), np.float32))
            assert parts.score == 0.0
        for _ in range(50):
            noise = random.integers(0, 256, (112, 112, 3), dtype=np.uint8)
            quality = measure_quality(noise, random.normal(0, 50, (5, 2)).astype(np.float32))
            parts_found = [getattr(quality, name) for name in GATES["strict"]]
            assert all(0.0 <= part <= 1.0 for part in [*parts_found, quality.score])


class TestGiven:
    """What models say can lower a part, and never raise one."""

    @staticmethod
    def _given(pose: HeadPose | None = None, masked: float | None = None) -> Quality:
        said = {}
        if pose:
            said["pose"] = AttributeValue(pose)
        if masked is not None:
            shares = {"mask": masked, "no_mask": 1 - masked}
            said["mask"] = AttributeValue(max(shares, key=lambda name: shares[name]), 0.9, shares)
        return FINE.given(said)

    @pytest.mark.parametrize("axis", ["yaw", "pitch"])
    @pytest.mark.parametrize("sign", [-1, 1])
    def test_pose_falls_with_the_angles(self, axis: str, sign: int) -> None:
        poses = [
            self._given(attrs.evolve(HeadPose(0, 0, 0), **{axis: sign * angle})).pose
            for angle in range(0, 60, 5)
        ]
        assert _falls(poses)

    def test_roll_does_not_count(self) -> None:
        assert self._given(HeadPose(0, 0, 80)) == FINE

    def test_a_mask_hides_the_face(self) -> None:
        seen = [self._given(masked=share).visibility for share in (0, 0.5, 1)]
        assert seen == pytest.approx([1.0, 0.6, 0.2])
        masked = self._given(masked=1.0)
        assert masked.failed("strict") == ("visibility",)
        assert masked.failed("standard") == ()

    def test_a_mask_that_is_a_word_counts_too(self) -> None:
        assert FINE.given({"mask": AttributeValue("mask")}).visibility < 0.3
        assert FINE.given({"mask": AttributeValue("no_mask")}) == FINE

    def test_nothing_is_raised(self) -> None:
        poor = Quality(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
        assert poor.given({"pose": AttributeValue(HeadPose(0, 0, 0))}) == poor
        assert poor.given({"mask": AttributeValue("no_mask")}) == poor

    def test_other_attributes_do_not_count(self) -> None:
        assert FINE.given({"age": AttributeValue(3.0)}) == FINE


class TestScore:
    def test_a_fine_face_scores_1(self) -> None:
        assert FINE.score == pytest.approx(1.0)

    def test_one_useless_part_makes_the_whole_useless(self) -> None:
        assert Quality(1.0, 1.0, 1.0, 0.0, 1.0, 1.0).score == 0.0

    def test_the_weakest_part_weighs_most(self) -> None:
        one_weak = Quality(0.2, 1.0, 1.0, 1.0, 1.0, 1.0)
        all_fair = Quality(0.765, 0.765, 0.765, 0.765, 0.765, 0.765)
        assert one_weak.score < all_fair.score


class TestGates:
    @pytest.mark.parametrize("gate", ["standard", "strict"])
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (_blurred(4), "sharpness"),
            (_lit(0), "brightness"),
            (_lit(0.1, 115), "contrast"),
        ],
        ids=["blurred", "black", "fog"],
    )
    def test_bad_pictures_are_refused(
        self, change: Callable[[Pixels], object], reason: str, gate: GateName
    ) -> None:
        """The parts that failed are named."""
        assert reason in _measured(change).failed(gate)

    @pytest.mark.parametrize("gate", ["standard", "strict"])
    def test_a_face_of_12_pixels_is_refused(self, gate: GateName) -> None:
        """Its eyes are some 5 pixels apart."""
        quality = measure_quality(_crop(), _landmarks(scale=5 / 64))
        assert quality.failed(gate) == ("size",)

    def test_a_profile_is_refused(self) -> None:
        assert "pose" in measure_quality(_crop(), _landmarks(yaw=70)).failed("standard")

    def test_strict_refuses_what_standard_lets_pass(self) -> None:
        quality = _measured(_blurred(2.0))
        assert quality.failed("standard") == ()
        assert quality.failed("strict") == ("sharpness",)

    def test_off_lets_everything_pass(self) -> None:
        assert Quality(0.0, 0.0, 0.0, 0.0, 0.0, 0.0).failed("off") == ()
