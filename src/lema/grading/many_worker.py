"""The process behind lema.grading.many: a block of rows [[text, gold], ...] per line in, their grades per line
out.

One design decision: what it grades with comes once, as its argument, so that a block is nothing but rows.
"""

import json
import sys

from lema.grading.conventions import Conventions
from lema.grading.kinds import grade


def main() -> None:
    """Answers until its input ends."""
    task, settings = json.loads(sys.argv[1])
    how = Conventions(**settings)
    for line in sys.stdin.buffer:
        grades = [grade(text, gold, task=task, conventions=how) for text, gold in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(grades).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
