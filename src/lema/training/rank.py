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
    meet()
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


def meet() -> None:
    """Joins the other processes. The launcher keeps one store for all its attempts, in which those started again
    would find the addresses of those that died, so every attempt has names of its own there."""
    import torch
    from torch import distributed

    named = os.environ
    store = distributed.TCPStore(named["MASTER_ADDR"], int(named["MASTER_PORT"]), is_master=False)
    own = distributed.PrefixStore(f"attempt {named['TORCHELASTIC_RESTART_COUNT']}", store)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(named["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo", store=own,
                                   rank=int(named["RANK"]), world_size=int(named["WORLD_SIZE"]))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
