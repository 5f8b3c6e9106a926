"""The curves as a picture."""

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "fuseau"  # The same picture for the same figures.

import matplotlib.pyplot as plt  # noqa: E402


def draw(report, path):
    """Weak and strong scaling side by side, a line for each program."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    weak, strong = axes
    for name, program in report["programs"].items():
        ranks = [row["ranks"] for row in program["weak"]]
        color = weak.plot(ranks, [r["efficiency"] for r in program["weak"]], "o-", label=name)[
            0
        ].get_color()
        # Against one rank that goes through memory once for each kernel, as ranks do that exchange.
        weak.plot(ranks, [r["efficiency_alone"] for r in program["weak"]], "--", color=color)
        speedups = [r["ranks"] * r["efficiency"] for r in program["strong"]]
        strong.plot(ranks, speedups, "o-", color=color, label=name)
    weak.set(ylim=(0, 1.1), ylabel="efficiency", title="As many points for each rank")
    weak.axhline(0.95, color="gray", lw=0.8, ls=":")
    strong.plot(ranks, ranks, color="gray", lw=0.8, ls=":")
    strong.set(yscale="log", ylabel="times as fast as one rank", title="As many points in all")
    for axis in axes:
        axis.set_xscale("log", base=2)
        axis.set_xlabel("ranks")
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(
        f"Modelled from real plans, {report['ranks_per_node']} ranks a node, {report['network']}"
    )
    figure.savefig(path, metadata={"Date": None})
