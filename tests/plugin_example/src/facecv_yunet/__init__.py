"""YuNet for FaceCV: a provider of detectors, and the pack of its weights."""

from collections.abc import Iterable

from facecv.core.pack import InputSpec, ModelSpec, PackManifest
from facecv.core.ports.detector import Detector
from facecv.plugins import BuildRequest, Provider, hookimpl

PACK = PackManifest(
    name="yunet",
    summary="YuNet: a small and fast face detector, free for any use",
    licence="MIT",
    licence_url="https://github.com/opencv/opencv_zoo/blob/main/models/face_detection_yunet/LICENSE",
    homepage="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
    models=(
        ModelSpec(
            name="face_detection_yunet_2023mar",
            file="face_detection_yunet_2023mar.onnx",
            task="detection",
            provider="yunet",
            sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            size=232589,
            url="https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
            "face_detection_yunet/face_detection_yunet_2023mar.onnx",
            input=InputSpec(size=(640, 640), color="bgr", mean=0.0, std=1.0),
        ),
    ),
)


def build(request: BuildRequest) -> Detector:
    """Return the detector with its network loaded on the backend of the configuration."""
    from facecv_yunet.detector import YuNet  # OpenCV is loaded only if it is used

    return YuNet(request.load())


@hookimpl
def facecv_register_detectors() -> Iterable[Provider[Detector]]:
    """Return YuNet, called ``yunet`` in the configuration."""
    return [Provider("yunet", build, "YuNet: small and fast, MIT licence", needs_model=True)]


@hookimpl
def facecv_register_packs() -> Iterable[PackManifest]:
    """Return the pack that says where YuNet's weights are."""
    return [PACK]
