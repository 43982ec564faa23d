"""`memcli completion`: print the completion script of a shell."""

from __future__ import annotations

from typing import Any

from memcli.errors import Usage
from memcli.ui import completion as scripts
from memcli.ui.verbs import tree


def completion(shell: str, program: Any) -> int:
    """Print the script for bash, zsh or fish; `program` is what typer made of the command line. Raises Usage."""
    try:
        text = scripts.script(shell, tree(program))
    except KeyError:
        raise Usage(f"no completion for {shell}: there is bash, zsh and fish", "memcli completion bash") from None
    print(text, end="")
    return 0
