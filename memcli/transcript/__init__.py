"""Pure: bytes of a transcript to entries, and what they are to each other."""
