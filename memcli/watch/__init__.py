"""The daemon: what notices, follows, decides when, starts children, and carries effects out."""
