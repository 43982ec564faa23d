"""One file a verb: each offers one function named as the verb, which returns the exit code."""
