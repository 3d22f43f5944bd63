"""What several commands take, as typer reads it."""

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[str, typer.Argument(metavar="CONFIG", help="a TOML file, a recipe's name, or a run's folder")]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE",
                                                     help="lay a value over the config, e.g. sample.paths=4")]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="the folder that holds runs")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="a run's name, or its folder")]
Json = Annotated[bool, typer.Option("--json", help="for programs")]
