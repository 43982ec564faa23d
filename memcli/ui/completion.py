"""Completion scripts for bash, zsh and fish, made of the verbs.

They hold all there is to complete: no program is started at a press of Tab. After an update of memcli they are made
anew, by whoever made them (`memcli completion --help` says where they go).
Where a transcript is wanted, files named *.jsonl and directories are offered.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from memcli.ui.verbs import Option, Verb, every

if TYPE_CHECKING:
    from collections.abc import Callable

_BASH = r"""# bash completion of memcli. Works with bash 3.2 (macOS) and needs no library.

_memcli_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  case $1 in
    transcript) COMPREPLY=($(compgen -f -X '!*.jsonl' -- "$current") $(compgen -d -- "$current")) ;;
    directory) COMPREPLY=($(compgen -d -- "$current")) ;;
    file) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}

_memcli() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb= word i
  # --option=value comes as three words
  [[ $current == '=' ]] && current=
  [[ $previous == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${verb:+$verb }${COMP_WORDS[i]}
    case $word in
      %(verbs)s) verb=$word ;;
    esac
  done
  COMPREPLY=()
  case $verb:$previous in
%(values)s
  esac
  if [[ $current == -* ]]; then
    case $verb in
%(options)s
    esac
    return
  fi
  case $verb in
%(arguments)s
  esac
}

complete -F _memcli memcli
"""

_ZSH = r"""#compdef memcli
# zsh completion of memcli: put it as _memcli into a directory of $fpath, or evaluate it after compinit.

_memcli_transcript() { _files -g '*.jsonl' || _files -/ }

%(functions)s
if [[ $funcstack[1] == _memcli ]]; then
  _memcli "$@"
else
  compdef _memcli memcli
fi
"""

_FISH_HEAD = r"""# fish completion of memcli.

function __memcli_verb --description 'true if these are the verbs typed so far'
    set -l words
    for word in (commandline -opc)[2..]
        switch "$words $word"
            case %(verbs)s
                set -a words $word
        end
    end
    test "$words" = "$argv"
end

complete -c memcli -f
"""


def script(shell: str, program: Verb) -> str:
    """The completion script for bash, zsh or fish. Raises KeyError for another one."""
    makers: dict[str, Callable[[Verb], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    return makers[shell](program)


# ------------------------------------------------------------------ bash


def _bash(program: Verb) -> str:
    verbs = list(every(program))
    values: dict[str, list[str]] = {}
    for verb in verbs:
        for option in verb.options:
            keys = [f"{' '.join(verb.words)}:{name}" for name in option.names if option.value]
            values.setdefault(_bash_offer(option), []).extend(map(shlex.quote, keys))
    return _BASH % {
        "verbs": " | ".join(shlex.quote(" ".join(verb.words)) for verb in verbs if verb.words),
        "values": "\n".join(
            f"    {' | '.join(keys)})\n      {how}\n      return ;;" for how, keys in values.items() if keys
        ),
        "options": "\n".join(f"      {_key(verb)}) {_words(_names(verb))} ;;" for verb in verbs if verb.options),
        "arguments": "\n".join(line for verb in verbs if (line := _bash_arguments(verb))),
    }


def _bash_arguments(verb: Verb) -> str:
    if verb.verbs:
        return f"    {_key(verb)}) {_words([below.words[-1] for below in verb.verbs])} ;;"
    offered = [_bash_offer(argument) for argument in verb.arguments if argument.kind]
    return f"    {_key(verb)}) {'; '.join(offered)} ;;" if offered else ""


def _bash_offer(option: Option) -> str:
    if option.kind == "choice":
        return _words(option.choices)
    return f"_memcli_files {option.kind}" if option.kind else ":"


def _words(words: list[str] | tuple[str, ...]) -> str:
    return f'COMPREPLY=($(compgen -W {shlex.quote(" ".join(words))} -- "$current"))'


def _key(verb: Verb) -> str:
    return shlex.quote(" ".join(verb.words))


def _names(verb: Verb) -> list[str]:
    return [name for option in verb.options for name in option.names]


# ------------------------------------------------------------------ zsh


def _zsh(program: Verb) -> str:
    return _ZSH % {"functions": "\n".join(map(_zsh_function, every(program)))}


def _zsh_function(verb: Verb) -> str:
    specs = [_zsh_option(option) for option in verb.options]
    if not verb.verbs:
        specs += [_zsh_argument(argument) for argument in verb.arguments]
        body = f"  _arguments -s {_lines(specs)}"
        return f"{_zsh_name(verb)}() {{\n{body}\n}}\n"
    described = _lines([shlex.quote(f"{below.words[-1]}:{_zsh_text(below.summary)}") for below in verb.verbs])
    ways = "\n".join(f"        {below.words[-1]}) {_zsh_name(below)} ;;" for below in verb.verbs)
    return (
        f"{_zsh_name(verb)}() {{\n"
        f"  local state line\n"
        f"  local -a verbs\n"
        f"  _arguments -C {_lines([*specs, shlex.quote('1: :->verb'), shlex.quote('*:: :->rest')])}\n"
        f"  case $state in\n"
        f"    verb) verbs=({described}); _describe verb verbs ;;\n"
        f"    rest)\n"
        f"      case $line[1] in\n{ways}\n      esac ;;\n"
        f"  esac\n}}\n"
    )


def _zsh_option(option: Option) -> str:
    meaning = f"[{_zsh_text(option.meaning)}]"
    # A value may follow after a blank or, for long names, after =.
    names = [f"{name}{'=' if option.value and name.startswith('--') else ''}" for name in option.names]
    value = f":{option.value}:{_zsh_action(option)}" if option.value else ""
    if len(names) == 1:
        return shlex.quote(f"{names[0]}{meaning}{value}")
    return f"'({' '.join(option.names)})'{{{','.join(names)}}}{shlex.quote(meaning + value)}"


def _zsh_argument(argument: Option) -> str:
    return shlex.quote(f"{'*' if argument.several else '1'}:{argument.value}:{_zsh_action(argument)}")


def _zsh_action(option: Option) -> str:
    if option.kind == "choice":
        return f"({' '.join(option.choices)})"
    return {"transcript": "_memcli_transcript", "file": "_files", "directory": "_files -/"}.get(option.kind, " ")


def _zsh_name(verb: Verb) -> str:
    return re.sub(r"\W", "_", f"_{verb.name}")


def _zsh_text(text: str) -> str:
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def _lines(specs: list[str]) -> str:
    return " \\\n    ".join(["", *specs]).lstrip()


# ------------------------------------------------------------------ fish


def _fish(program: Verb) -> str:
    verbs = list(every(program))
    words = " ".join(shlex.quote(f" {' '.join(verb.words)}") for verb in verbs if verb.words)
    # `$words` is empty at first, so a single verb is seen with a blank before it; deeper ones have none.
    words += "".join(f" {shlex.quote(' '.join(verb.words))}" for verb in verbs if len(verb.words) > 1)
    return _FISH_HEAD % {"verbs": words} + "".join(line for verb in verbs for line in _fish_lines(verb))


def _fish_lines(verb: Verb) -> list[str]:
    when = f"complete -c memcli -n {shlex.quote(' '.join(('__memcli_verb', *verb.words)))}"
    lines = [f"{when} -a {below.words[-1]} -d {_fish_text(below.summary)}" for below in verb.verbs]
    lines += [f"{when} {_fish_offer(argument)}" for argument in verb.arguments if argument.kind]
    for option in verb.options:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        takes = f" -x {_fish_offer(option)}".rstrip() if option.value else ""
        lines.append(f"{when} {names}{takes} -d {_fish_text(option.meaning)}")
    return [f"{line}\n" for line in lines]


def _fish_offer(option: Option) -> str:
    match option.kind:
        case "choice":
            return f"-a {shlex.quote(' '.join(option.choices))}"
        case "transcript":
            return r"-k -a '(__fish_complete_path (commandline -ct) | string match -r \'^.*(?:/|[.]jsonl)(?:\t.*)?$\')'"
        case "file":
            return "-a '(__fish_complete_path (commandline -ct))'"
        case "directory":
            return "-a '(__fish_complete_directories)'"
        case _:
            return ""


def _fish_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
