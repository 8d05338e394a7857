"""Keep a configuration up to date in a process that runs for days, and survive mistakes in it meanwhile.

Belongs here: when a file is read again. Not here: reading it (`loading`), what a process does about mistakes.
"""

from __future__ import annotations

import threading
from pathlib import Path

from dataset_assets.config.loading import read_config, settings_from_text
from dataset_assets.config.models import Settings
from dataset_assets.config.register import read_register, register_path, with_watched
from dataset_assets.errors import ConfigError

_Mark = tuple[int, int, int] | None


class ConfigReader:
    """Reads a configuration again whenever its file, or the register of watched films, has changed.

    Asking is cheap enough for every two seconds: two `stat` calls. Several threads may share one reader.

    Attributes:
        path: The configuration file.
    """

    def __init__(self, path: Path) -> None:
        """Read nothing yet.

        Args:
            path: The configuration file.
        """
        self.path = path
        self._lock = threading.Lock()
        self._marks: tuple[_Mark, _Mark] | None = None
        self._register: Path | None = None
        self._settings: Settings | None = None
        self._problems: list[str] = []

    def read(self) -> Settings:
        """Return the settings as they are now: the same object until a file changes.

        Raises:
            ConfigError: The file holds mistakes; all of them are listed.
        """
        with self._lock:
            marks = self._look()
            if marks != self._marks:
                self._load()
                # A change while it is read shows at the next call: the marks are older.
                self._marks = (marks[0], _mark(self._register))
            if self._problems or self._settings is None:
                raise ConfigError(self._problems)
            return self._settings

    def last_valid(self) -> Settings | None:
        """Return the settings as they are now or, while they hold mistakes, as they were before.

        Returns:
            The settings; None if there were none without mistakes since the process started.
        """
        try:
            return self.read()
        except ConfigError:
            return self._settings

    def mistake(self) -> str:
        """Return what is wrong with the configuration now, in one line; empty where nothing is."""
        try:
            self.read()
        except ConfigError as error:
            return error.summary
        return ""

    def _look(self) -> tuple[_Mark, _Mark]:
        return _mark(self.path), _mark(self._register)

    def _load(self) -> None:
        try:
            settings = settings_from_text(read_config(self.path), self.path)
            self._register = register_path(settings) if settings.watch else None
            if settings.watch:
                settings = with_watched(settings, read_register(settings))
            self._settings, self._problems = settings, []
        except ConfigError as error:
            self._problems = error.problems


def _mark(path: Path | None) -> _Mark:
    """Return what changes with every change of a file; None where there is none."""
    if path is None:
        return None
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
