"""Heat spreads over a plate: every inner point becomes the average of itself and its four
neighbours, in place.
"""

import numpy
from common import Clock, evaluate, module, parser, pyplot, report, save


def run(np, n, iterations):
    grid = np.zeros((n + 2, n + 2))
    grid[:, 0] = -273.15
    grid[:, -1] = -273.15
    grid[-1, :] = -273.15
    grid[0, :] = 40.0

    # Views of the one grid: nothing is copied.
    center = grid[1:-1, 1:-1]
    north, south = grid[:-2, 1:-1], grid[2:, 1:-1]
    west, east = grid[1:-1, :-2], grid[1:-1, 2:]
    for _ in range(iterations):
        center[:] = 0.2 * (center + north + east + west + south)
    return grid


def plot(grid, options):
    plt = pyplot()
    plt.imshow(numpy.asarray(grid), cmap="inferno")
    plt.colorbar(label="temperature in degrees Celsius")
    plt.title(f"{options.size} x {options.size} points after {options.iterations} steps")
    save(plt, options)


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--size", type=int, default=1000, help="points along a side")
    arguments.add_argument("--iterations", type=int, default=100)
    options = arguments.parse_args()
    np = module(options)
    with Clock() as clock:
        grid = evaluate(run(np, options.size, options.iterations))
    rate = options.size**2 * options.iterations / clock.seconds / 1e6
    report(options, clock, grid, f", {rate:.0f} million points a second")
    if options.plot:
        plot(grid, options)


if __name__ == "__main__":
    main()
