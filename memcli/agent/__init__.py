"""For authors of agents: a list of messages compacted, a watcher beside an agent, a session that remembers itself."""
