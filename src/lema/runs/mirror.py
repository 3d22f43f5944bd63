"""A run's finished stages and its journal on an fsspec URL, such as a bucket: what outlives this machine's disk.

    [machine]
    mirror = "s3://bucket/runs"         # the extra "cloud"; for others the package that fsspec names

One design decision: a run is worked on in a folder and copied out, never worked on in a bucket: locks, renames and
the journal's commits are promises of a file system. A stage's record.json is copied last, so one without it is not
there.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from lema.errors import ConfigError, RunError, installing
from lema.files import make_folder, remove, sync
from lema.journal.opening import PATIENCE
from lema.runs.news import News, Progress

NAME, CONFIG, RECORD = "journal.sqlite", "config.toml", "record.json"


class Mirror:
    """The copy of one run's `folder` below a URL. ConfigError where the URL's kind is not known here."""

    def __init__(self, url: str, folder: Path) -> None:
        if find_spec("fsspec") is None:
            raise ConfigError(f"machine.mirror: fsspec is not installed; {installing('cloud')}")
        import fsspec

        self._url, self._folder = f"{url.rstrip('/')}/{folder.absolute().name}", folder
        try:
            self._files, self._root = fsspec.core.url_to_fs(self._url)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"machine.mirror = {url!r}: {error}; {installing('cloud')} brings S3") from None

    def fetch(self) -> int:
        """Brings what is there into a folder that holds no run yet; how many stages came."""
        if (self._folder / NAME).exists() or (self._folder / CONFIG).exists():
            return 0
        with self._explained("read"):
            self._files.invalidate_cache()
            records = self._files.glob(f"{self._root}/**/{RECORD}")
            for record in records:
                self._fetch_stage(PurePosixPath(record).parent.relative_to(self._root).as_posix())
            for name in (NAME, CONFIG):
                if self._files.exists(f"{self._root}/{name}"):
                    part = self._folder / f"{name}.fetched"
                    self._files.get_file(f"{self._root}/{name}", str(part))
                    part.replace(self._folder / name)
            sync(self._folder)
        return len(records)

    def _fetch_stage(self, name: str) -> None:
        place, part = self._folder / name, self._folder / f"{name}.fetched"
        remove(part)
        for file in self._files.find(f"{self._root}/{name}"):
            inside = PurePosixPath(file).relative_to(f"{self._root}/{name}")
            make_folder((part / inside).parent)
            self._files.get_file(file, str(part / inside))
        sync(part, within=True)
        part.replace(place)

    def watching(self, progress: Progress) -> Progress:
        """Hands news on, and copies each stage that is finished, with the journal as it then is."""
        def seen(news: News) -> None:
            progress(news)
            if news.state == "finished":
                self.keep(news.stage)
                self.keep_rest()
        return seen

    def keep(self, name: str) -> None:
        """Copies a finished stage; what was there of it goes first, its record before all else."""
        place, there = self._folder / name, f"{self._root}/{name}"
        with self._explained("written"):
            for old in (f"{there}/{RECORD}", there):
                if self._files.exists(old):
                    self._files.rm(old, recursive=True)
            files = sorted(file for file in place.rglob("*") if file.is_file())
            for file in sorted(files, key=lambda file: file == place / RECORD):
                self._put(file, f"{name}/{file.relative_to(place).as_posix()}")

    def keep_rest(self) -> None:
        """Copies the config and a whole journal, which others may be writing into meanwhile."""
        with self._explained("written"), tempfile.TemporaryDirectory() as aside:
            if (self._folder / NAME).is_file():
                copy = Path(aside) / NAME
                with contextlib.closing(sqlite3.connect(self._folder / NAME, timeout=PATIENCE)) as journal, \
                        contextlib.closing(sqlite3.connect(copy)) as out:
                    journal.backup(out)
                self._put(copy, NAME)
            if (self._folder / CONFIG).is_file():
                self._put(self._folder / CONFIG, CONFIG)

    def _put(self, file: Path, name: str) -> None:
        place = f"{self._root}/{name}"
        self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(file), place)

    @contextlib.contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        """Whatever a file system raises becomes one line; the run itself is whole."""
        try:
            yield
        except Exception as error:  # each implementation of fsspec has its own
            words = " ".join(str(error).split())[:200] or type(error).__name__
            raise RunError(f"{self._url}: cannot be {done} ({words}); see to the bucket and your credentials, or "
                           f"leave machine.mirror out, and run the same command again: {self._folder} is kept"
                           ) from None
