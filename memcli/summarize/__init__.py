"""The summarizer child: a program of its own, spoken to in JSON lines (`memcli.memory.jobs` is the protocol)."""
