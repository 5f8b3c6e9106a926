"""Plans of the programs for any number of ranks."""

from fuseau._plan import Plan
from programs import PROGRAMS


def plan_of(np, name, points, ranks, of):
    """What these ranks do in the steady steps of a program, and how many steps that are."""
    program = PROGRAMS[name]
    with Plan(ranks, of) as plan:
        steps = program.make(np, points)
        # Three times: the second makes room for halos that the first had no need of, and from
        # then on values lie as every further step finds them.
        for _ in range(3):
            wanted = [next(steps) for _ in range(program.planned)][-1]
            taken = plan.take()
        del wanted
        return taken, program.planned


def kernel_bytes(plan, steps):
    """Bytes that a step's kernels move on the one rank of a plan: alone, and together."""
    alone = together = 0
    for program in plan["programs"]:
        for step in program["work"][0]["steps"]:
            if step["what"] == "exchange":
                continue
            if step["together"] > 2:
                together += program["runs"] * step["bytes"]
            else:
                alone += program["runs"] * step["bytes"]
    return alone / steps, together / steps
