"""A model that is no more what was trained is never asked or gone on from; one in the cache is grown anew."""

import shutil

import pytest

from lema.errors import DataError
from lema.records import Checkpoint, write_rows
from lema.runs.folder import content_of, read_record, write_record
from lema.runs.run import Stage
from lema.runs.weights import place_of
from lema.stages.grow import _keep, _row_of
from lema.stages.load import load
from tests import toys


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def empty(file):
    file.write_bytes(b"")


def gone(file):
    file.unlink()


DAMAGES = [(flip, "model.safetensors"), (flip, "tokenizer.json"), (empty, "config.json"),
           (gone, "model.safetensors"), (gone, "tokenizer_config.json")]


def row_of(model) -> Checkpoint:
    from lema.checkpoints import weights_hash

    return Checkpoint(name="m", steps=1, examples=1, tokens=1, all_tokens=1, loss=0.5, weights=weights_hash(model))


@pytest.mark.parametrize(("harm", "name"), DAMAGES)
def test_a_damaged_model_of_a_stage_names_the_folder_to_remove(tmp_path, harm, name):
    stage = Stage(tmp_path, "models/m", load, None)
    model = toys.model(stage.folder / "model")
    write_rows(stage.folder / "rows.jsonl", [row_of(model)])
    write_record(stage.folder, {"fingerprint": "x", "facts": {}, **content_of(stage.folder)})
    assert place_of(stage) == model
    harm(model / name)
    with pytest.raises(DataError, match=rf"model: damaged .*; remove the folder {stage.folder} and run") as error:
        place_of(stage)
    assert "\n" not in str(error.value)
    record = read_record(stage.folder)
    del record["model"]
    write_record(stage.folder, record)
    assert place_of(stage) == model, "of before models were looked at nobody knows"


@pytest.mark.parametrize(("harm", "name"), [*((harm, f"model/{name}") for harm, name in DAMAGES),
                                            (flip, "rows.jsonl"), (empty, "rows.jsonl"), (gone, "rows.jsonl"),
                                            (empty, "content")])
def test_a_damaged_model_in_the_cache_counts_as_not_there(tmp_path, harm, name):
    model, kept = toys.model(tmp_path / "grown"), tmp_path / "cache" / "x"
    row = row_of(model)
    _keep(model, row, kept)
    assert _row_of(kept) == row
    harm(kept / name)
    assert _row_of(kept) in (None, row if name == "rows.jsonl" and harm is flip else None)
    shutil.rmtree(kept)
    assert _row_of(kept) is None
