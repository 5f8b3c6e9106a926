"""Say what this installation and this machine can do."""

import argparse
import json
import os
import platform

from . import ranks_info as ranks


def parser():
    """The command's arguments."""
    made = argparse.ArgumentParser(
        prog="fuseau info", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    made.add_argument("--json", action="store_true", help="print it as JSON")
    return made


def main(arguments):
    """Prints the report."""
    options = parser().parse_args(arguments)
    report = collect()
    print(json.dumps(report, indent=1) if options.json else text(report))
    return 0


def collect():
    """What is known, as a dict of dicts."""
    import numpy

    import fuseau
    from fuseau import _fuseau

    machine = _fuseau.machine()
    return {
        "versions": {
            "fuseau": fuseau.__fuseau_version__,
            "numpy": numpy.__version__,
            "python": platform.python_version(),
            "llvm": machine["llvm"],
        },
        "cpu": {
            "processors": len(os.sched_getaffinity(0)),
            "threads": machine["threads"],
            "target": machine["cpu"],
            "vector_bits": machine["vector_bits"],
            "masks": machine["masks"],
        },
        "cache": {"folder": machine["cache_folder"], **_content(machine["cache_folder"])},
        "gpu": {"devices": _fuseau.describe_devices()},
        "ranks": ranks.collect(),
    }


def text(report):
    """The report for people."""
    versions, cpu, cache = report["versions"], report["cpu"], report["cache"]
    masks = ", with masks" if cpu["masks"] else ""
    kernels = "not kept on disk (FUSEAU_CACHE=0, or no folder that is private)"
    if cache["folder"]:
        kernels = f"{cache['folder']}: {cache['files']} files, {cache['bytes'] / 1e6:.1f} MB"
    rows = {
        "fuseau": versions["fuseau"],
        "NumPy": versions["numpy"],
        "Python": versions["python"],
        "LLVM": versions["llvm"],
        "threads": f"{cpu['threads']} on {cpu['processors']} processors",
        "instructions": f"{cpu['target']}: vectors of {cpu['vector_bits']} bits{masks}",
        "kernels": kernels,
        "GPU": report["gpu"]["devices"],
        **ranks.rows(report["ranks"]),
    }
    return "\n".join(f"{name:14}{value}" for name, value in rows.items())


def _content(folder):
    """How many files a folder of the cache holds, and their size."""
    sizes = []
    if folder:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.is_file():
                        sizes.append(entry.stat().st_size)
                except FileNotFoundError:
                    pass  # Another process has just removed it.
    return {"files": len(sizes), "bytes": sum(sizes)}
