"""What lies beside a transcript: where, how it is written so that a crash loses nothing, and who may write."""
