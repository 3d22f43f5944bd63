"""Which of several cards each worker process works on.

One design decision: a worker is shown its cards and no others, by CUDA_VISIBLE_DEVICES before anything of CUDA is
loaded, because whatever loads a model there takes the first card that it sees.
"""

import contextlib
import os
import re
import subprocess
from collections.abc import Mapping, Sequence

from lema.config import Config

VISIBLE = "CUDA_VISIBLE_DEVICES"
ASK_S = 30.0
SHARDS = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
"""vLLM's words for the number of cards that one model lies on; their product."""


def visible_cards(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The cards of this machine that this process may use, as CUDA_VISIBLE_DEVICES names them; none where there is
    no driver of NVIDIA's."""
    if VISIBLE in environment:
        return named(environment[VISIBLE])
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        list_cards = ["nvidia-smi", "-L"]
        return listed(subprocess.run(list_cards, capture_output=True, text=True, timeout=ASK_S, check=True).stdout)
    return ()


def named(value: str) -> tuple[str, ...]:
    """The cards in a value of CUDA_VISIBLE_DEVICES; CUDA takes none from the first "-1" on."""
    cards: list[str] = []
    for card in map(str.strip, value.split(",")):
        if not card or card == "-1":
            break
        cards.append(card)
    return tuple(cards)


def listed(text: str) -> tuple[str, ...]:
    """The cards in what `nvidia-smi -L` prints; a card that is cut into instances stands for these."""
    cards: list[str] = []
    for line in text.splitlines():
        uuid = re.search(r"\(UUID: ([\w/-]+)\)", line)
        if uuid is None:
            continue
        if not line.startswith("GPU") and cards and cards[-1].startswith("GPU-"):
            cards.pop()  # the first instance of a card
        cards.append(uuid[1])
    return tuple(cards)


def cards_of(worker: int, cards: Sequence[str], each: int = 1) -> tuple[str, ...]:
    """The cards of a worker (0-based), `each` of them side by side; workers beyond the cards share in turn. None
    where there is nothing to choose."""
    if len(cards) < 2 or each >= len(cards):
        return ()
    place = worker % (len(cards) // each) * each
    return tuple(cards[place:place + each])


def each_worker_needs(config: Config) -> int:
    """How many cards the largest model of a config lies on; 0 where one names its device by number, as whoever
    does so has placed them."""
    most = 1
    for model in config.models.values():
        if re.fullmatch(r"\w+:\d+", str(model.own.get("device", ""))):
            return 0
        most = max(most, cards_needed(model.own))
    return most


def cards_needed(table: dict) -> int:
    """How many cards the model with this table lies on."""
    cards, resources = 1, {**table.get("options", {}), **table.get("resources", {})}
    for shards in SHARDS:
        cards *= resources.get(shards, 1)
    return cards
