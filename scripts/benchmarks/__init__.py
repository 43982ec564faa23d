"""scripts/bench: how fast memcli is, each figure beside a floor or a peer of the same run. One noun a file."""
