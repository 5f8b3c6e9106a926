"""Look at the compiled kernels on disk: list, verify or clear them."""

import argparse
import os
import sys
import time

ACTIONS = {
    "list": "print each kernel, the one used last first",
    "verify": "read every kernel and say which are damaged",
    "clear": "remove all kernels",
}


def parser():
    """The command's arguments."""
    made = argparse.ArgumentParser(
        prog="fuseau cache",
        description=__doc__.splitlines()[0],
        epilog="\n".join(["actions:", *(f"  {name:8}{what}" for name, what in ACTIONS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("action", choices=ACTIONS, help="what to do")
    made.add_argument(
        "--folder", metavar="DIR", help="another folder than the one that programs use"
    )
    return made


def main(arguments):
    """Does it. The status is 1 if `verify` finds damage."""
    options = parser().parse_args(arguments)
    from .. import _fuseau

    folder = options.folder or _fuseau.machine()["cache_folder"]
    if not folder:
        print(
            "fuseau cache: no kernels are kept on disk (FUSEAU_CACHE=0, or no folder that is "
            "private); expected one, or --folder DIR",
            file=sys.stderr,
        )
        return 2
    if not os.path.isdir(folder):
        print(f"fuseau cache: {folder!r} is no folder", file=sys.stderr)
        return 2
    return {"list": _list, "verify": _verify, "clear": _clear}[options.action](folder)


def _entries(folder):
    from .. import _fuseau

    return _fuseau.audit_kernels(folder)


def _summary(folder, entries):
    size = sum(entry["bytes"] for entry in entries)
    return f"{folder}: {len(entries)} kernels, {size / 1e6:.1f} MB"


def _list(folder):
    entries = _entries(folder)
    for entry in sorted(entries, key=lambda e: -e["used"]):
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["used"]))
        what = f"damaged: {entry['damage']}" if entry["damage"] else _what(entry["key"])
        print(f"{entry['file'][:12]}  {used}  {entry['bytes']:>8}  {what}")
    print(_summary(folder, entries))
    return 0


def _what(key):
    """The processor and the operations of a kernel, from its key."""
    head, _, body = key.partition("\n")
    words = head.split()
    processor = words[4] if len(words) > 4 else "?"
    found = []
    for word in body.split():
        dialect, dot, name = word.partition(".")
        if dot and dialect in ("arith", "math", "complex", "fuseau") and name != "constant":
            found.append(name.split("(")[0])
    return f"{processor:14}{' '.join(dict.fromkeys(found)) or 'copy'}"[:100]


def _verify(folder):
    entries = _entries(folder)
    damaged = [entry for entry in entries if entry["damage"]]
    for entry in damaged:
        print(f"{os.path.join(folder, entry['file'])}: {entry['damage']}")
    print(f"{_summary(folder, entries)}, {len(damaged)} damaged")
    return 1 if damaged else 0


def _clear(folder):
    count = size = 0
    with os.scandir(folder) as items:
        for item in items:
            if item.name.endswith(".kernel") or item.name.startswith("tmp-"):
                try:
                    bytes_ = item.stat(follow_symlinks=False).st_size
                    os.unlink(item.path)
                except FileNotFoundError:
                    continue  # Another process has just removed it.
                count, size = count + 1, size + bytes_
    print(f"{folder}: {count} files removed, {size / 1e6:.1f} MB")
    return 0
