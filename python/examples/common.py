"""What the examples share: choosing the array module, timing, checksums and plots."""

import argparse
import importlib
import pathlib
import sys
import time

import numpy


def parser(description):
    """A command line with the options that every example has."""
    out = argparse.ArgumentParser(description=description)
    out.add_argument("--module", default="fuseau", help="numpy, fuseau or another module like them")
    out.add_argument("--plot", metavar="FILE", help="draw the result into this file")
    return out


def module(options):
    return importlib.import_module(options.module)


def evaluate(*arrays):
    """Waits for the values of lazy arrays; NumPy's are there already."""
    for array in arrays:
        if hasattr(array, "eval"):
            array.eval()
    return arrays if len(arrays) > 1 else arrays[0]


class Clock:
    """Times a `with` block."""

    def __enter__(self):
        self.start = time.perf_counter()
        return self

    def __exit__(self, *problem):
        self.seconds = time.perf_counter() - self.start


def report(options, clock, result, work=""):
    """Prints the time and a checksum that tells two results apart."""
    values = numpy.asarray(result)
    name = pathlib.Path(sys.argv[0]).stem
    checksum = float(numpy.sum(values))
    print(f"{name} on {options.module}: {clock.seconds:.3f} s{work}, checksum {checksum:.12g}")


def pyplot():
    """matplotlib for files, without a display."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def save(plt, options):
    plt.savefig(options.plot, dpi=120, bbox_inches="tight")
    plt.close()
