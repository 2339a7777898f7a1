"""The face analysis of the insightface package (2.1), on our engine.

A script that says ``from insightface.app import FaceAnalysis`` changes that one import::

    from facecv.entrypoints.compat.insightface import FaceAnalysis

    app = FaceAnalysis(name="buffalo_s")
    app.prepare(ctx_id=0, det_size=(640, 640))
    faces = app.get(image)  # BGR, as cv2.imread gives it

Boxes, scores, landmarks and embeddings are those of the package: pictures are padded to the same
squares, and looked at in the sizes that ``det_size`` names, nothing more. What differs:

* Model packs are taken from ``root/models/NAME`` or from our store. Nothing is downloaded on the
  way: ``facecv models pull NAME`` does that.
* Models load in `prepare`, or when they are first used.
* ``providers=["CUDAExecutionProvider"]`` without a GPU is an error, not a silent CPU. Listing
  ``CPUExecutionProvider`` after it, or no providers at all, allows the CPU.
* Landmarks of 68 and 106 points and add-ons are not there yet; asking for them is logged (modules)
  or an error (add-ons).
"""

from facecv.entrypoints.compat.insightface.face import Face
from facecv.entrypoints.compat.insightface.face_analysis import FaceAnalysis

__all__ = ["Face", "FaceAnalysis"]
