"""Training beside what others do with the same rows: python bench/training.py --size 0.3M [--method lora]

In one run, on one model, device and data, in turns: lema's trainer (rows grouped by length, and packed), (a)
batches as they come, padded to their longest, rows cut at 1,024 tokens, (b) TRL's SFTTrainer as it comes, and
(c) a bare loop of torch over lema's batches. Printed are trained tokens per second with what a fit takes to begin,
medians over the rounds, and the ratios; with --rate also the share of what this device multiplies matrices
at. Rows have about the lengths of GSM8K's questions and solutions in tokens (lognormal, means 110 and 130, assumed
and not measured); weights are random, which costs what others cost. One thread: set OMP_NUM_THREADS=1. It has run
at 0.1M on a busy CPU only.
"""

import argparse
import math
import os
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
from trl import SFTConfig, SFTTrainer

from lema.checkpoints.rendering import Tokens
from lema.training.loop import Loop
from lema.training.memory import shapes_of
from lema.training.sft import Fit, Settings
from lema.training.weights import load_model
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
    settings = Settings(batch_size=ROWS, save_steps=0, dtype="bfloat16", **told)
    with tempfile.TemporaryDirectory() as out:
        fit = Fit(settings, rows, base, Path(out), 0, "", "chat")
        loop = Loop(fit, settings.plan([row.length for row in rows], 0), None)
        return timed(loop.train, rows)


def theirs(base: Path, rows: list[Tokens], method: str, **told: object) -> float:
    """Those of TRL's SFTTrainer."""
    from lema.training.weights import adapter

    with tempfile.TemporaryDirectory() as out:
        data = Dataset.from_list([{"input_ids": [*row.prompt, *row.completion][:2 * CUT],
                                   "completion_mask": [0] * len(row.prompt[:2 * CUT])
                                   + [1] * len([*row.prompt, *row.completion][len(row.prompt):2 * CUT])}
                                  for row in rows])
        arguments = SFTConfig(output_dir=out, num_train_epochs=1, save_strategy="no", report_to="none",
                              logging_strategy="no", disable_tqdm=True, use_cpu=ON_CPU, **told)
        trainer = SFTTrainer(model=AutoModelForCausalLM.from_pretrained(base), args=arguments, train_dataset=data,
                             processing_class=AutoTokenizer.from_pretrained(base),
                             peft_config=adapter(Settings(method=method)) if method != "full" else None)
        return timed(trainer.train, rows)


def bare(base: Path, rows: list[Tokens]) -> float:
    """Those of a loop of torch over lema's batches, full training in bfloat16."""
    settings = Settings(method="full", batch_size=ROWS, dtype="bfloat16", save_steps=0)
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
            with torch.autocast(device, torch.bfloat16):
                loss = model(input_ids=ids.to(device), labels=labels.to(device), attention_mask=mask.to(device),
                             use_cache=False).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    return timed(train, rows)


def timed(train, rows: list[Tokens]) -> float:
    started = time.perf_counter()
    train()
    if not ON_CPU:
        torch.cuda.synchronize()
    return sum(len(row.completion) for row in rows) / (time.perf_counter() - started)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="0.3M")
    parser.add_argument("--method", choices=("full", "lora", "qlora"), default="full")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", action="store_true", help="also the share of the matrix rate")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = checkpoint(given.size, Path(folder))
        rows = rows_of(ROWS * given.steps, SIZES[given.size][-1])
        method = {"method": given.method}
        ways = {"lema, grouped": lambda: ours(base, rows, **method),
                "lema, packed": lambda: ours(base, rows, **method, packing=True),
                "(a) padded to the longest": lambda: theirs(
                    base, rows, given.method, bf16=False, gradient_checkpointing=False, max_length=None),
                "(b) TRL's defaults": lambda: theirs(base, rows, given.method)}
        if given.method == "full":
            ways["(c) a bare loop"] = lambda: bare(base, rows)
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, way in ways.items():
                taken[name].append(way())
        speeds = {name: statistics.median(speed) for name, speed in taken.items()}
        best = max(speeds["lema, grouped"], speeds["lema, packed"])
        print(f"{given.size}, {given.method}, {given.steps} steps of {ROWS} rows, {given.rounds} rounds, "
              f"{'one CPU thread' if ON_CPU else torch.cuda.get_device_name()}, load {os.getloadavg()[0]:.1f}")
        for name, speed in speeds.items():
            print(f"{name:28} {speed:10,.0f} trained tokens/s; lema is {best / speed:.2f} times as fast")
        if given.rate:
            every = sum(row.length for row in rows) / sum(len(row.completion) for row in rows)
            operations = (6 if given.method == "full" else 4) * shapes_of(base).parameters * best * every
            print(f"share of the matrix rate: {operations / matrix_rate():.1%}")


if __name__ == "__main__":
    main()
