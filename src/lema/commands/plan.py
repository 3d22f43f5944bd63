"""`lema plan`: what a run of a config would do, stage by stage.

One design decision: planning looks at the stages that the pipeline itself names, so a plan can never differ from
what a run does.
"""

from collections import Counter
from pathlib import Path

from lema.commands.run_folder import folder_for, stages_of
from lema.config import load_config


def plan_config(source: str, overrides: list[str], runs: Path) -> str:
    """A line per stage, and the count of each state."""
    config = load_config(source, overrides)
    stages = stages_of(folder_for(config, runs), config)
    width = max(map(len, stages))
    states: Counter[str] = Counter(done=0, damaged=0, stale=0, missing=0)
    lines = []
    for name, stage in stages.items():
        state, why = stage.status()
        states[state] += 1
        lines.append(f"{state:8} {name:{width}}  {why}".rstrip())
    if not states["damaged"]:
        del states["damaged"]
    lines.append(", ".join(f"{count} {state}" for state, count in states.items()))
    return "\n".join(lines)
