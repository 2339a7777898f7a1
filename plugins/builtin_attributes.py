"""Our own attribute models, registered through the same hooks as anybody's."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from facecv.core.liveness import LivenessLimits
from facecv.plugins import BuildRequest, NoSettings, Provider, hookimpl

if TYPE_CHECKING:
    from facecv.core.pack import ModelSpec
    from facecv.core.ports.attribute_model import AttributeModel


def _genderage(request: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.genderage import GenderAge

    model = request.model_file()
    return GenderAge(request.load(pixels=model.spec.input), model)


def _columns(request: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.columns import ColumnAttributes

    model = request.model_file()
    return ColumnAttributes(request.load(pixels=model.spec.input), model)


def _genderage_v1(request: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.genderage_v1 import GenderAgeV1

    model = request.model_file()
    return GenderAgeV1(request.load(pixels=model.spec.input), model)


def _minifasnet(request: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.minifasnet import INPUT, MiniFASNet

    limits, model = request.settings_as(LivenessLimits), request.model_file()
    files = (model, *model.parts)
    return MiniFASNet([(request.load(file, pixels=INPUT), file) for file in files], limits)


def _fsanet(request: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.fsanet import INPUT, FSANet

    model = request.model_file()
    sessions = [request.load(file, pixels=INPUT) for file in (model, *model.parts)]
    return FSANet(sessions, model.spec.name)


def _landmarks_106(request: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.face_landmarks import Landmarks106

    model = request.model_file()
    return Landmarks106(request.load(pixels=model.spec.input), model)


def _landmarks_68(request: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.face_landmarks import Landmarks68

    model = request.model_file()
    return Landmarks68(request.load(pixels=model.spec.input), model)


def _landmark_pose(_: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.landmark_pose import LandmarkPose

    return LandmarkPose()


def _mask_colors(_: BuildRequest) -> "AttributeModel":
    from facecv.adapters.attributes.mask_colors import MaskColors

    return MaskColors()


def _columns_provide(model: "ModelSpec | None") -> frozenset[str]:
    from facecv.adapters.attributes.layout import read_layout

    return read_layout(model.name, model.settings).provides if model else frozenset()


def _always(*names: str) -> "Callable[[ModelSpec | None], frozenset[str]]":
    """Return what says that a model gives these attributes, whatever its network."""
    return lambda _: frozenset(names)


_AGE_GENDER = _always("age", "gender")


@hookimpl
def facecv_register_attribute_models() -> "Iterable[Provider[AttributeModel]]":
    """Return our attribute models."""
    networks = [
        ("genderage", _genderage, "InsightFace age and gender", _AGE_GENDER),
        ("genderage-v1", _genderage_v1, "an older network of that kind", _AGE_GENDER),
        ("minifasnet", _minifasnet, "liveness from one picture", _always("liveness")),
        ("fsanet", _fsanet, "FSA-Net: head pose", _always("pose")),
        ("landmarks-106", _landmarks_106, "InsightFace 2d106det", _always("landmarks_106")),
        ("landmarks-68", _landmarks_68, "InsightFace 1k3d68", _always("landmarks_68", "pose")),
        ("columns", _columns, "what the manifest says that columns mean", _columns_provide),
    ]
    fallbacks = [
        ("landmark-pose", _landmark_pose, "head pose from five landmarks", _always("pose")),
        ("mask-colors", _mask_colors, "mask by the colours of the face", _always("mask")),
    ]
    return [
        *(
            Provider(
                name,
                build,
                summary,
                LivenessLimits if name == "minifasnet" else NoSettings,
                needs_model=True,
                provides=gives,
            )
            for name, build, summary, gives in networks
        ),
        *(
            Provider(name, build, summary, provides=gives, fallback=True)
            for name, build, summary, gives in fallbacks
        ),
    ]
