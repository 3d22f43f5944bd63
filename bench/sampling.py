"""Tokens per second of lema's transformers backend beside plain batched `generate`: python bench/sampling.py

Both write answers to the same prompts of mixed length with the same fresh lab-sized model, greedily, on one
thread, in turns within one run; prints the medians and their ratio.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from lema.models import Request
    from lema.models.transformers import Model, Settings
    from lema.records import Sampling
    from lema.tasks.lab import Settings as LabSettings
    from lema.tasks.lab import Task
    from lema.training.fresh import Shape, build

    torch.set_num_threads(1)
    task = Task(LabSettings(test=256))
    prompts = [task.prompt(question)[0].content for question in task.questions("test")]
    with tempfile.TemporaryDirectory() as folder:
        path = build(Shape(), task.vocabulary(), Path(folder) / "model", seed=0)
        ours = Model(Settings(path=str(path)))
        tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
        theirs = AutoModelForCausalLM.from_pretrained(path).eval()
        requests = [Request(tuple(task.prompt(question)), Sampling(max_tokens=100))
                    for question in task.questions("test")]

        def write() -> float:
            started = time.process_time()
            written = 0
            for batch in ours.batches(requests):
                written += sum(c.tokens for c in ours.complete([requests[place] for place in batch]))
            return written / (time.process_time() - started)

        def generate() -> float:
            started = time.process_time()
            written = 0
            with torch.no_grad():
                for first in range(0, len(prompts), 64):
                    given = tokenizer(prompts[first:first + 64], return_tensors="pt", padding=True)
                    out = theirs.generate(**given, max_new_tokens=100, do_sample=False)
                    new = out[:, given["input_ids"].shape[1]:]
                    written += int((new != tokenizer.pad_token_id).sum())
            return written / (time.process_time() - started)

        write(), generate()
        rounds = [(write(), generate()) for _ in range(5)]
    mine, plain = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"lema {mine:,.0f} tokens/s, generate {plain:,.0f} tokens/s: {mine / plain:.2f} times")


if __name__ == "__main__":
    main()
