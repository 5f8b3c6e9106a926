"""Ranks by actors of a Ray cluster."""

import sys
import textwrap

from engines import fuseau_run, run


def test_programs_give_the_bits_of_numpy(program, ray_cluster):
    words, expected = program
    command = ("--launcher", "ray", "-n", "4", *words)
    assert fuseau_run(*command, **ray_cluster) == (0, expected, "")


def test_a_lost_actor_and_a_restart(ray_cluster):
    code = """
        import time
        import ray
        import fuseau as np

        with np.cluster("ray", n=3) as ranks:
            x = np.arange(1 << 18) * 0.5
            float(x.sum())
            ray.kill(ranks._launcher._actors[0])
            began = time.monotonic()
            try:
                while time.monotonic() < began + 30:
                    float((x + 1).sum())
            except np.RankFailure as error:
                print("lost", error.rank, time.monotonic() - began < 10)
            while not any(rank.end for rank in ranks.ranks):
                assert time.monotonic() < began + 30
                time.sleep(0.1)
            ranks.restart()
            print(float((np.arange(1 << 18) + 1.0).sum()))
    """
    status, out, err = run(sys.executable, "-c", textwrap.dedent(code), **ray_cluster)
    assert status == 0, err
    first, second = out.splitlines()
    assert first == "lost 1 True"
    assert float(second) == 0.5 * (1 << 18) * ((1 << 18) + 1)
    assert "its actor of Ray" in err
