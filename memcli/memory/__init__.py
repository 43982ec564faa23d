"""The memory document: its sections, and how facts of the ledger become text in them. Pure."""
