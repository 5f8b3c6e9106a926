"""European option prices by the formula of Black and Scholes: one long elementwise expression."""

import numpy
from common import Clock, evaluate, module, parser, pyplot, report, save

RATE = 0.02
VOLATILITY = 0.30


def normal_cdf(np, d):
    """Zelen and Severo's polynomial for the cumulative normal distribution."""
    k = 1 / (1 + 0.2316419 * np.abs(d))
    terms = -1.821255978 + k * 1.330274429
    for coefficient in (1.781477937, -0.356563782, 0.319381530):
        terms = coefficient + k * terms
    tail = 0.3989422804014327 * np.exp(-0.5 * d * d) * k * terms
    return np.where(d > 0, 1 - tail, tail)


def prices(np, spot, strike, years):
    root = VOLATILITY * np.sqrt(years)
    d1 = (np.log(spot / strike) + (RATE + VOLATILITY**2 / 2) * years) / root
    cdf1, cdf2 = normal_cdf(np, d1), normal_cdf(np, d1 - root)
    discounted = strike * np.exp(-RATE * years)
    call = spot * cdf1 - discounted * cdf2
    put = discounted * (1 - cdf2) - spot * (1 - cdf1)
    return call, put


def market(np, n):
    """Options spread over spot prices, strikes and times, without a random number."""
    k = np.arange(n)
    spot = 5.0 + 25.0 * (k * 7919 % n) / n
    strike = 1.0 + 99.0 * (k * 104729 % n) / n
    years = 0.25 + 9.75 * (k * 1299709 % n) / n
    return evaluate(spot, strike, years)


def plot(np, options):
    plt = pyplot()
    spot = np.linspace(1.0, 60.0, 400)
    for years in (0.25, 1.0, 4.0):
        call, put = prices(np, spot, 30.0, np.full(400, years))
        (line,) = plt.plot(numpy.asarray(spot), numpy.asarray(call), label=f"call, {years} years")
        plt.plot(
            numpy.asarray(spot),
            numpy.asarray(put),
            "--",
            color=line.get_color(),
            label=f"put, {years} years",
        )
    plt.axvline(30.0, color="grey", linewidth=0.5)
    plt.xlabel("price of the share")
    plt.ylabel("price of the option, strike 30")
    plt.legend()
    save(plt, options)


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--size", type=int, default=1_000_000, help="options")
    arguments.add_argument("--repeats", type=int, default=10)
    options = arguments.parse_args()
    np = module(options)
    spot, strike, years = market(np, options.size)
    with Clock() as clock:
        for _ in range(options.repeats):
            call, put = evaluate(*prices(np, spot, strike, years))
    rate = options.size * options.repeats / clock.seconds / 1e6
    report(options, clock, call + put, f", {rate:.1f} million options a second")
    if options.plot:
        plot(np, options)


if __name__ == "__main__":
    main()
