"""The Ray cluster that a run works on: joined or started, and every machine looked at before anything is asked.

    [machine]
    engine = "ray"
    address = "auto"       # joins the cluster of this machine; none starts one here

One design decision: whatever makes machines unfit to work on one run (another lema, a folder that they do not
share) is found by a look at each of them and said in one line: later it would be a row from somewhere else.
"""

import contextlib
import hashlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import lema
from lema.config import Config
from lema.errors import ConfigError, RunError, installing
from lema.files import make_folder, write_whole

ANSWERS_S = 5.0  # seconds in which a cluster's head must take a connection
LOOK_S = 180.0  # seconds in which each machine must have said what it is: its first worker loads Ray
SEEN_S = 30.0  # seconds until a file of one machine must be seen by the others: NFS remembers what was not there
STORE = 200_000_000  # bytes of object store of a cluster that is started here: what is sent is small


class ClusterNode(NamedTuple):
    """A machine of the cluster."""

    id: str
    name: str
    cpus: int
    gpus: int


def ray_itself() -> ModuleType:
    """The library. ConfigError where it is not installed."""
    if find_spec("ray") is None:
        raise ConfigError(f'machine.engine = "ray": Ray is not installed; {installing("ray")}')
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    return ray


def join(config: Config) -> None:
    """Joins the cluster that the config names, or starts one here. RunError where it does not answer."""
    ray, address = ray_itself(), config.machine.address
    how = {"log_to_driver": False, "logging_level": "ERROR", "namespace": "lema"}
    try:
        if address is None:
            ray.init(address="local", include_dashboard=False, object_store_memory=STORE, **how)
            return
        if address != "auto":
            _require_answer(address)
        ray.init(address=address, **how)
    except ray.exceptions.AuthenticationError:
        raise RunError(f"machine.address = {address!r}: the cluster asks for a token; set RAY_AUTH_MODE=token and "
                       "RAY_AUTH_TOKEN or ~/.ray/auth_token to what its head has, and run the same command again"
                       ) from None
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        words = " ".join(str(error).split())[:200]
        raise RunError(f"machine.address = {address!r}: no Ray cluster answers ({words}); start one with `ray "
                       "start --head`, mend the address, or leave it out to start one here") from None


def _require_answer(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERS_S).close()
    except (OSError, OverflowError) as error:
        raise RunError(f"machine.address = {address!r}: does not answer ({error}); start the cluster there with "
                       "`ray start --head`, or mend the address") from None


def nodes_alive() -> list[ClusterNode]:
    """The machines of the cluster, in an order of their own that stays the same."""
    nodes = []
    for node in ray_itself().nodes():
        if node["Alive"]:
            has = node["Resources"]
            nodes.append(ClusterNode(node["NodeID"], node["NodeManagerHostname"], int(has.get("CPU", 0)),
                                     int(has.get("GPU", 0))))
    return sorted(nodes)


@cache
def code_hash(folder: Path = Path(lema.__file__).parent) -> str:
    """What lema's own code is: two machines with one version may still have two checkouts."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def look_at(nodes: list[ClusterNode], folder: Path) -> None:
    """RunError where a machine has another lema than this one, or does not share the run's folder or the folder in
    which lema was started."""
    ray = ray_itself()
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    with _token(folder) as token:
        looks = {}
        for node in nodes:
            place = NodeAffinitySchedulingStrategy(node.id, soft=False)
            look = ray.remote(num_cpus=0, max_retries=1, scheduling_strategy=place)(_looker())
            looks[node] = look.remote(str(Path.cwd()), str(token.absolute()), node.id, SEEN_S)
        ray.wait(list(looks.values()), num_returns=len(looks), timeout=LOOK_S)
        for node, look in looks.items():
            try:
                _require_fit(node, ray.get(look, timeout=1), folder)
            except ray.exceptions.GetTimeoutError:
                raise RunError(f"node {_label(node)}: did not answer within {LOOK_S:g} s; look at its Ray, or "
                               "take it out of the cluster") from None
            except ray.exceptions.RayError as error:
                raise RunError(f"node {_label(node)}: no work can be done there ({_first_line(error)}); look at "
                               "its Ray, or take it out of the cluster") from None
            _require_seen(token.with_name(f"{token.name}.{node.id}"), node, folder)


def _looker():
    """What a machine says of itself. A function of its own each time, which Ray sends as it is written: a machine
    without lema has none to import."""
    def look(started_in: str, token: str, node: str, patience: float) -> dict:
        import os
        import time

        facts = {"version": "", "code": "", "error": "", "started_in": os.path.isdir(started_in), "shared": False}
        try:
            from importlib.metadata import version

            from lema.runs.cluster import code_hash

            facts["version"], facts["code"] = version("lema"), code_hash()
        except Exception as error:
            facts["error"] = f"{type(error).__name__}: {error}"
        until = time.monotonic() + patience * os.path.isdir(os.path.dirname(token))
        while not (there := os.path.isfile(token)) and time.monotonic() < until:
            time.sleep(0.1)
        if there:
            with open(f"{token}.{node}", "w") as mine:
                mine.write(node)
            facts["shared"] = True
        return facts

    return look


def _require_fit(node: ClusterNode, facts: dict, folder: Path) -> None:
    if facts["error"]:
        raise RunError(f"node {_label(node)}: lema cannot be loaded there ({facts['error'].splitlines()[0]}); "
                       "install the same lema on every machine of the cluster")
    if facts["code"] != code_hash():
        raise RunError(f"node {_label(node)}: has another lema ({facts['version']}, code {facts['code']}) than "
                       f"this machine ({_version()}, code {code_hash()}); install the same one on every "
                       "machine of the cluster")
    if not facts["shared"]:
        raise RunError(f"node {_label(node)}: does not see {folder.absolute()}, which the machines of a cluster "
                       "share; put the run on a file system that all of them have there, with --runs DIR")
    if not facts["started_in"]:
        raise RunError(f"node {_label(node)}: has no folder {Path.cwd()}, from which the config's paths start; "
                       "start lema in one that all machines share")


def _require_seen(mine: Path, node: ClusterNode, folder: Path) -> None:
    """What the machine wrote is seen here too."""
    until = time.monotonic() + SEEN_S
    while not mine.is_file():
        if time.monotonic() > until:
            raise RunError(f"node {_label(node)}: what it writes into {folder.absolute()} is not seen here; put "
                           "the run on a file system that all machines of the cluster share, with --runs DIR")
        time.sleep(0.1)


@contextlib.contextmanager
def _token(folder: Path) -> Iterator[Path]:
    """A file by which machines tell whether a folder is the same one to them."""
    make_folder(folder)
    token = folder / f"shared-{secrets.token_hex(8)}"
    write_whole(token, "")
    try:
        yield token
    finally:
        for file in folder.glob(f"{token.name}*"):
            file.unlink(missing_ok=True)


def _version() -> str:
    from importlib.metadata import version

    return version("lema")


def _label(node: ClusterNode) -> str:
    return f"{node.name} ({node.id[:8]})"


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else type(error).__name__


def environment(config: Config) -> dict[str, str]:
    """What of this process's environment its actors need: keys of endpoints, by the names in the config, and how
    libraries compute."""
    names = {"TOKENIZERS_PARALLELISM", "HF_HUB_DISABLE_TELEMETRY", "TRL_EXPERIMENTAL_SILENCE", "HF_HUB_OFFLINE",
             "ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA"}
    for model in config.models.values():
        names.add(model.own.get("api_key_env") or "OPENAI_API_KEY")
    kept = {name: os.environ[name] for name in sorted(names) if name in os.environ}
    threads = config.machine.threads or os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1
    return {**kept, "OMP_NUM_THREADS": str(threads)}
