"""The process behind lema.grading.many: a block of rows [[text, gold], ...] per line in, their grades per line
out.

One design decision: what it grades with comes once, as its argument, so that a block is nothing but rows.
"""

import json
import sys

from lema.grading.conventions import Conventions
from lema.grading.many import grade_row


def main() -> None:
    """Answers until its input ends."""
    task, settings, by = json.loads(sys.argv[1])
    how = Conventions(**settings)
    for line in sys.stdin.buffer:
        grades = [grade_row(row, task, how, by) for row in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(grades).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
