"""Flow through a channel: the incompressible Navier-Stokes equations in two dimensions, driven by a
constant force.

The channel is periodic in x and has walls at the bottom and the top. Each time step solves a
Poisson equation for the pressure with a fixed number of Jacobi sweeps, then moves the velocity with
backward differences. The flow begins as two eddies, which the force stretches and viscosity wears
away, until only the parabola of Poiseuille is left.
"""

import numpy
from common import Clock, evaluate, module, parser, pyplot, report, save

DENSITY = 1.0
VISCOSITY = 0.1
FORCE = 1.0
LENGTH = 2.0


def wrap(a):
    """Copies the first and last columns into the two extra ones, which makes the field periodic in
    x.
    """
    a[:, 0] = a[:, -2]
    a[:, -1] = a[:, 1]


def source(u, v, dx, dy, dt):
    """The right-hand side of the pressure equation, from the divergence and the shear of the
    velocity.
    """
    dudx = (u[1:-1, 2:] - u[1:-1, :-2]) / (2 * dx)
    dudy = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2 * dy)
    dvdx = (v[1:-1, 2:] - v[1:-1, :-2]) / (2 * dx)
    dvdy = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * dy)
    return DENSITY * ((dudx + dvdy) / dt - dudx**2 - 2 * dudy * dvdx - dvdy**2)


def pressure(p, b, dx, dy, sweeps):
    """Jacobi sweeps of the Poisson equation, with no pressure gradient across the walls."""
    scale = 1 / (2 * (dx**2 + dy**2))
    for _ in range(sweeps):
        p[1:-1, 1:-1] = scale * (
            dy**2 * (p[1:-1, 2:] + p[1:-1, :-2])
            + dx**2 * (p[2:, 1:-1] + p[:-2, 1:-1])
            - dx**2 * dy**2 * b
        )
        wrap(p)
        p[0, :] = p[1, :]
        p[-1, :] = p[-2, :]


def momentum(w, u, v, slope, dx, dy, dt):
    """The new inner values of one component w of the velocity (u, v), without the force."""
    c = w[1:-1, 1:-1]
    return (
        c
        - dt / dx * u[1:-1, 1:-1] * (c - w[1:-1, :-2])
        - dt / dy * v[1:-1, 1:-1] * (c - w[:-2, 1:-1])
        - dt / DENSITY * slope
        + VISCOSITY * dt / dx**2 * (w[1:-1, 2:] - 2 * c + w[1:-1, :-2])
        + VISCOSITY * dt / dy**2 * (w[2:, 1:-1] - 2 * c + w[:-2, 1:-1])
    )


def eddies(np, nx, ny, strength):
    """A velocity without divergence: two eddies side by side, at rest at the walls."""
    x = 2 * np.pi * (np.arange(nx + 2) - 1) / nx
    y = np.linspace(0, np.pi, ny)[:, None]
    u = strength * np.sin(x) * np.sin(y) * np.cos(y)
    v = -strength * np.cos(x) * np.sin(y) ** 2
    return u, v


def run(np, nx, ny, steps, sweeps):
    dx, dy = LENGTH / nx, LENGTH / (ny - 1)
    # Below the limits of diffusion and of advection at the largest speed that the force can reach.
    top_speed = FORCE * LENGTH**2 / (8 * VISCOSITY)
    dt = 0.4 * min(min(dx, dy) ** 2 / (4 * VISCOSITY), min(dx, dy) / top_speed)
    u, v = eddies(np, nx, ny, 1.0)
    p = np.zeros((ny, nx + 2))
    for _ in range(steps):
        pressure(p, source(u, v, dx, dy, dt), dx, dy, sweeps)
        dpdx = (p[1:-1, 2:] - p[1:-1, :-2]) / (2 * dx)
        dpdy = (p[2:, 1:-1] - p[:-2, 1:-1]) / (2 * dy)
        old_u, old_v = u.copy(), v.copy()
        u[1:-1, 1:-1] = momentum(old_u, old_u, old_v, dpdx, dx, dy, dt) + dt * FORCE
        v[1:-1, 1:-1] = momentum(old_v, old_u, old_v, dpdy, dx, dy, dt)
        for w in (u, v):
            wrap(w)
            w[0, :] = 0.0
            w[-1, :] = 0.0
    return u[:, 1:-1], v[:, 1:-1], p[:, 1:-1]


def plot(u, v, p, options):
    plt = pyplot()
    u, v, p = (numpy.asarray(a) for a in (u, v, p))
    ny, nx = u.shape
    x, y = numpy.arange(nx) * LENGTH / nx, numpy.linspace(0, LENGTH, ny)
    plt.figure(figsize=(8, 7))
    plt.contourf(x, y, p, 24, cmap="viridis", alpha=0.7)
    plt.colorbar(label="pressure")
    plt.streamplot(x, y, u, v, color=numpy.hypot(u, v), cmap="inferno", density=1.4)
    plt.colorbar(label="speed")
    plt.xlabel("x")
    plt.ylabel("y")
    plt.title(f"Channel flow, {nx} x {ny} points, {options.steps} steps")
    save(plt, options)


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--nx", type=int, default=64, help="points along the channel")
    arguments.add_argument("--ny", type=int, default=65, help="points from wall to wall")
    arguments.add_argument("--steps", type=int, default=1000)
    arguments.add_argument(
        "--sweeps", type=int, default=50, help="of the pressure equation in a step"
    )
    options = arguments.parse_args()
    np = module(options)
    with Clock() as clock:
        u, v, p = evaluate(*run(np, options.nx, options.ny, options.steps, options.sweeps))
    rate = options.nx * options.ny * options.steps * options.sweeps / clock.seconds / 1e6
    report(options, clock, u, f", {rate:.0f} million points of a sweep a second")
    if options.plot:
        plot(u, v, p, options)


if __name__ == "__main__":
    main()
