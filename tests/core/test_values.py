"""Values check what they are made of, and cannot be changed."""

import attrs
import numpy as np
import pytest

from facecv.core import errors
from facecv.core.arrays import as_landmarks, as_vector, check_pixels
from facecv.core.attributes import square_around
from facecv.core.embedding import Embedding, EmbeddingSpace, check_same_space, normalized
from facecv.core.errors import EmbeddingSpaceError, FaceCVError, InputError, ManifestError
from facecv.core.face import Detection, Face
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.core.image import Image, ImageLimits
from facecv.core.pack import ModelSpec, PackManifest

SPACE = EmbeddingSpace("mbf", 3, "ab" * 32, "arcface-112-rgb")
UNIT = np.array([0.6, 0.8, 0.0], dtype=np.float32)


class TestArrays:
    def test_a_callers_array_is_copied(self) -> None:
        """What a value holds does not change when the caller goes on writing."""
        vector = UNIT.copy()
        embedding = Embedding(vector, SPACE)
        vector[0] = 9
        assert embedding.vector[0] == pytest.approx(0.6)

    def test_a_view_of_a_callers_array_is_copied(self) -> None:
        whole = np.zeros((2, 3), dtype=np.float32)
        view = whole[0]
        view.flags.writeable = False
        kept = as_vector(view)
        whole[0, 0] = 9
        assert kept[0] == 0

    def test_a_frozen_array_is_shared(self) -> None:
        frozen = as_vector(UNIT)
        assert as_vector(frozen) is frozen

    def test_what_a_value_holds_is_read_only(self) -> None:
        detection = Detection(Box(0, 0, 1, 1), 0.5, ARCFACE_TEMPLATE.copy())
        for array in (Embedding(UNIT, SPACE).vector, detection.landmarks):
            assert array is not None
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0

    @pytest.mark.parametrize("shape", [(5,), (5, 3), (68, 2), (1, 5, 2)])
    def test_landmarks_are_five_points(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(InputError, match=r"\[5, 2\]"):
            as_landmarks(np.zeros(shape))

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((4, 4), np.uint8),
            np.zeros((4, 4, 4), np.uint8),
            np.zeros((0, 4, 3), np.uint8),
            np.zeros((4, 4, 3), np.float32),
            "picture",
        ],
    )
    def test_pictures_are_uint8_with_three_channels(self, array: object) -> None:
        with pytest.raises(InputError, match="a picture must"):
            check_pixels(array)  # type: ignore[arg-type]


class TestImage:
    def test_width_and_height(self) -> None:
        image = Image(np.zeros((3, 7, 3), np.uint8), "a.png")
        assert (image.width, image.height, image.source) == (7, 3, "a.png")

    @pytest.mark.parametrize("limits", [{"max_bytes": 0}, {"max_pixels": -1}])
    def test_limits_are_positive(self, limits: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="max_"):
            ImageLimits(**limits)


class TestFaces:
    def test_detections_compare_by_their_numbers(self) -> None:
        one, other = (Detection(Box(0, 0, 1, 1), 0.5, ARCFACE_TEMPLATE.copy()) for _ in range(2))
        assert one == other
        assert one != attrs.evolve(other, landmarks=ARCFACE_TEMPLATE + 1)
        assert len({one, other}) == 1

    def test_moving_takes_the_landmarks_along(self) -> None:
        moved = Detection(Box(0, 0, 1, 1), 0.5, ARCFACE_TEMPLATE).moved(3, -4)
        assert moved.box == Box(3, -4, 4, -3)
        assert moved.landmarks == pytest.approx(ARCFACE_TEMPLATE + np.array([3, -4]))
        assert Detection(Box(0, 0, 1, 1), 0.5).moved(1, 1).landmarks is None

    def test_a_face_shows_its_detection(self) -> None:
        detection = Detection(Box(0, 0, 1, 1), 0.5, ARCFACE_TEMPLATE)
        face = Face(detection)
        assert (face.box, face.score) == (detection.box, 0.5)
        assert face.landmarks is detection.landmarks

    def test_the_square_around_a_box(self) -> None:
        assert square_around(Box(10, 20, 30, 60), 1.5) == Box(-10, 10, 50, 70)


class TestEmbeddings:
    def test_cosine(self) -> None:
        one = Embedding(UNIT, SPACE)
        assert one.cosine(Embedding(-UNIT, SPACE)) == pytest.approx(-1)
        assert -1.0 <= one.cosine(one) <= 1.0

    @pytest.mark.parametrize(
        "other",
        [
            attrs.evolve(SPACE, model="r50"),
            attrs.evolve(SPACE, digest="cd" * 32),
            attrs.evolve(SPACE, preprocessing="arcface-112-bgr"),
        ],
        ids=["model", "weights", "preprocessing"],
    )
    def test_spaces_never_mix(self, other: EmbeddingSpace) -> None:
        """The error names both spaces."""
        with pytest.raises(EmbeddingSpaceError) as raised:
            Embedding(UNIT, SPACE).cosine(Embedding(UNIT, other))
        assert str(SPACE) in str(raised.value)
        assert str(other) in str(raised.value)
        assert raised.value.details["spaces"] == [str(SPACE), str(other)]
        check_same_space(SPACE, attrs.evolve(SPACE))

    @pytest.mark.parametrize(
        "vector", [[1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [np.nan, 0, 0], [np.inf, 0, 0]]
    )
    def test_vectors_fit_their_space(self, vector: list[float]) -> None:
        with pytest.raises(EmbeddingSpaceError):
            Embedding(np.array(vector, np.float32), SPACE)

    def test_a_vector_is_never_printed(self) -> None:
        """It is personal data."""
        assert "0.6" not in repr(Embedding(UNIT, SPACE))
        assert "0.6" not in repr(Face(Detection(Box(0, 0, 1, 1), 0.5), Embedding(UNIT, SPACE)))

    def test_normalising(self) -> None:
        vectors, norms = normalized(np.array([[3, 4, 0], [0, 0, 0]], dtype=np.float32))
        assert vectors == pytest.approx(np.array([UNIT, [0, 0, 0]]))
        assert norms.tolist() == [5, 0]
        assert vectors.dtype == norms.dtype == np.float32


class TestPacks:
    @pytest.mark.parametrize("path", ["", "/etc/passwd", "../x.onnx", "a/../../x", "C:x", "a\\b"])
    def test_files_stay_inside_their_pack(self, path: str) -> None:
        with pytest.raises(ManifestError, match="relative path"):
            ModelSpec("m", path, "detection", "scrfd")

    @pytest.mark.parametrize("digest", ["ab", "AB" * 32, "xy" * 32])
    def test_digests_are_64_hexadecimal_digits(self, digest: str) -> None:
        with pytest.raises(ManifestError, match="SHA-256"):
            ModelSpec("m", "m.onnx", "detection", "scrfd", digest)

    def test_models_have_different_names(self) -> None:
        spec = ModelSpec("m", "m.onnx", "detection", "scrfd")
        with pytest.raises(ManifestError, match="twice"):
            PackManifest("p", models=(spec, spec))

    def test_the_first_of_a_task_is_the_default(self) -> None:
        names = ("a", "b")
        specs = tuple(ModelSpec(n, f"{n}.onnx", "detection", "scrfd") for n in names)
        pack = PackManifest("p", models=specs)
        assert [spec.name for spec in pack.for_task("detection")] == ["a", "b"]
        assert pack.for_task("recognition") == ()
        with pytest.raises(errors.ModelNotFoundError, match="it has a, b"):
            pack.model("c")


class TestErrors:
    @staticmethod
    def _classes() -> list[type[FaceCVError]]:
        found = vars(errors).values()
        return [kind for kind in found if isinstance(kind, type) and issubclass(kind, FaceCVError)]

    def test_every_error_has_a_code_of_its_own(self) -> None:
        codes = [kind.code for kind in self._classes()]
        assert len(set(codes)) == len(codes)

    def test_every_error_belongs_to_a_family(self) -> None:
        """A family becomes an exit code or a status."""
        families = set(FaceCVError.__subclasses__())
        for kind in self._classes():
            assert kind is FaceCVError or families & set(kind.__mro__)

    def test_message_and_hint_are_shown_together(self) -> None:
        error = InputError("it is broken", hint="mend it", details={"part": 3})
        assert str(error) == "it is broken (mend it)"
        assert str(InputError("it is broken")) == "it is broken"
        assert (error.message, error.hint, error.details) == (
            "it is broken",
            "mend it",
            {"part": 3},
        )


@pytest.mark.parametrize(
    "value",
    [
        Box(0, 0, 1, 1),
        Detection(Box(0, 0, 1, 1), 0.5),
        Embedding(UNIT, SPACE),
        SPACE,
        Image(np.zeros((1, 1, 3), np.uint8)),
        ImageLimits(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_frozen(value: attrs.AttrsInstance) -> None:
    name = attrs.fields(type(value))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, name, None)
