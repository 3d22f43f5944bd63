"""The process in which math-verify reads whole texts: [text, gold, seconds] in, [verdict, answer] out.

One design decision: math-verify's defaults are kept but for its signals, as a limit that the parent holds cannot
be mistaken for "wrong". Its patterns let only digits and operators into its plain-expression parser, no names;
what those can cost is bounded by this process's memory and life.
"""

import contextlib
import faulthandler
import json
import logging
import sys

from lema.grading import bound_memory

LONGEST = 200  # characters of an answer that are sent back


def main() -> None:
    """Answers until its input ends."""
    logging.disable(logging.CRITICAL)
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    from math_verify import parse, verify

    bound_memory()
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        text, gold, limit_s = json.loads(line)
        verdict, answer = "no_answer", None
        faulthandler.dump_traceback_later(2 * limit_s + 1, exit=True)  # ends us where our parent was killed
        with contextlib.suppress(Exception):  # what cannot be parsed is no answer
            wanted = parse(f"\\boxed{{{gold}}}", parsing_timeout=None)
            if stated := parse(text, parsing_timeout=None):
                verdict, answer = "wrong", str(stated[-1])[:LONGEST]
                verdict = "right" if verify(wanted, stated, timeout_seconds=None) else "wrong"
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps([verdict, answer]), file=out, flush=True)


if __name__ == "__main__":
    main()
