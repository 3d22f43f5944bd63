"""A point that a kill left half removed is nothing that a training resumes from."""

import shutil

import pytest

from lema.training.points import discard, last_point, mark


def test_a_point_whose_removal_was_cut_short_is_not_resumed(tmp_path, monkeypatch):
    point = tmp_path / "checkpoint-23"
    point.mkdir()
    (point / "model.safetensors").write_bytes(b"weights")
    mark(point, "this", [1.5], 2.0)
    assert last_point(tmp_path, "this") == point

    def killed(path):
        (path / "model.safetensors").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        discard([point])
    monkeypatch.undo()
    assert point.exists() and last_point(tmp_path, "this") is None
