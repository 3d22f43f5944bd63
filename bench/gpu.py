"""Large models on this card, by one command: python bench/gpu.py [--vllm PYTHON] [--only 7B]

Randomly initialised Llamas of 1.5B and 7B in bfloat16 and NF4 and of 70B in NF4 are trained by lema's own loop,
packed, with gradient checkpointing, on rows of about GSM8K's lengths (bench/training.py says which); beside it,
where they fit, (a) batches padded to their longest and cut at 512 + 512 tokens, and (b) TRL's defaults. Printed
are tokens per second, the share of the rate at which the card was just measured to multiply matrices (four
operations a weight and token; what checkpointing computes again is not counted), and the most memory. With vLLM in
this Python, or in the one that --vllm names, 1.5B and 7B are then sampled through lema's vllm backend, with random
weights of vLLM's own. Nothing is downloaded and no weights are written. Where there is no card the same is done
with models of 0.1M on the CPU, which shows that it runs and nothing else. Nobody has run it on a card yet.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch
from datasets import Dataset
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
from trl import SFTConfig, SFTTrainer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.training import CUT, ON_CPU, SIZES, matrix_rate, rows_of
from lema.checkpoints.rendering import Tokens
from lema.errors import LemaError
from lema.messages import Message, Request
from lema.models.vllm import Model, not_there
from lema.models.vllm import Settings as VllmSettings
from lema.records import Sampling
from lema.training.loop import Loop
from lema.training.memory import room, shapes_of, tokens_that_fit
from lema.training.sft import Fit, Settings
from lema.training.weights import adapter
from tests import toys

DEVICE = "cpu" if ON_CPU else "cuda"
SIZES = {**SIZES, "70B": (8192, 80, 64, 28672, 32_000)}
CASES = [("0.1M", "lora"), ("0.1M", "qlora")] if ON_CPU else [
    ("1.5B", "lora"), ("1.5B", "qlora"), ("7B", "lora"), ("7B", "qlora"), ("70B", "qlora")]
ROWS, STEPS = (4, 2) if ON_CPU else (32, 6)
PROMPTS, NEW = (2, 4) if ON_CPU else (512, 256)
STD = 0.02


def folder_of(size: str, folder: Path) -> Path:
    """A checkpoint without its weights: a config, and a tokenizer that knows every text."""
    width, layers, heads, feed_forward, words = SIZES[size]
    base = folder / size
    if not base.exists():
        tokenizer = toys.chatty(folder / "tokenizer")
        LlamaConfig(vocab_size=words, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
                    num_key_value_heads=8 if size == "70B" else heads, intermediate_size=feed_forward,
                    max_position_embeddings=4096, bos_token_id=0, eos_token_id=1, pad_token_id=1,
                    tie_word_embeddings=False, architectures=["LlamaForCausalLM"],
                    dtype="bfloat16").save_pretrained(base)
        for file in tokenizer.glob("tokenizer*"):
            (base / file.name).write_bytes(file.read_bytes())
    return base


def random_model(base: Path, nf4: bool) -> LlamaForCausalLM:
    """Random weights on the device, made one layer at a time, so that those in NF4 never lie there in sixteen."""
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig.from_pretrained(base)).bfloat16()
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and nf4 and "lm_head" not in name:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, _in_four_bits(module))
        elif hasattr(module, "inv_freq"):
            with torch.device(DEVICE):
                model.model.rotary_emb = type(module)(model.config)
        else:
            for key, weight in list(module.named_parameters(recurse=False)):
                value = torch.empty(weight.shape, dtype=torch.bfloat16, device=DEVICE)
                value = value.fill_(1) if weight.ndim == 1 else value.normal_(0, STD)
                setattr(module, key, torch.nn.Parameter(value))
    model.is_loaded_in_4bit = nf4
    return model


def _in_four_bits(linear: torch.nn.Linear) -> torch.nn.Module:
    import bitsandbytes as bnb

    made = bnb.nn.Linear4bit(linear.in_features, linear.out_features, bias=False, compute_dtype=torch.bfloat16,
                             compress_statistics=True, quant_type="nf4", device="meta")
    value = torch.empty(linear.weight.shape, dtype=torch.bfloat16, device=DEVICE).normal_(0, STD)
    made.weight = bnb.nn.Params4bit(value, requires_grad=False, compress_statistics=True, quant_type="nf4",
                                    module=made).to(DEVICE)
    made.support_avx512bf16_for_cpu = False
    return made


def ours(base: Path, rows: list[Tokens], method: str) -> float:
    """Tokens per second of lema's loop, packed, in passes as large as fit."""
    settings = Settings(method=method, batch_size=ROWS, save_steps=0, dtype="bfloat16", packing=True,
                        max_length=2048, gradient_checkpointing=True, accumulate="auto", optimizer="paged_adamw")
    free, on_cpu = room()
    most = max(2048, tokens_that_fit(shapes_of(base), settings, free, on_cpu))
    with tempfile.TemporaryDirectory() as out, mock.patch(
            "lema.training.loop.load_model", lambda *given: random_model(base, method == "qlora")):
        fit = Fit(settings, rows, base, Path(out), 0, "", "chat")
        loop = Loop(fit, settings.plan([row.length for row in rows], 0, most), None)
        return timed(loop.train, rows)


def theirs(base: Path, rows: list[Tokens], method: str, **told: object) -> float:
    """Those of TRL's SFTTrainer."""
    data = Dataset.from_list([
        {"input_ids": [*row.prompt[:CUT], *row.completion[:CUT]],
         "completion_mask": [0] * len(row.prompt[:CUT]) + [1] * len(row.completion[:CUT])} for row in rows])
    with tempfile.TemporaryDirectory() as out:
        arguments = SFTConfig(output_dir=out, num_train_epochs=1, save_strategy="no", report_to="none",
                              logging_strategy="no", disable_tqdm=True, use_cpu=ON_CPU, **told)
        trainer = SFTTrainer(model=random_model(base, method == "qlora"), args=arguments, train_dataset=data,
                             processing_class=AutoTokenizer.from_pretrained(base),
                             peft_config=adapter(Settings(method=method)))
        return timed(trainer.train, rows)


def timed(train: Callable[[], object], rows: list[Tokens]) -> float:
    started = time.perf_counter()
    train()
    if not ON_CPU:
        torch.cuda.synchronize()
    return sum(row.length for row in rows) / (time.perf_counter() - started)


def sampled(base: Path, python: str) -> float:
    """Tokens written per second by lema's vllm backend, with random weights of vLLM's own."""
    settings = VllmSettings(path=str(base), form="completions", dtype="bfloat16", python=python,
                            run="here" if python == sys.executable else "server",
                            options={"max_model_len": 2048, "load_format": "dummy"})
    model = Model(settings)
    sampling = Sampling(temperature=1.0, max_tokens=NEW, seed=1)
    prompt = (Message("user", "Leo has 15 pens. " * 16),)
    requests = [Request(prompt, sampling, number) for number in range(PROMPTS)]
    list(model.complete(requests[:1]))  # which starts it
    started = time.perf_counter()
    written = sum(completion.tokens for completion in model.complete(requests))
    seconds = time.perf_counter() - started
    model.close()
    return written / seconds


@contextmanager
def line(what: str) -> Iterator[None]:
    """Says instead of a figure why there is none."""
    gc.collect()
    if not ON_CPU:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    try:
        yield
    except torch.OutOfMemoryError:
        print(f"{what:40} does not fit this card", flush=True)
    except LemaError as error:
        print(f"{what:40} {error}", flush=True)


def trained(size: str, method: str, base: Path, rate: float) -> None:
    rows = rows_of(ROWS * STEPS, SIZES[size][-1])
    ways = {"lema, packed": lambda: ours(base, rows, method),
            "(a) padded to the longest": lambda: theirs(base, rows, method, bf16=True, gradient_checkpointing=True,
                                                        max_length=None),
            "(b) TRL's defaults": lambda: theirs(base, rows, method)}
    for name, way in ways.items():
        with line(f"{size} {method}: {name}"):
            speed = way()
            share = 4 * shapes_of(base).parameters * speed / rate
            memory = "" if ON_CPU else f", {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB at most"
            print(f"{f'{size} {method}: {name}':40} {speed:9,.0f} tokens/s, {share:6.1%} of the matrix rate"
                  f"{memory}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vllm", default=sys.executable, help="the Python that has vLLM")
    parser.add_argument("--only", choices=sorted(SIZES), help="one size")
    given = parser.parse_args()
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    rate = matrix_rate()
    where = "CPU" if ON_CPU else torch.cuda.get_device_name()
    print(f"{where}: {rate / 1e12:,.2f} × 10^12 operations/s in products of matrices", flush=True)
    cases = [case for case in CASES if given.only in (None, case[0])]
    with tempfile.TemporaryDirectory() as folder:
        for size, method in cases:
            trained(size, method, folder_of(size, Path(folder)), rate)
        missing = not_there(VllmSettings(path="", python=given.vllm, run="server"))
        if missing:
            print(f"not sampled: {missing}")
            return
        for size in dict.fromkeys(size for size, _ in cases if size != "70B"):
            with line(f"{size}: sampled through vLLM"):
                speed = sampled(folder_of(size, Path(folder)), given.vllm)
                print(f"{f'{size}: sampled through vLLM':40} {speed:9,.0f} tokens/s", flush=True)


if __name__ == "__main__":
    main()
