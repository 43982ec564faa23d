"""Real clients from npm, installed below .venv.

Node believes only the certificates that it brings along. Where a proxy stands between, the system trusts one more, so
npm is told of those, unless the environment names some already.
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
INSTALL_SECONDS = 240


class Package(NamedTuple):
    """A client: what it is called, its package, and where its program then lies, as a pattern below `node_modules`."""

    title: str
    name: str
    program: str

    def installed(self, version: str) -> Path | None:
        """The client of that version; None, with a line that says why, where that cannot be."""
        place = ROOT / ".venv" / "clients" / self.name.rpartition("/")[2] / version
        found = self._program(place)
        if found and version != "latest":
            return found
        why = _failed(place, f"{self.name}@{version}")
        found = self._program(place)
        if found is None:
            print(f"skipped: {self.title} {version} cannot be installed here ({why or 'no program for this machine'})")
        elif why:
            print(f"{self.title} as it was installed before ({why})")
        return found

    def _program(self, place: Path) -> Path | None:
        return next(iter(place.glob(f"node_modules/{self.program}")), None)


def _failed(place: Path, wanted: str) -> str:
    """Install it; "" if npm did, else why not. It gives up soon where there is no network."""
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm"
    quick = ["--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000", "--ignore-scripts"]
    command = [npm, "install", *quick, "--loglevel=error", "--prefix", str(place), wanted]
    try:
        ran = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS, env=environment()
        )
    except subprocess.TimeoutExpired:
        return f"npm took more than {INSTALL_SECONDS} s"
    said = [line.removeprefix("npm error ") for line in ran.stderr.splitlines() if line.startswith("npm error ")]
    telling = (line for line in said if not line.startswith(("code ", "errno ", "A complete log")))
    return next(telling, f"npm ended with {ran.returncode}") if ran.returncode else ""


def environment() -> dict[str, str]:
    """What npm is to know: all but the keys of the user, and whom this system trusts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    trusted = ssl.get_default_verify_paths()
    bundles = (trusted.cafile, f"{trusted.capath}/ca-certificates.crt", "/etc/ssl/cert.pem")
    found = next((bundle for bundle in bundles if bundle and os.path.isfile(bundle)), None)
    return {"NODE_EXTRA_CA_CERTS": found, **kept} if found else kept
