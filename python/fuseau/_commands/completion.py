"""Print what makes a shell complete this command: bash, zsh or fish."""

import argparse

_BASH = """_fuseau() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} words
  case ${{COMP_WORDS[1]}} in
{cases}
    *) words="{commands} --help --version" ;;
  esac
  [ "$COMP_CWORD" = 1 ] && words="{commands} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _fuseau fuseau"""
_ZSH = """#compdef fuseau
_fuseau() {{
  local -a words
  if (( CURRENT == 2 )); then
    words=({commands})
    _describe command words
    return
  fi
  case ${{(Q)${{(z)BUFFER}}[2]}} in
{cases}
  esac
  _alternative "options:option:($words)" "files:file:_files"
}}
compdef _fuseau fuseau"""


def parser():
    """The command's arguments."""
    made = argparse.ArgumentParser(
        prog="fuseau completion",
        description=__doc__.splitlines()[0],
        epilog='examples:\n  eval "$(fuseau completion bash)"\n'
        "  fuseau completion fish > ~/.config/fish/completions/fuseau.fish",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    return made


def main(arguments):
    """Prints the script."""
    options = parser().parse_args(arguments)
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[options.shell](_commands()))
    return 0


def _commands():
    """For each command its summary and its words: options, and choices of what has no name."""
    from . import COMMANDS, command

    found = {}
    for name in COMMANDS:
        module = command(name)
        words = []
        for action in module.parser()._actions:
            words += action.option_strings or list(action.choices or ())
        found[name] = (module.__doc__.splitlines()[0], words)
    return found


def _bash(commands):
    cases = "\n".join(f'    {n}) words="{" ".join(w)}" ;;' for n, (_, w) in commands.items())
    return _BASH.format(cases=cases, commands=" ".join(commands))


def _zsh(commands):
    cases = "\n".join(f"    {n}) words=({' '.join(w)}) ;;" for n, (_, w) in commands.items())
    described = " ".join(f"'{n}:{text.rstrip('.')}'" for n, (text, _) in commands.items())
    return _ZSH.format(cases=cases, commands=described)


def _fish(commands):
    lines = ["complete -c fuseau -f"]
    for name, (text, words) in commands.items():
        lines.append(
            f"complete -c fuseau -n __fish_use_subcommand -a {name} -d '{text.rstrip('.')}'"
        )
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        lines.append(f"complete -c fuseau {seen} -F")
        for word in words:
            if word.startswith("--"):
                lines.append(f"complete -c fuseau {seen} -l {word[2:]}")
            elif word.startswith("-"):
                lines.append(f"complete -c fuseau {seen} -s {word[1:]}")
            else:
                lines.append(f"complete -c fuseau {seen} -a {word}")
    return "\n".join(lines)
