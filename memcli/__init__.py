"""memcli: an agent's conversation is compacted in an instant and forgets nothing that matters."""

__version__ = "0.1.0"
