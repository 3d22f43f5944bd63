"""vLLM's engine in this process: prompts as tokens in, completions out.

One design decision: every sampling parameter is stated, so nothing is drawn by a default of vLLM's or of the
checkpoint; each path has its seed, which vLLM gives to a generator of that path alone.
"""

from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path

from lema.checkpoints import first_line
from lema.errors import ModelError
from lema.messages import Completion, Request, wire_seed

try:
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest
except ModuleNotFoundError as missing:
    raise ModelError(f"the vllm backend needs {missing.name}: pip install vllm into this environment, or into one "
                     "of its own and set run = \"server\" and python in its [models] table") from None

STOP_SECONDS = 60.0


class Engine:
    """A loaded engine. `room` is the longest sequence, prompt and answer, in tokens."""

    def __init__(self, folder: Path, adapter: str | None, arguments: dict, room: int) -> None:
        self.room = room
        self.adapter = LoRARequest("adapter", 1, str(Path(adapter).absolute())) if adapter else None
        try:
            self.llm = LLM(model=str(folder), disable_log_stats=True, **arguments)
        except Exception as error:  # vllm, torch and transformers each raise their own
            raise ModelError(f"{folder}: vLLM cannot load it ({first_line(error)})") from None

    def write(self, prompts: Sequence[list[int]], requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in order."""
        fits = [0 < len(prompt) < self.room for prompt in prompts]
        inputs = [{"prompt_token_ids": prompt} for prompt in compress(prompts, fits)]
        parameters = list(map(self._parameters, compress(requests, fits), compress(prompts, fits)))
        written = iter(self.llm.generate(inputs, parameters, lora_request=self.adapter, use_tqdm=False)
                       if inputs else ())
        for prompt, fit in zip(prompts, fits, strict=True):
            length = len(prompt)
            if not fit:
                yield Completion("", f"error: a prompt of {length} tokens; the model has room for 1 to "
                                     f"{self.room - 1}", length)
                continue
            (output,) = next(written).outputs
            finish = output.finish_reason
            if finish not in ("stop", "length"):
                finish = f"error: {finish}"
            yield Completion(output.text, finish, length, len(output.token_ids))

    def stop(self) -> None:
        """Ends its process, which holds the card, and waits until it is gone."""
        self.llm.llm_engine.engine_core.shutdown(timeout=STOP_SECONDS)
        del self.llm

    def _parameters(self, request: Request, prompt: list[int]) -> SamplingParams:
        sampling = request.sampling
        return SamplingParams(
            temperature=sampling.temperature, top_p=sampling.top_p,
            max_tokens=min(sampling.max_tokens, self.room - len(prompt)), stop=list(sampling.stop) or None,
            seed=wire_seed(request) if sampling.temperature > 0 else None)
