"""How the tests of the api backend call it."""

from lema.models.api import Model, Settings
from lema.records import Sampling
from tests.server import Fault, Server

DRAWN = Sampling(temperature=1.0, max_tokens=50, seed=3)


def model_at(*servers: Server, **settings) -> Model:
    return Model(Settings(model="m", base_url=[server.url for server in servers], **settings))


def asked(*faults: Fault | None):
    """A server's faults: the n-th request that comes fails as the n-th argument says."""
    known = dict(enumerate(faults))
    return lambda number, body: known.get(number)
