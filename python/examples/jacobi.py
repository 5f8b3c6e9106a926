"""The potential around a charged plate and a point, by Jacobi sweeps between two grids until it
hardly changes.
"""

import numpy
from common import Clock, evaluate, module, parser, pyplot, report, save


def charges(np, n):
    density = np.zeros((n, n))
    density[n // 4, n // 4 : 3 * n // 4] = 4.0
    density[3 * n // 4, n // 2] = -200.0
    return density


def run(np, n, tolerance, check_every, max_sweeps):
    """Returns the potential, the number of sweeps and the largest change of the last one."""
    h = 1.0 / (n - 1)
    source = h * charges(np, n)[1:-1, 1:-1]
    old, new = np.zeros((n, n)), np.zeros((n, n))
    for sweep in range(1, max_sweeps + 1):
        new[1:-1, 1:-1] = 0.25 * (
            old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1] + source
        )
        old, new = new, old
        # Reading the number ends what can be recorded ahead, so it is not done in every sweep.
        if sweep % check_every == 0:
            change = float(np.abs(old - new).max())
            if change < tolerance:
                break
    return old, sweep, change


def plot(potential, options):
    plt = pyplot()
    field = numpy.asarray(potential)
    top = numpy.abs(field).max()
    plt.imshow(field, cmap="RdBu_r", vmin=-top, vmax=top)
    plt.colorbar(label="potential")
    plt.contour(field, 20, colors="black", linewidths=0.4)
    save(plt, options)


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--size", type=int, default=500, help="points along a side")
    arguments.add_argument("--tolerance", type=float, default=1e-5)
    arguments.add_argument("--check-every", type=int, default=100, metavar="SWEEPS")
    arguments.add_argument("--max-sweeps", type=int, default=5000)
    options = arguments.parse_args()
    options.max_sweeps = max(options.max_sweeps, options.check_every)
    np = module(options)
    with Clock() as clock:
        potential, sweeps, change = run(
            np, options.size, options.tolerance, options.check_every, options.max_sweeps
        )
        evaluate(potential)
    report(options, clock, potential, f", {sweeps} sweeps, last change {change:.3g}")
    if options.plot:
        plot(potential, options)


if __name__ == "__main__":
    main()
