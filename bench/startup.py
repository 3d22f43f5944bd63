"""How long `lema --help` takes, beside starting Python alone: python bench/startup.py

Prints the median of 11 runs of each, in turn, and their ratio. The limit is half a second.
"""

import statistics
import subprocess
import sys
import time

LIMIT = 0.5


def seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    help_code = "import sys; sys.argv = ['lema', '--help']\nfrom lema.cli import main\nmain()"
    pairs = [(seconds(help_code), seconds("pass")) for _ in range(11)]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"lema --help {ours:.3f} s, python alone {bare:.3f} s: {ours / bare:.1f} times; "
          f"{ours / LIMIT:.2f} of the limit of {LIMIT} s")


if __name__ == "__main__":
    main()
