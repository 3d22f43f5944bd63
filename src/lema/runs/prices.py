"""What a model's tokens cost: the config's own table, else a maintained price list, else unknown.

One design decision: a price is a pure function of the config, looked up anew whenever money is shown; what the
journal and the records keep are tokens. An unknown price is None and is never counted as nothing; a model that
runs here costs nothing and says so.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from lema.config import Config
from lema.messages import Completion
from lema.plugins import Settings, find
from lema.runs.dependencies import backend_settings

MILLION = 1_000_000
IN_RECORDS = {"sent": "asked", "remembered": "known"}
"""Figures of a Usage that go by other names in the files of runs."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, and where that is written."""

    input: float
    output: float
    source: str
    here: bool = False  # computed on this machine
    cached: float | None = None  # of prompt tokens that a cache serves; None: no less is known

    def of(self, prompt_tokens: float, tokens: float, cached: float = 0) -> float:
        """Dollars for so many tokens, of which the prompts hold `cached` that a cache serves."""
        less = 0.0 if self.cached is None else cached * (self.input - self.cached)
        return (prompt_tokens * self.input + tokens * self.output - less) / MILLION


HERE = Price(0.0, 0.0, "computed here: costs nothing", here=True)

Prices = Callable[[str], Price | None]
"""The price of a model by its name."""


@dataclass(slots=True)
class Usage:
    """What one stage was given by one model. `paid_…` weigh tokens by the share of the price that was charged;
    `new_…` are those that the journal did not hold before."""

    sent: int = 0
    remembered: int = 0  # given by the journal: paid before
    failed: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    paid_prompt_tokens: float = 0.0
    paid_tokens: float = 0.0
    new_tokens: int = 0
    new_paid_prompt_tokens: float = 0.0
    new_paid_tokens: float = 0.0
    reckoned: int = 0  # replies whose tokens were counted from the text

    @property
    def replies(self) -> int:
        return self.sent + self.remembered

    def add(self, completion: Completion, remembered: bool | None) -> None:
        """Counts one completion and whether the journal gave it; None: it was charged beside the answers."""
        paid_prompt, paid = completion.share * completion.prompt_tokens, completion.share * completion.tokens
        self.failed += completion.failed and remembered is not None
        self.reckoned += completion.reckoned
        self.prompt_tokens += completion.prompt_tokens
        self.tokens += completion.tokens
        self.paid_prompt_tokens += paid_prompt
        self.paid_tokens += paid
        if remembered:
            self.remembered += 1
            return
        self.sent += remembered is not None
        self.new_tokens += completion.prompt_tokens + completion.tokens
        self.new_paid_prompt_tokens += paid_prompt
        self.new_paid_tokens += paid

    def cost(self, price: Price | None) -> float | None:
        """Dollars; None where the price is unknown and anything was written or read."""
        if price is None:
            return None if self.prompt_tokens or self.tokens else 0.0
        return price.of(self.paid_prompt_tokens, self.paid_tokens)

    def row(self) -> dict:
        """JSON-ready, for record.json."""
        return {IN_RECORDS.get(name, name): figure for name, figure in asdict(self).items()}

    @classmethod
    def read(cls, row: dict) -> "Usage":
        """What `row` gave."""
        return cls(**{name: row.get(IN_RECORDS.get(name, name), 0) for name in cls.__slots__})


def price_of(config: Config, name: str) -> Price | None:
    """The price of the config's model `name`; a model that the run itself makes is none of the config's."""
    table = config.models.get(name)
    if table is None or table.grow:
        return HERE
    if getattr(find("models", table.backend, "Model").Model, "runs_here", False):
        return HERE
    settings = backend_settings(name, table.backend, table.own)
    return _price_by_name(config, _served_name(settings) or name, _address(settings))


def source_of(price: Price | None) -> str:
    """Where a price is written, for people."""
    return price.source if price else "price unknown"


def _served_name(settings: Settings) -> str:
    """The model's name as its endpoint knows it: the `model` of its journal rows; "" where it has none."""
    return str(getattr(settings, "model", ""))


def served_prices(config: Config) -> Prices:
    """The price of a model by its name in the journal: that of the config's model which is served under it."""
    prices: dict[str, Price | None] = {}
    for name, table in config.models.items():
        if table.grow is None:
            prices[_served_name(backend_settings(name, table.backend, table.own))] = price_of(config, name)
    return lambda model: prices.get(model) or _price_by_name(config, model)


def _price_by_name(config: Config, model: str, address: str | None = None) -> Price | None:
    """The price of a served model: [prices.X] by its name or, in a list, by the name that stands there."""
    table = config.prices.get(model)
    if isinstance(table, str):
        return price_by_list(table)
    if table is not None:
        return Price(table.input, table.output, "the config", cached=table.cached)
    return _listed(model, provider_api_url=address) if address else None


def price_by_list(name: str) -> Price | None:
    """The price of a model by its name in the list, "provider/model"."""
    provider, _, listed = name.partition("/")
    return _listed(listed, provider_id=provider)


def _address(settings: Settings) -> str | None:
    """The endpoint's address, the first where it has several."""
    given = getattr(settings, "base_url", None)
    return given if isinstance(given, str) or not given else str(next(iter(given)))


def _listed(model: str, **provider: str) -> Price | None:
    """The price in the list that the package genai-prices carries; nothing is fetched."""
    import genai_prices

    try:  # a thousand tokens of either kind: below every tier at which a price changes
        few = genai_prices.Usage(input_tokens=1000, output_tokens=1000)
        listed = genai_prices.calc_price(few, model, **provider)
        again = genai_prices.Usage(input_tokens=1000, cache_read_tokens=1000, output_tokens=1000)
        cached = genai_prices.calc_price(again, model, **provider).input_price
    except LookupError:
        return None
    return Price(float(listed.input_price) * 1000, float(listed.output_price) * 1000,
                 f"genai-prices {genai_prices.__version__}, {listed.provider.id}/{listed.model.id}",
                 cached=float(cached) * 1000 if cached < listed.input_price else None)
