"""Programs as their users have them: a wheel of this tree, or a package of the index, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from scripts.benchmarks.rounds import Failed

ROOT = Path(__file__).parents[2]

_OURS = ("MEMCLI_", "ANTHROPIC_", "XDG_", "PYTHON", "COZEMPIC_")
_PATIENCE_SECONDS = 900


class Installed:
    """An environment with programs in it."""

    def __init__(self, directory: Path) -> None:
        """Make an empty one, without pip: pip works on it from outside, so nothing of it is there at a start."""
        self.bin = directory / "bin"
        self.python = str(self.bin / "python")
        _do([sys.executable, "-m", "venv", "--without-pip", str(directory)])

    def program(self, name: str) -> str:
        """The path of a program. Raises Failed if it was not installed."""
        path = self.bin / name
        if not path.exists():
            raise Failed(f"no program {name} was installed")
        return str(path)

    def add(self, *arguments: str) -> None:
        """Let pip install something. Raises Failed."""
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        _do([*_pip(), "--python", self.python, "install", *quiet, *arguments])

    def borrow(self) -> None:
        """See the packages of the interpreter that runs us, by a line that names their directory."""
        site = Path(sysconfig.get_path("purelib", vars={"base": str(self.bin.parent)}))
        (site / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")


def install_memcli(directory: Path, *, offline: bool) -> Installed:
    """This tree as a wheel, with what requirements.txt pins; `offline` borrows that from the running interpreter.

    Raises Failed.
    """
    made = Installed(directory)
    wheels = directory / "wheels"
    _do([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(wheels)], cwd=ROOT)
    if offline:
        made.borrow()
    else:
        made.add("--require-hashes", "--no-deps", "--requirement", str(ROOT / "requirements.txt"))
    made.add("--no-deps", "--no-index", *map(str, wheels.glob("*.whl")))
    return made


def install_peer(directory: Path, package: str) -> Installed:
    """A package of the index, newest version. Raises Failed."""
    made = Installed(directory)
    made.add(package)
    return made


def environment(home: Path) -> dict[str, str]:
    """The environment of everything that is measured: a home of its own, no settings, no keys."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": ""}


def _pip() -> list[str]:
    """The pip at hand: of this environment, or of the Python that made it."""
    for python in (sys.executable, os.path.realpath(sys.executable)):
        if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
            return [python, "-m", "pip"]
    raise Failed("there is no pip")


def _do(argv: list[str], cwd: Path | None = None) -> None:
    ran = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS)
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise Failed(f"{' '.join(argv[:4])} ended with {ran.returncode}: {said[-1][:300] if said else ''}")
