"""Any text is a config or one line that says what is wrong with it: python tests/fuzz/configs.py --seconds 60"""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lema.commands.run_folder import check_files, stages_of
from lema.commands.stored_config import differences
from lema.config import RECIPES, Config, load_config, load_table, parse_config
from lema.errors import ConfigError, LemaError
from tests.fuzz.mutating import Target, home, main
from tests.paying import CONFIG, PRICES

MORE = PRICES + """
[budget]
money = 3
[verify]
checks = ["answer"]
[critique]
model = "corrector"
[evolve.grown]
model = "corrector"
seeds = 3
[arms.a]
take = [{ kind = "cot" }, { kind = "correction", round = "grown" }]
[report]
baseline = "a"
"""
SEEDS = (CONFIG.format(backend="api", url="http://127.0.0.1:1/v1", more=MORE).encode(),
         *(path.read_bytes() for path in sorted(RECIPES.glob("*.toml"))))
PIECES = (b"[arms.a]\n", b"[models.x]\n", b'backend = "api"\n', b'backend = "batch"\n', b'backend = "recorded"\n',
          b'backend = "transformers"\n', b"take = [{ kind = ", b'name = "../x"\n', b"model = 3\n", b"[sample]\n",
          b"[train]\n", b"seeds = [1, 1]\n", b"[evolve.a.b]\n", b"= { a = 1 }\n", b'"\\ud800"', b"1979-05-27\n",
          b"[[arms]]\n", b"budget = { tokens = -1 }\n", b'extra = { api_key = "x" }\n', b"'''\n", b"round", b"inf",
          b"[imports]\n", b"models = []\n", b'"a" = 1\n', b"0x", b"kind", b"continue", b"one_step", b"limit = 0\n")
FILE = home() / "x.toml"


def check(data: bytes) -> None:
    """Reads bytes as a config, plans it, and lays its own text over another one. AssertionError for a broken
    promise."""
    FILE.write_bytes(data)
    try:
        config = load_config(str(FILE))
        assert isinstance(config, Config)
        stages = stages_of(FILE.parent / "run", config)
        for stage in stages.values():
            assert len(stage.fingerprint) == 16
        check_files(config, stages)
    except LemaError as error:
        assert str(error) and all(len(line) < 2000 for line in error.lines), error
        assert type(error).__name__ == "ConfigErrors" or "\n" not in str(error), error
    line = random.Random(data).choice(data.decode("utf-8", "replace").splitlines() or [""])
    try:
        table = load_table("tiny", [line.replace(" = ", "=")])
        parse_config(table, "tiny")
        assert all(isinstance(difference, str) for difference in differences(table, load_table("tiny")))
    except ConfigError as error:
        assert "\n" not in str(error), error


TARGET = Target("configs", SEEDS, check, PIECES)

if __name__ == "__main__":
    main(TARGET)
