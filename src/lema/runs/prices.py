"""What a model's tokens cost: the config's own table, else a maintained price list, else unknown.

One design decision: a price is a pure function of the config, looked up anew whenever money is shown; what the
journal and the records keep are tokens. An unknown price is None and is never counted as nothing; a model that
runs here costs nothing and says so.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

from lema.config import Config
from lema.messages import Completion
from lema.plugins import Settings, find, settings_of

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, and where that is written."""

    input: float
    output: float
    source: str
    here: bool = False  # computed on this machine

    def of(self, prompt_tokens: float, tokens: float) -> float:
        """Dollars for so many tokens."""
        return (prompt_tokens * self.input + tokens * self.output) / MILLION


HERE = Price(0.0, 0.0, "computed here: costs nothing", here=True)

Prices = Callable[[str], Price | None]
"""The price of a model by its name."""


@dataclass(slots=True)
class Usage:
    """What one stage was given by one model. `paid_…` weigh tokens by the share of the price that was charged;
    `new_…` are those that were not known before."""

    asked: int = 0
    known: int = 0  # given by the journal: paid before
    failed: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    paid_prompt_tokens: float = 0.0
    paid_tokens: float = 0.0
    new_tokens: int = 0
    new_paid_prompt_tokens: float = 0.0
    new_paid_tokens: float = 0.0

    def add(self, completion: Completion, known: bool) -> None:
        """Counts one completion and whether the journal knew it."""
        paid_prompt, paid = completion.share * completion.prompt_tokens, completion.share * completion.tokens
        self.failed += completion.failed
        self.prompt_tokens += completion.prompt_tokens
        self.tokens += completion.tokens
        self.paid_prompt_tokens += paid_prompt
        self.paid_tokens += paid
        if known:
            self.known += 1
            return
        self.asked += 1
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
        return asdict(self)

    @classmethod
    def read(cls, row: dict) -> "Usage":
        """What `row` gave."""
        return cls(**{field.name: row.get(field.name, 0) for field in fields(cls)})


def price_of(config: Config, name: str) -> Price | None:
    """The price of the config's model `name`; a model that the run itself makes is none of the config's."""
    table = config.models.get(name)
    if table is None or table.grow:
        return HERE
    module = find("models", table.backend, "Model")
    if getattr(module.Model, "runs_here", False):
        return HERE
    settings = settings_of(module.Settings, table.own, f"models.{name}")
    return price_by_name(config, served_name(settings) or name, _address(settings))


def served_name(settings: Settings) -> str:
    """The model's name as its endpoint knows it: the `model` of its journal rows; "" where it has none."""
    return str(getattr(settings, "model", ""))


def served_prices(config: Config) -> Prices:
    """The price of a model by its name in the journal: that of the config's model which is served under it."""
    known: dict[str, Price | None] = {}
    for name, table in config.models.items():
        if table.grow is None:
            settings = settings_of(find("models", table.backend, "Model").Settings, table.own, f"models.{name}")
            known[served_name(settings)] = price_of(config, name)
    return lambda model: known.get(model) or price_by_name(config, model)


def price_by_name(config: Config, model: str, address: str | None = None) -> Price | None:
    """The price of a served model: [prices.X] by its name or, in a list, by the name that stands there."""
    table = config.prices.get(model)
    if isinstance(table, str):
        provider, _, listed = table.partition("/")
        return _listed(listed, provider_id=provider)
    if table is not None:
        return Price(table.input, table.output, "the config")
    return _listed(model, provider_api_url=address) if address else None


def _address(settings: Settings) -> str | None:
    """The endpoint's address, the first where it has several."""
    given = getattr(settings, "base_url", None)
    return given if isinstance(given, str) or not given else str(next(iter(given)))


def _listed(model: str, **provider: str) -> Price | None:
    """The price in the list that the package genai-prices carries; nothing is fetched."""
    import genai_prices

    try:  # a thousand tokens of either kind: below every tier at which a price changes
        few = genai_prices.Usage(input_tokens=1000, output_tokens=1000)
        found = genai_prices.calc_price(few, model, **provider)
    except LookupError:
        return None
    return Price(float(found.input_price) * 1000, float(found.output_price) * 1000,
                 f"genai-prices {genai_prices.__version__}, {found.provider.id}/{found.model.id}")
