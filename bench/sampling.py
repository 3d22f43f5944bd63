"""Tokens per second of lema's transformers backend beside plain batched `generate`: python bench/sampling.py

Both answer the same 512 prompts of mixed length with the same grown lab student, on one thread, in turns within
one run, greedily and at temperature 0.8. `generate` gets batches of the same 64 rows, padded on the left, in the
order of the questions (as it is mostly used) and, beside it, sorted by length as ours are. Prints medians over
five rounds and their ratios; tokens are those that were kept, CPU seconds those of the process.
"""

import statistics
import tempfile
import time
from pathlib import Path

from grown import lab

ROWS, NEW, ROUNDS = 64, 120, 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder)) as (run, config, questions):
        asked = [question for question in questions if question.split == "test"][:512]
        path = run.made["student"].folder / "model"
        for temperature in (0.0, 0.8):
            compare(path, config, asked, temperature)


def compare(path: Path, config, asked: list, temperature: float) -> None:
    import torch

    from lema.messages import Request
    from lema.models.transformers import Model, Settings
    from lema.records import Sampling
    from lema.tasks import find_task

    torch.set_num_threads(1)
    task = find_task("lab", config.task.own)
    sampling = Sampling(temperature=temperature, max_tokens=NEW)
    requests = [Request(tuple(task.prompt(question)), sampling) for question in asked]
    ours = Model(Settings(path=str(path), batch_size=ROWS)).load()
    plain = Generate(path, temperature)
    prompts = [request.messages[0].content for request in requests]
    by_length = sorted(prompts, key=lambda prompt: -len(prompt.split()))

    def write() -> list[str]:
        texts = {}
        for batch in ours.batches(requests):
            for place, completion in zip(batch, ours.complete([requests[at] for at in batch]), strict=True):
                texts[place] = completion
        return [texts[place] for place in range(len(requests))]

    if temperature == 0:
        same = sum(mine.text == theirs for mine, theirs in zip(write(), plain.texts(prompts), strict=True))
        print(f"greedy texts that are the same: {same} of {len(prompts)}")
    rounds = [(rate(lambda: sum(c.tokens for c in write())), rate(lambda: plain.write(prompts)),
               rate(lambda: plain.write(by_length))) for _ in range(ROUNDS + 1)][1:]
    mine, given, ordered = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"temperature {temperature}: lema {mine:,.0f} tokens per CPU-second; generate {given:,.0f} "
          f"({mine / given:.2f} times), sorted by length {ordered:,.0f} ({mine / ordered:.2f} times)")


def rate(write) -> float:
    started = time.process_time()
    return write() / (time.process_time() - started)


class Generate:
    """Plain batched `generate` of transformers, as its documentation shows it."""

    def __init__(self, path: Path, temperature: float) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
        self.model = AutoModelForCausalLM.from_pretrained(path).eval()
        self.how = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {
            "do_sample": False}

    def batches(self, prompts: list[str]):
        import torch

        with torch.no_grad():
            for first in range(0, len(prompts), ROWS):
                given = self.tokenizer(prompts[first:first + ROWS], return_tensors="pt", padding=True)
                out = self.model.generate(**given, max_new_tokens=NEW, **self.how)
                yield out[:, given["input_ids"].shape[1]:]

    def write(self, prompts: list[str]) -> int:
        return sum(int((new != self.tokenizer.pad_token_id).sum()) for new in self.batches(prompts))

    def texts(self, prompts: list[str]) -> list[str]:
        return [self.tokenizer.decode(row, skip_special_tokens=True)
                for new in self.batches(prompts) for row in new]


if __name__ == "__main__":
    main()
