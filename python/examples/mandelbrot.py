"""The Mandelbrot set: how many steps each point of the complex plane takes to escape, with masks
instead of branches.
"""

import numpy
from common import Clock, evaluate, module, parser, pyplot, report, save


def run(np, width, height, iterations):
    x = np.linspace(-2.2, 0.8, width)
    y = np.linspace(-1.2, 1.2, height)
    c = x[None, :] + 1j * y[:, None]
    z = np.zeros_like(c)
    steps = np.zeros(c.shape, dtype=np.int32)
    for _ in range(iterations):
        z = z * z + c
        inside = z.real * z.real + z.imag * z.imag < 4.0
        steps += inside
        # Escaped points rest at a value that stays outside, so that nothing overflows.
        z = np.where(inside, z, 4.0)
    return steps


def plot(steps, options):
    plt = pyplot()
    plt.figure(figsize=(9, 7))
    plt.imshow(numpy.log1p(numpy.asarray(steps)), cmap="magma", extent=(-2.2, 0.8, -1.2, 1.2))
    plt.xlabel("real part")
    plt.ylabel("imaginary part")
    save(plt, options)


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--width", type=int, default=1000)
    arguments.add_argument("--height", type=int, default=800)
    arguments.add_argument("--iterations", type=int, default=60)
    options = arguments.parse_args()
    np = module(options)
    with Clock() as clock:
        steps = evaluate(run(np, options.width, options.height, options.iterations))
    rate = options.width * options.height * options.iterations / clock.seconds / 1e6
    report(options, clock, steps, f", {rate:.0f} million steps a second")
    if options.plot:
        plot(steps, options)


if __name__ == "__main__":
    main()
