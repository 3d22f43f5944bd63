"""`python -m lema`: the `lema` command, where its script is not on the path."""

from importlib import import_module

import_module("lema.cli").main()
