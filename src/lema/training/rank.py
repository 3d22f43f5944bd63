"""One of several processes that train together, started by torch's launcher: python rank.py …/unfinished/fit.json

One design decision: a rank does what a fit by one process does (loop.run) and nothing else; the first one alone
writes files and says how far they are.
"""

import json
import os
import sys
from pathlib import Path


def main(file: Path) -> int:
    from lema.errors import LemaError
    from lema.files import write_whole
    from lema.printable import guard
    from lema.training.launch import OUTCOME, read_back
    from lema.training.loop import run

    guard()
    fit, plan = read_back(file)
    first = os.environ.get("RANK") == "0"

    def progress(done: int, steps: int) -> None:
        print("lema-step", done, flush=True)

    try:
        outcome = run(fit, plan, progress if first else None)._asdict()
    except LemaError as error:  # it would only come again: said once, and nobody is started again
        outcome = {"error": str(error), "kind": type(error).__name__}
    if first or "error" in outcome:
        write_whole(file.with_name(OUTCOME), json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
