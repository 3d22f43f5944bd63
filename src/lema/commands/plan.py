"""`lema plan`: what a run of a config would do, stage by stage.

One design decision: planning looks at the stages that the pipeline itself names, so a plan can never differ from
what a run does.
"""

import json
from collections import Counter
from pathlib import Path

from lema.commands.beforehand import look_ahead
from lema.commands.run_folder import check_files, meant_by, stages_of

WORDS = {"done": "done", "damaged": "damaged", "stale": "stale", "missing": "to do"}
"""What a plan calls the states of a stage."""


def plan_config(source: str, overrides: list[str], runs: Path, *, as_json: bool = False) -> str:
    """A line per stage, what is worth knowing before a run, and the count of each state. ConfigErrors where files
    that it needs are not there."""
    folder, _, config = meant_by(source, overrides, runs)
    stages = stages_of(folder, config)
    check_files(config, stages)
    notes = look_ahead(config, stages)
    width = max(map(len, stages))
    states: Counter[str] = Counter(dict.fromkeys(WORDS.values(), 0))
    lines, facts = [], []
    for name, stage in stages.items():
        state, why = stage.status()
        states[WORDS[state]] += 1
        facts.append({"stage": name, "state": WORDS[state], "why": "" if state == "done" else why})
        lines.append(f"{WORDS[state]:8} {name:{width}}  {'' if why == 'never finished' else why}".rstrip())
    if as_json:
        return json.dumps({"stages": facts, "notes": notes}, indent=1, ensure_ascii=False)
    lines += notes
    if not states["damaged"]:
        del states["damaged"]
    lines.append(", ".join(f"{count} {state}" for state, count in states.items()))
    return "\n".join(lines)
