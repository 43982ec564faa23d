"""`python -m memcli.summarize`: what the daemon starts. `memcli summarize` is the same program."""

from memcli.summarize.child import main

if __name__ == "__main__":
    raise SystemExit(main())
