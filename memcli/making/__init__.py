"""From the settings to a memory: when updates are due, who writes, what a daemon is told. Verbs and agents ask here."""
