"""What a command prints: words for people, or with `--json` a value for programs.

One design decision: a command that only says what it did gives programs its lines beside the facts that it names,
so that no command is without `--json`; what has figures of its own gives those.
"""

import json
from typing import Any


def output(text: str, as_json: bool, **facts: Any) -> str:
    """The text, or with `as_json` the facts with its lines; paths and the like become texts."""
    if not as_json:
        return text
    return json.dumps({**facts, "lines": text.splitlines()}, indent=1, ensure_ascii=False, default=str)
