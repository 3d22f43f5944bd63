"""What every test may ask for, how hypothesis draws for all of them, and the last line: what was skipped, why."""

import signal
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# A shell that starts the tests in the background has SIGINT ignored, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# on a busy machine an example takes as long as it takes
settings.register_profile("unhurried", settings.get_profile(settings.get_current_profile_name()), deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public data beside the checkout; tests that need it are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data beside the checkout ({SHARED_DATA.parent.name}/{SHARED_DATA.name})")
    return SHARED_DATA


def pytest_unconfigure(config: pytest.Config) -> None:
    """Below pytest's own last line, which stays as it is."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    skipped = reporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    if reasons:
        shown = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        reporter.write_line(f"skipped: {shown}")
