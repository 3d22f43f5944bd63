"""Training beside what others do with the same rows: python bench/training.py --size 0.3M [--method lora]

In one run, on one model, device and data, in turns: lema's trainer (rows grouped by length, and packed), (a)
batches as they come, padded to their longest, rows cut at 512 + 512 tokens, (b) TRL's SFTTrainer as it comes, and
(c) a bare loop of torch over lema's batches. lema, (a) and (c) in each of --dtypes, (b) in what it chooses.
Printed are trained tokens per second with what a fit takes to begin, medians over the rounds, and the ratios of
the best of lema to the best of each; with --rate also the share of what this device multiplies matrices at. Rows
have about the lengths of GSM8K's questions and solutions in tokens (lognormal, means 110 and 130, assumed and not
measured); weights are random, which costs what others cost. On a CPU one thread works (set OMP_NUM_THREADS=1) and
its own seconds are counted, not the clock's, so that other work on the machine weighs on no side.
"""

import argparse
import math
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
from trl import SFTConfig, SFTTrainer

from lema.checkpoints.rendering import Tokens
from lema.training.loop import Loop
from lema.training.memory import shapes_of
from lema.training.sft import Fit, Settings
from lema.training.weights import adapter, load_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import toys

SIZES = {  # width, layers, heads, feed-forward, words
    "0.1M": (48, 2, 1, 96, 500), "0.3M": (96, 3, 3, 256, 500), "5M": (256, 6, 4, 688, 2_000),
    "50M": (512, 12, 8, 1376, 8_000), "1.5B": (2048, 24, 16, 5632, 32_000), "7B": (4096, 32, 32, 11008, 32_000)}
CUT = 512
ROWS = 8  # of a step: what TRL takes by default
ON_CPU = not torch.cuda.is_available()


def checkpoint(size: str, folder: Path) -> Path:
    width, layers, heads, feed_forward, words = SIZES[size]
    tokenizer = toys.chatty(folder / "tokenizer")
    base = folder / "base"
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=words, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
                         num_key_value_heads=heads, intermediate_size=feed_forward, max_position_embeddings=2048,
                         eos_token_id=1, bos_token_id=0, pad_token_id=1)
    model = LlamaForCausalLM(config)
    (model if ON_CPU else model.bfloat16()).save_pretrained(base)
    for file in tokenizer.glob("tokenizer*"):
        shutil.copyfile(file, base / file.name)
    return base


def rows_of(count: int, words: int) -> list[Tokens]:
    chance = random.Random(0)

    def part(mean: float) -> list[int]:
        length = max(4, min(900, round(chance.lognormvariate(math.log(mean) - 0.125, 0.5))))
        return [chance.randrange(10, words) for _ in range(length)]

    return [Tokens(part(110), part(130)) for _ in range(count)]


def ours(base: Path, rows: list[Tokens], **told: object) -> float:
    """Trained tokens per second of lema's own loop."""
    settings = Settings(batch_size=ROWS, save_steps=0, **told)
    with tempfile.TemporaryDirectory() as out:
        fit = Fit(settings, rows, base, Path(out), 0, "", "chat")
        loop = Loop(fit, settings.plan([row.length for row in rows], 0), None)
        return timed(loop.train, rows)


def theirs(base: Path, rows: list[Tokens], method: str, **told: object) -> float:
    """Those of TRL's SFTTrainer, of rows that are cut."""
    with tempfile.TemporaryDirectory() as out:
        cut = [(row.prompt[:CUT], row.completion[:CUT]) for row in rows]
        data = Dataset.from_list([{"input_ids": [*prompt, *completion],
                                   "completion_mask": [0] * len(prompt) + [1] * len(completion)}
                                  for prompt, completion in cut])
        arguments = SFTConfig(output_dir=out, num_train_epochs=1, save_strategy="no", report_to="none",
                              logging_strategy="no", disable_tqdm=True, use_cpu=ON_CPU, **told)
        trainer = SFTTrainer(model=AutoModelForCausalLM.from_pretrained(base), args=arguments, train_dataset=data,
                             processing_class=AutoTokenizer.from_pretrained(base),
                             peft_config=adapter(Settings(method=method)) if method != "full" else None)
        return timed(trainer.train, rows)


def bare(base: Path, rows: list[Tokens], dtype: str) -> float:
    """Those of a loop of torch over lema's batches, full training."""
    settings = Settings(method="full", batch_size=ROWS, dtype=dtype, save_steps=0)
    model = load_model(base, settings).train()
    device = "cpu" if ON_CPU else "cuda"
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def train() -> None:
        for batch in settings.plan([row.length for row in rows], 0).rows:
            width = max(rows[place].length for place in batch)
            ids = torch.ones(len(batch), width, dtype=torch.long)
            labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
            for number, place in enumerate(batch):
                row = rows[place]
                ids[number, :row.length] = torch.tensor([*row.prompt, *row.completion])
                labels[number, len(row.prompt):row.length] = torch.tensor(row.completion)
                mask[number, :row.length] = 1
            with torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"):
                loss = model(input_ids=ids.to(device), labels=labels.to(device), attention_mask=mask.to(device),
                             use_cache=False).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    return timed(train, rows)


def timed(train, rows: list[Tokens]) -> float:
    clock = time.process_time if ON_CPU else time.perf_counter
    started = clock()
    train()
    if not ON_CPU:
        torch.cuda.synchronize()
    return sum(len(row.completion) for row in rows) / (clock() - started)


def matrix_rate() -> float:
    """Operations per second of large products in bfloat16 on this device."""
    size = 512 if ON_CPU else 8192
    device = "cpu" if ON_CPU else "cuda"
    left = torch.randn(size, size, dtype=torch.bfloat16, device=device)
    best = 0.0
    for _ in range(10):
        started = time.perf_counter()
        for _ in range(5):
            left @ left
        if not ON_CPU:
            torch.cuda.synchronize()
        best = max(best, 10 * size**3 / (time.perf_counter() - started))
    return best


def ways_of(base: Path, rows: list[Tokens], method: str, dtypes: list[str], pack: bool = True) -> dict:
    """Each way of training, by what it is called; the first letter tells the sides apart."""
    ways = {}
    for dtype in dtypes:
        told = {"method": method, "dtype": dtype}
        ways[f"lema, grouped, {dtype}"] = partial(ours, base, rows, **told)
        if pack:
            ways[f"lema, packed, {dtype}"] = partial(ours, base, rows, **told, packing=True)
        ways[f"(a) padded to the longest, {dtype}"] = partial(
            theirs, base, rows, method, bf16=dtype == "bfloat16", gradient_checkpointing=False, max_length=None)
        if method == "full":
            ways[f"(c) a bare loop, {dtype}"] = partial(bare, base, rows, dtype)
    ways["(b) TRL's defaults"] = partial(theirs, base, rows, method)
    return ways


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="0.3M")
    parser.add_argument("--method", choices=("full", "lora", "qlora"), default="full")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", action="store_true", help="also the share of the matrix rate")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = checkpoint(given.size, Path(folder))
        rows = rows_of(ROWS * given.steps, SIZES[given.size][-1])
        ways = ways_of(base, rows, given.method, given.dtypes.split(","))
        for way in list(ways.values())[:1]:
            way()  # what is loaded and compiled once counts for nobody
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, way in ways.items():
                taken[name].append(way())
        print(f"{given.size}, {given.method}, {given.steps} steps of {ROWS} rows, {given.rounds} rounds, "
              f"{'one CPU thread' if ON_CPU else torch.cuda.get_device_name()}, load {os.getloadavg()[0]:.1f}")
        best = printed({name: statistics.median(speed) for name, speed in taken.items()})
        if given.rate:
            every = sum(row.length for row in rows) / sum(len(row.completion) for row in rows)
            operations = (6 if given.method == "full" else 4) * shapes_of(base).parameters * best * every
            print(f"share of the matrix rate: {operations / matrix_rate():.1%}")


def printed(speeds: dict[str, float]) -> float:
    """Prints every speed and the ratios; the best of lema."""
    for name, speed in speeds.items():
        print(f"{name:42} {speed:10,.0f} trained tokens/s")
    best: dict[str, float] = {}
    for name, speed in speeds.items():
        best[name[:3]] = max(speed, best.get(name[:3], 0.0))
    ours_best = best.pop("lem")
    for side, speed in sorted(best.items()):
        print(f"lema is {ours_best / speed:.2f} times as fast as {side}")
    return ours_best


if __name__ == "__main__":
    main()
