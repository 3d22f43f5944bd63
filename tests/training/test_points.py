"""A point that a kill left half removed is nothing that a training resumes from."""

import json
import shutil

import pytest

from lema.training.loop import WHOLE, discard, last_point


def test_a_point_whose_removal_was_cut_short_is_not_resumed(tmp_path, monkeypatch):
    point = tmp_path / "checkpoint-23"
    point.mkdir()
    (point / "model.safetensors").write_bytes(b"weights")
    (point / WHOLE).write_text(json.dumps({"call": "this", "losses": [1.5], "seconds": 2.0}))
    assert last_point(tmp_path, "this") == point

    def killed(path):
        (path / "model.safetensors").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        discard([point])
    monkeypatch.undo()
    assert point.exists() and last_point(tmp_path, "this") is None
