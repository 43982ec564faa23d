"""Puts manual pages into the wheel, as share/man/man1, made of the command line itself: so they are never old."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPages(BuildHookInterface):
    """What hatchling calls for a wheel, an editable one included."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Before the build: write the pages where it will take them from."""
        sys.path.insert(0, self.root)
        import typer

        from memcli.cli import app
        from memcli.commands.man import man

        self.pages = Path(mkdtemp(prefix="memcli-man-"))
        man([], self.pages, typer.main.get_command(app))
        build_data["shared_data"] |= {str(page): f"share/man/man1/{page.name}" for page in self.pages.iterdir()}

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """After the build: away with them."""
        for page in self.pages.iterdir():
            page.unlink()
        self.pages.rmdir()
