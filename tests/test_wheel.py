"""The package that is built holds everything that a run needs, and is what somebody gets who has no checkout.

One design decision: the environment is empty but for the wheel, and finds its dependencies where the tests do, so
that nothing is fetched.
"""

import os
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.processes import ended

ROOT = Path(__file__).resolve().parents[1]
pytest.importorskip("build", reason="build is not installed (make test installs it)")
pytest.importorskip("hatchling", reason="hatchling is not installed (make test installs it)")


@pytest.mark.slow
def test_the_wheel_in_an_empty_environment_runs_tiny(tmp_path):
    ended([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("lema-*.whl")
    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    site = home / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
        tables = packed.namelist()
    assert "lema/py.typed" in tables and any(name.endswith("licenses/LICENSE") for name in tables)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python, clean = home / "bin" / "python", {name: value for name, value in os.environ.items()
                                              if name != "PYTHONPATH"}
    clean["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    place = ended([python, "-c", "import lema; print(lema.__file__)"], cwd=tmp_path, env=clean, check=True).stdout
    assert place.startswith(str(site)), place
    done = ended([python, "-m", "lema", "run", "tiny"], cwd=tmp_path, env=clean, check=True)
    assert "report: runs/tiny/report/report.html" in done.stdout
    assert (tmp_path / "runs/tiny/report/report.html").is_file()
