"""Documents and docstrings speak of what is there: links lead somewhere, named paths and modules exist."""

import ast
import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HISTORY = ("lab-log.md", "decisions.md")  # dated: a path in them may be of its day
OF_TODAY = [path for path in DOCS if path.name not in HISTORY]
_LINK = re.compile(r"\[([^\]\n]*)\]\(([^()\s]+)\)")
_PATH = re.compile(r"(?<![\w/.])(?:src/lema|tests|bench|docs)/[\w/.*-]*\w")
_DOTTED = re.compile(r"(?<![\w./-])lema(?:\.[A-Za-z_]\w*)+")
_MADE = re.compile(r"^ {4}# (src/lema/[\w/]+)\.py$", re.MULTILINE)  # a block's own file: test_extending makes it
_IMPORT = re.compile(r"^\s*from (lema(?:\.\w+)*) import (\w+(?:, \w+)*)", re.MULTILINE)


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def anchors(document: Path) -> set[str]:
    """The headings of a document as links name them."""
    headings = re.findall(r"^#+ (.*)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def exists(dotted: str) -> bool:
    """Whether this is a module of ours, or a name in one."""
    try:
        pkgutil.resolve_name(dotted)
    except (ImportError, AttributeError):
        return False
    return True


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    for shown, target in _LINK.findall(text_of(document)):
        if target.startswith(("http:", "https:")):
            continue
        place, _, anchor = target.partition("#")
        there = (document.parent / place).resolve() if place else document
        assert there.exists(), f"{document.name}: {target}"
        assert not anchor or anchor in anchors(there), f"{document.name}: {target}"
        path = shown.replace("\\", "").rstrip("/")
        if re.fullmatch(r"[\w./-]+\.(py|md)", path):
            assert there.as_posix().endswith(f"/{path}"), f"{document.name}: {shown} leads to {target}"


@pytest.mark.parametrize("document", OF_TODAY, ids=lambda path: path.name)
def test_every_path_of_the_repository_exists(document):
    text = text_of(document)
    missing = {path for path in _PATH.findall(text) if not list(ROOT.glob(path))}
    assert not missing - {f"{path}.py" for path in _MADE.findall(text)}


@pytest.mark.parametrize("document", OF_TODAY, ids=lambda path: path.name)
def test_every_module_and_name_of_ours_exists(document):
    text = text_of(document)
    named = set(_DOTTED.findall(text))
    for module, names in _IMPORT.findall(text):
        named |= {f"{module}.{name}" for name in names.split(", ")}
    made = tuple(path.removeprefix("src/").replace("/", ".") for path in _MADE.findall(text))
    assert not {dotted for dotted in named if not exists(dotted) and not (made and dotted.startswith(made))}


def test_every_module_that_a_docstring_names_exists():
    missing = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                named = _DOTTED.findall(ast.get_docstring(node) or "")
                missing += [f"{path.name}: {dotted}" for dotted in named if not exists(dotted)]
    assert not missing


@pytest.mark.parametrize("there", ["lema.grading.grade", "lema.records", "lema"])
def test_a_name_that_is_there_counts_as_there(there):
    assert exists(there) and not exists(f"{there}.nowhere")
