"""What a run said that it was about before it knew anything, and how often its test questions were looked at.

    {"headline": "step", "baseline": "cot", "control": "bought", "pairs": [], "sets": []}

One design decision: both are files of the run that are only ever added to, written when it happens; a report
states what they hold and never what nobody wrote down.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from lema.config import Config
from lema.files import write_whole

BEGINNING, LOOKS = "beginning.json", "looks.jsonl"
WORDS = {"headline": "the headline arm", "baseline": "the baseline", "control": "the control",
         "pairs": "the further pairs", "sets": "the test sets"}


def plan_of(config: Config) -> dict:
    """What a run is about: who is held against whom, and on what."""
    report = config.report
    baseline = report.baseline or next(iter(config.arms), None)
    return {"headline": config.headline if config.arms else None, "baseline": baseline, "control": report.control,
            "pairs": list(map(list, report.pairs)), "sets": list(config.evaluate.sets)}


def begin(folder: Path, config: Config) -> None:
    """Writes the plan down at the first start. A run that was begun before that could be written has none."""
    if config.arms and not (folder / BEGINNING).exists():
        begun = (folder / "config.toml").exists()
        plan = {"not recorded": True} if begun else plan_of(config)
        write_whole(folder / BEGINNING, json.dumps(plan, ensure_ascii=False) + "\n")


def since_the_beginning(folder: Path, config: Config) -> tuple[bool, str]:
    """Whether the plan is the one of the first start, and what there is to say of it."""
    plan = _recorded(folder)
    if plan is None:
        return False, "What this run was to be about was not recorded at its first start."
    now = plan_of(config)
    changed = list(_changes(plan, now))
    if changed:
        return False, f"Changed since the first start: {'; '.join(changed)}."
    return True, "The headline, its control and all planned pairs are those of the first start of this run."


def _recorded(folder: Path) -> dict | None:
    """The plan of the first start; None where it was not written down then."""
    try:
        plan = json.loads((folder / BEGINNING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return plan if isinstance(plan, dict) and "not recorded" not in plan else None


def said_of_looks(folder: Path, count: int) -> str:
    """What can be said of `count` looks at the test questions."""
    if count > 1:
        return (f"This run has looked at the test questions {count} times, each time at other answers: what was "
                "changed after the first look may have been chosen on them.")
    if _recorded(folder) is None:
        return "Whether this run looked at the test questions before was not recorded."
    return ("This run looked at the test questions for the first time. Whether they were looked at elsewhere, "
            "where its settings were chosen, is not known to it.")


def _changes(plan: dict, now: dict) -> Iterator[str]:
    for key, word in WORDS.items():
        if plan.get(key) != now[key]:
            yield f"{word} was {_short(plan.get(key))} and is {_short(now[key])}"


def _short(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(" − ".join(each) if isinstance(each, list) else str(each) for each in value) or "none"
    return str(value or "none")


def look(folder: Path, examined: str) -> int:
    """Notes that the answers with this fingerprint are looked at, and how many different ones were, this included.
    The same answers looked at again are one look."""
    path = folder / LOOKS
    seen = looks(folder)
    if examined not in seen:
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"examined": examined}) + "\n")
        seen.append(examined)
    return len(seen)


def looks(folder: Path) -> list[str]:
    """The fingerprints of all examinations of test questions that a report was made of, in order."""
    seen: dict[str, None] = {}
    path = folder / LOOKS
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            seen[json.loads(line)["examined"]] = None
        except (ValueError, KeyError, TypeError):
            continue  # a line that was cut off when the machine went down
    return list(seen)
