"""The house stays a house: who may import whom, what loads at once, and how big a room may grow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src" / "lema"
HEAVY = ("torch", "transformers", "trl", "peft", "datasets", "openai", "sympy", "math_verify", "numpy")

LAYERS = (  # a room may import from its own row and from the rows above it
    {"errors", "statistics", "figures", "printable"},
    {"plugins", "records", "decontamination"},
    {"messages", "replies", "scratch", "checkpoints"},
    {"prompting", "journal", "grading"},
    {"examples", "tasks"},
    {"config", "models"},
    {"checks", "training", "adaptive_sampling", "runs"},
    {"report"},
    {"stages"},
    {"pipeline"},
    {"commands"},
    {"cli"},
)


def _room(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lema."):
            found.add(node.module.removeprefix("lema."))
        if isinstance(node, ast.Import):
            found |= {a.name.removeprefix("lema.") for a in node.names if a.name.startswith("lema.")}
    return found


def _files() -> list[Path]:
    return sorted(p for p in SRC.rglob("*.py") if p != SRC / "__init__.py")


def _height(room: str) -> int:
    return next(height for height, rooms in enumerate(LAYERS) if room in rooms)


def test_every_room_has_its_place_in_the_layers():
    assert {_room(path) for path in _files()} == set().union(*LAYERS)


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(SRC)))
def test_nothing_imports_from_a_layer_above_its_own(path):
    height = _height(_room(path))
    above = {name for name in _imports(path) if _height(name.split(".")[0]) > height}
    assert not above, f"{path.name} imports {above}"


def test_stages_never_import_each_other():
    for path in (SRC / "stages").glob("*.py"):
        assert not {name for name in _imports(path) if name.startswith("stages.")}, path.name


@pytest.mark.parametrize("statement", ["import lema", "import lema.pipeline, lema.runs.engine, lema.commands.show"])
def test_importing_lema_loads_no_model_library(statement):
    heavy = [name for name in HEAVY if name != "numpy" or statement == "import lema"]
    code = f"{statement}; import sys; print([m for m in {heavy!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_help_loads_no_model_library():
    code = ("import sys; sys.argv = ['lema', '--help']\nfrom lema.cli import main\n"
            f"try: main()\nexcept SystemExit: pass\nprint([m for m in {HEAVY!r} if m in sys.modules])")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip().endswith("[]")


def test_files_stay_under_300_lines_and_functions_under_60():
    for path in _files():
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 300, f"{path.name} is too long"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno - node.lineno < 60, f"{path.name}: {node.name} is too long"


def test_every_file_opens_with_what_it_is_for():
    for path in _files():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
