"""Models how programs scale, from 1 to 4,096 ranks: `python tools/scaling --help`.

The plan of each number of ranks is the real one (`fuseau._plan`): kernels with their bytes, and
messages with theirs. How fast kernels are is measured on this machine, how fast links are is given
(`machines.py`). Prints tables; writes scaling.json and scaling.svg to the folder.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

import measure
from machines import NETWORKS, SHARED_MEMORY, machine_of
from model import Machine, Rates, sample, step_of
from plans import kernel_bytes, plan_of
from programs import PROGRAMS

RANKS = [2**k for k in range(13)]


def rates_of(np, name, processors):
    """How fast the program's kernels move bytes while all processors compute.

    Measured twice: as it runs, and with each kernel by itself, which is how ranks with neighbours
    run it.
    """
    program = PROGRAMS[name]
    plan, steps = plan_of(np, name, program.points, 1, [0])
    alone, together = kernel_bytes(plan, steps)
    each = measure.busy_seconds(name, program.points, processors, disable="bands,sweep")
    rate = (alone + together) / each
    if together == 0:
        return Rates(rate, rate), each, each
    usual = measure.busy_seconds(name, program.points, processors)
    rest = max(usual - alone / rate, 1e-9)
    return Rates(rate, together / rest), each, usual


def curve(np, name, machine, rates, ranks, points_of):
    rows = []
    for count in ranks:
        started = time.perf_counter()
        of = sample(count, machine.ranks_per_node)
        plan, steps = plan_of(np, name, points_of(count), count, of)
        step = step_of(plan, machine, rates, count, steps)
        gathered = sorted({g for p in plan["programs"] for g in p["gathered"]})
        copies = sum(len(w["copies"]) for p in plan["programs"] for w in p["work"])
        rows.append(
            {
                "ranks": count,
                "points": points_of(count),
                "seconds": step.seconds,
                **vars(step),
                "gathered": gathered,
                "copies": copies,
                "planned_in": time.perf_counter() - started,
            }
        )
    return rows


def with_efficiency(rows, each, weak):
    """Against one rank: as the model has it, and without kernels that go together, as `each`."""
    one = rows[0]["seconds"]
    for row in rows:
        share = 1 if weak else row["ranks"]
        row["efficiency"] = one / (row["seconds"] * share)
        row["efficiency_alone"] = each / (row["seconds"] * share)
    return rows


def checked(np, name, rates, processors):
    """Real runs of 1, 2 and 4 ranks here beside the model of this machine."""
    program = PROGRAMS[name]
    here = Machine(SHARED_MEMORY, SHARED_MEMORY, 1 << 20, 8e9)
    rows = []
    for ranks in (1, 2, 4):
        # Ranks that share a processor take turns.
        turns = max(1, ranks // processors)
        plan, steps = plan_of(np, name, ranks * program.points // 4, ranks, sample(ranks, 1 << 20))
        step = step_of(plan, here, rates, ranks, steps)
        model = turns * step.compute + step.exchange + step.agree
        real = measure.seconds(name, ranks * program.points // 4, ranks)
        rows.append({"ranks": ranks, "measured": real, "modelled": model})
    return rows


def show(title, rows):
    print(f"\n{title}")
    print("  ranks   step ms  compute  exchange    agree  messages  KB sent  efficiency  by itself")
    for r in rows:
        times = "".join(f"{1e3 * r[k]:9.3f}" for k in ("seconds", "compute", "exchange", "agree"))
        print(
            f"  {r['ranks']:5d} {times} {r['messages']:9.1f} {r['sent'] / 1e3:8.1f}"
            f" {r['efficiency']:11.3f} {r['efficiency_alone']:10.3f}"
            + (f"  gathered: {', '.join(r['gathered'])}" if r["gathered"] else "")
        )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("programs", nargs="*", default=[*PROGRAMS])
    arguments.add_argument("--network", choices=[*NETWORKS], default="fabric")
    arguments.add_argument("--ranks-per-node", type=int, default=64)
    arguments.add_argument("--most", type=int, default=RANKS[-1], help="ranks")
    arguments.add_argument(
        "--rates", type=Path, help="a scaling.json: its kernel rates, where it has the program"
    )
    arguments.add_argument("--no-check", action="store_true", help="leave out the real runs")
    arguments.add_argument("--out", type=Path, help="folder of scaling.json and scaling.svg")
    options = arguments.parse_args()
    import fuseau as np

    processors = len(os.sched_getaffinity(0))
    machine = machine_of(options.network, options.ranks_per_node)
    ranks = [r for r in RANKS if r <= options.most]
    earlier = json.loads(options.rates.read_text())["programs"] if options.rates else {}
    report = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": {
            "cpu": np._fuseau.machine()["cpu"],
            "processors": processors,
            "system": platform.machine(),
        },
        "network": options.network,
        "ranks_per_node": options.ranks_per_node,
        "programs": {},
    }
    for name in options.programs:
        program = PROGRAMS[name]
        if name in earlier:
            rates = Rates(**earlier[name]["rates"])
            each, usual = earlier[name]["one_rank_alone"], earlier[name]["one_rank"]
        else:
            rates, each, usual = rates_of(np, name, processors)
        print(
            f"\n{name}: {program.points} points on one rank, {processors} at once: "
            f"{1e3 * usual:.2f} ms a step, each kernel by itself {1e3 * each:.2f} ms "
            f"({rates.alone / 1e9:.1f} GB/s)"
        )
        made = {"rates": vars(rates), "one_rank": usual, "one_rank_alone": each}
        made["weak"] = with_efficiency(
            curve(np, name, machine, rates, ranks, lambda p: p * program.points), each, True
        )
        show(f"{name}, weak: {program.points} points a rank", made["weak"])
        whole = program.fixed / program.points
        made["strong"] = with_efficiency(
            curve(np, name, machine, rates, ranks, lambda p: program.fixed), whole * each, False
        )
        show(f"{name}, strong: {program.fixed} points", made["strong"])
        if not options.no_check:
            made["check"] = checked(np, name, rates, processors)
            print(
                f"\n{name} here, {program.points // 4} points a rank: ranks, measured, modelled ms"
            )
            for row in made["check"]:
                print(f"  {row['ranks']} {1e3 * row['measured']:9.3f} {1e3 * row['modelled']:9.3f}")
        report["programs"][name] = made
    if options.out:
        from draw import draw

        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "scaling.json").write_text(json.dumps(report, indent=1) + "\n")
        draw(report, options.out / "scaling.svg")


if __name__ == "__main__":
    main()
