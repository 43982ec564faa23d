"""`memcli config show`: every setting, its value and where it comes from."""

from __future__ import annotations

from itertools import groupby

from memcli.making import setup
from memcli.settings import KEYS

LONGEST = 48
"""Characters of a value in a line; JSON holds it whole."""


def config_show(*, as_json: bool) -> int:
    """Print a line a setting under some headings, or one JSON object. Raises Usage for a value that makes no sense."""
    loaded = setup.load({})
    values = loaded.settings._asdict()
    if as_json:
        from memcli.commands import reports

        shown = {name: reports.Setting(value, loaded.origins[name]) for name, value in values.items()}
        print(reports.Config(settings=shown).to_line())
        return 0
    width = max(map(len, values))
    for heading, names in groupby(values, lambda name: KEYS[name].heading):
        print(f"{heading}:")
        for name in names:
            print(f"  {name.replace('_', '-'):{width}}  {_spelled(values[name]):12}  {loaded.origins[name]}")
    return 0


def _spelled(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        value = ", ".join(value)
    text = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
