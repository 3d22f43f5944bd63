"""One client of bench/driver.py: python bench/clients.py NAME URL REQUESTS IN_FLIGHT

Prints its CPU seconds, and when the last completion was in the caller's hands (on the clock that all processes of
a machine share).

One design decision: each client runs in a process of its own, in the environment it needs, with the prompts and
sampling of all others; what it takes to start is left out for those that are called in process, and cannot be for
frameworks that start processes themselves.
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PROMPT = "Question: " + "How many apples and pears are left when half of them are sold? " * 6
SAMPLING = {"temperature": 0.7, "max_tokens": 256}


def body(number: int) -> dict:
    return {"model": "m", "messages": [{"role": "user", "content": f"{PROMPT}{number}"}], "top_p": 1.0,
            "seed": number, **SAMPLING}


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Spent(NamedTuple):
    cpu: float
    ended: float


def since(started: float) -> Spent:
    """What was spent since the process had used so much, and when that was."""
    return Spent(cpu() - started, time.perf_counter())


def lema(url: str, requests: int, in_flight: int) -> Spent:
    """The api backend under its journal, on the disk."""
    from lema.journal import Journal, complete
    from lema.messages import Message, Request
    from lema.models.api import Model, Settings
    from lema.records import Sampling

    sampling = Sampling(**SAMPLING)
    asked = (Request((Message("user", f"{PROMPT}{number}"),), sampling) for number in range(requests))
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        model = Model(Settings(model="m", base_url=url, concurrency=in_flight))
        started = cpu()
        assert sum(completion.finish == "stop" for completion in complete(journal, model, asked)) == requests
        return since(started)


def sdk(url: str, requests: int, in_flight: int) -> Spent:
    """The openai SDK over its fastest transport, nothing else."""
    import openai

    async def run() -> Spent:
        async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0,
                                      http_client=openai.DefaultAioHttpClient()) as client:
            async def ask(number: int) -> None:
                reply = await client.chat.completions.create(**body(number))
                assert reply.choices[0].message.content
            return await _side_by_side(ask, requests, in_flight)
    return asyncio.run(run())


def raw(url: str, requests: int, in_flight: int) -> Spent:
    """aiohttp and nothing else: what the machine gives."""
    import aiohttp

    async def run() -> Spent:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            async def ask(number: int) -> None:
                async with session.post(f"{url}/chat/completions", data=json.dumps(body(number)).encode(),
                                        headers={"Content-Type": "application/json"}) as response:
                    assert json.loads(await response.read())["choices"]
            return await _side_by_side(ask, requests, in_flight)
    return asyncio.run(run())


async def _side_by_side(ask: Callable, requests: int, in_flight: int) -> Spent:
    numbers = iter(range(requests))

    async def work() -> None:
        for number in numbers:
            await ask(number)

    started = cpu()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return since(started)


def distilabel(url: str, requests: int, in_flight: int) -> Spent:
    """distilabel's own pipeline, batches as large as what is in flight."""
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    with tempfile.TemporaryDirectory() as folder:
        with Pipeline(name="bench", cache_dir=folder) as pipeline:
            load = LoadDataFromDicts(data=[{"instruction": f"{PROMPT}{number}"} for number in range(requests)],
                                     batch_size=in_flight)
            model = OpenAILLM(model="m", base_url=url, api_key="none", generation_kwargs={
                "temperature": SAMPLING["temperature"], "max_new_tokens": SAMPLING["max_tokens"]})
            load >> TextGeneration(llm=model, input_batch_size=in_flight)
        started = cpu()
        rows = pipeline.run(use_cache=False)["default"]["train"]
        assert len(rows) == requests and all(rows["generation"])
        return since(started)


def curator(url: str, requests: int, in_flight: int) -> Spent:
    """bespokelabs-curator's own LLM, its rate limits out of the way."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(CURATOR_CACHE_DIR=folder, TELEMETRY_ENABLED="false", CURATOR_VIEWER="0",
                          OPENAI_API_KEY="none", CURATOR_DISABLE_RICH_DISPLAY="1")
        import litellm  # which ships the tokenizer's file that curator would fetch

        os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(litellm.__file__).parent / "litellm_core_utils" / "tokenizers")
        from bespokelabs import curator as library

        model = library.LLM(model_name="m", backend="openai", generation_params=SAMPLING, backend_params={
            "base_url": url, "max_requests_per_minute": 10**7, "max_tokens_per_minute": 10**10,
            "max_concurrent_requests": in_flight})
        started = cpu()
        found = model([f"{PROMPT}{number}" for number in range(requests)])
        rows = getattr(found, "dataset", found)
        assert len(rows) == requests
        return since(started)


CLIENTS = {client.__name__: client for client in (lema, sdk, raw, distilabel, curator)}

if __name__ == "__main__":
    spent = CLIENTS[sys.argv[1]](sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps(spent._asdict()))
