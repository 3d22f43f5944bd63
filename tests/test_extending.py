"""What docs/guide and docs/arms show of adding things is done here, block by block as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.processes import ended

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"(?:^(?: {4}.*)?\n)+", re.MULTILINE)
CONFIG = """
name = "mine"
task = { name = "mypkg.capitals" }
sample = { models = ["parrot"] }
[models.parrot]
backend = "mypkg.parrot"
says = "The answer is Paris."
[arms.right]
take = [{ kind = "cot", source = "sampled" }, { kind = "mypkg.answers" }]
"""


def shown(document: str, first: str) -> str:
    """The block of a document that begins with this comment, without its indent and the comment."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    for block in _BLOCK.findall(text):
        lines = textwrap.dedent(block).strip("\n").split("\n")
        starts = [number for number, line in enumerate(lines) if line.startswith(f"# {first}")]
        if starts:
            following = (number for number in range(starts[0] + 1, len(lines)) if _names_a_file(lines[number]))
            return "\n".join(lines[starts[0] + 1:next(following, None)]) + "\n"
    raise AssertionError(f"docs/{document} shows no {first}")


def _names_a_file(line: str) -> bool:
    return re.match(r"# (added to |the config|[\w/]+\.py)", line) is not None


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a package of the user's own, a copy of lema in src, and a config."""
    shutil.copytree(ROOT / "src/lema", tmp_path / "src/lema", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "mypkg").mkdir()
    (tmp_path / "mypkg/__init__.py").touch()
    for document, file in (("guide.md", "mypkg/capitals.py"), ("guide.md", "mypkg/parrot.py"),
                           ("arms.md", "mypkg/answers.py")):
        (tmp_path / file).write_text(shown(document, file))
    (tmp_path / "c.toml").write_text(CONFIG)
    return tmp_path


def lema(folder: Path, *words: str) -> subprocess.CompletedProcess:
    paths = f"{folder / 'src'}:{folder}"
    return ended([sys.executable, "-c", "from lema.cli import main; main()", *words], cwd=folder,
                 env=os.environ | {"PYTHONPATH": paths})


def test_a_task_a_backend_an_arm_and_a_kind_of_example_need_no_file_of_ours(own):
    done = lema(own, "run", "c.toml")
    assert done.returncode == 0, done.stderr
    rows = (own / "runs/mine/sets/right/rows.jsonl").read_text().splitlines()
    assert {json.loads(row)["completion"] for row in rows} == {"Step 1: The answer is Paris.", "Paris"}


def test_a_stage_is_one_file_and_its_call_and_a_command_one_file_and_its_arguments(own):
    for file in ("src/lema/stages/lengths.py", "src/lema/commands/lengths.py"):
        (own / file).write_text(shown("guide.md", file))
    importing, _, call = shown("guide.md", "added to src/lema/pipeline.py").partition("\n")
    pipeline = own / "src/lema/pipeline.py"
    before, graded, after = re.split(r"(\n    graded = run\.stage\(.*\n)", pipeline.read_text(), maxsplit=1)
    here = before.replace("from lema.stages.load import", f"{importing}\nfrom lema.stages.load import")
    pipeline.write_text(here + graded + "    " + call.strip() + "\n" + after)
    with (own / "src/lema/cli.py").open("a") as file:
        file.write("\n\n" + shown("guide.md", "added to src/lema/cli.py"))
    assert lema(own, "run", "c.toml").returncode == 0
    assert lema(own, "lengths", "mine").stdout == "parrot: 1 wrong paths, 4.0 words each\n"
    (length,) = json.loads(lema(own, "lengths", "mine", "--json").stdout)
    assert length == json.loads((own / "runs/mine/lengths/rows.jsonl").read_text())
    assert "done     lengths" in lema(own, "plan", "c.toml").stdout
    assert lema(own, "lengths", "nothing").returncode == 2
    assert "lengths" in lema(own, "--help").stdout
