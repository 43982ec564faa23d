"""What can go wrong, each with a sentence, a command that helps, and an exit code.

    MemcliError                 1   failed
    ├── Usage                   2   the command line or a setting is wrong
    ├── NotATranscript          1   a file, but not JSONL of a supported format
    │   └── IsDirectory         1   a directory where one transcript is needed
    ├── NotReadable             1   no permission, or the disk failed
    ├── NotWritable             1   neither the transcript's directory nor the state directory takes our files
    ├── SummarizerFailed        1   the summarizer child gave no usable answer
    ├── NoAnswer                1   the endpoint of a chat gave no answer, and will not if it is asked the same again
    ├── NothingThere            3
    │   ├── NoTranscript        3   no such file, or none to choose
    │   ├── NoMessages          3   a transcript without a single conversation message
    │   └── NoMemory            3   no session memory, or no such generation
    ├── MemoryStale             4   the transcript is further than the memory
    │   └── MemoryForeign       4   the memory is of another transcript
    ├── AlreadyWatched          5   another process holds the lock
    └── TryAgain               75   it may work later: something is busy, or time ran out

Interruption (130), a closed pipe (141), termination (143) and bugs (70) are no MemcliError; `edge.py` maps them.
This module stands on the instant route: it imports nothing, `__future__` included.
"""

SUPPORTED = (
    "supported are JSONL transcripts of Claude Code, Codex, pi/OpenClaw, Anthropic messages and OpenAI chat messages"
)


class MemcliError(Exception):
    """A failure we expect. `sentence` says what is wrong, `hint` is a command that helps (shown after `Try:`)."""

    code = 1

    def __init__(self, sentence: str, hint: str = "memcli --help") -> None:
        super().__init__(sentence, hint)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"Error: {self.sentence}\nTry: {self.hint}"


class Usage(MemcliError):
    """The command line or a setting is wrong; nothing was done."""

    code = 2


class NotATranscript(MemcliError):
    """A file that holds no JSONL transcript of a supported format; the sentence ends in `SUPPORTED`."""

    def __init__(self, sentence: str, hint: str = "memcli --help") -> None:
        super().__init__(sentence if SUPPORTED in sentence else f"{sentence}; {SUPPORTED}", hint)


class IsDirectory(NotATranscript):
    """A directory where one transcript is needed."""


class NotReadable(MemcliError):
    """The file is there, but we may not or cannot read it."""


class NotWritable(MemcliError):
    """No place takes the files we must write."""


class SummarizerFailed(MemcliError):
    """The summarizer child gave no usable answer; the memory is what it was."""


class NoAnswer(MemcliError):
    """The endpoint of a chat gave no answer, and asking the same again is pointless; the conversation is kept."""


class NothingThere(MemcliError):
    """What was asked for does not exist."""

    code = 3


class NoTranscript(NothingThere):
    """No such file, or no transcript to choose where none was named."""


class NoMessages(NothingThere):
    """A transcript without a single conversation message."""


class NoMemory(NothingThere):
    """No session memory, or not the generation that was named."""


class MemoryStale(MemcliError):
    """The transcript is further than its memory."""

    code = 4


class MemoryForeign(MemoryStale):
    """The memory beside the transcript is not of this transcript."""


class AlreadyWatched(MemcliError):
    """Another process holds the lock of this transcript; `pid` is 0 where it is not known.

    `daemon`: it is one that can be asked and stopped, and not a verb that is at work for a moment.
    """

    code = 5

    def __init__(self, sentence: str, hint: str = "memcli status", pid: int = 0, daemon: bool = False) -> None:
        super().__init__(sentence, hint)
        self.pid = pid
        self.daemon = daemon


class TryAgain(MemcliError):
    """It may work later: something is busy, or the time allowed ran out."""

    code = 75
