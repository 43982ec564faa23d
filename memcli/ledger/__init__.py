"""The fold: facts of a session kept by code, one file a kind of signal. Pure."""
