"""Ranks on the workers of a Dask cluster."""

import sys
import textwrap

import pytest
from engines import run

SCRIPT = """
import os, signal, sys, time
import fuseau as np
from distributed import Client, LocalCluster


def main(client):
{main}


if __name__ == "__main__":
    here = {{"host": "127.0.0.1", "dashboard_address": None, "silence_logs": 50}}
    with LocalCluster(n_workers=2, threads_per_worker=1, **here) as cluster, Client(cluster) as client:
        main(client)
"""


@pytest.fixture
def start(tmp_path):
    """Runs the body of a program that has a client of Dask."""
    pytest.importorskip("distributed", reason="tools/requirements.txt has it")

    def start(main, *arguments):
        path = tmp_path / "prog.py"
        path.write_text(SCRIPT.format(main=textwrap.indent(textwrap.dedent(main), "    ")))
        return run(sys.executable, path, *arguments)

    return start


def test_programs_give_the_bits_of_numpy(program, start):
    words, expected = program
    main = """
    import runpy
    with np.cluster(client) as ranks:
        assert len(ranks) == 3 and np.ranks()["size"] == 3
        del sys.argv[0]
        runpy.run_path(sys.argv[0])
    """
    assert start(main, *words) == (0, expected, "")


def test_a_lost_worker(start):
    main = """
    with np.cluster(client, n=3) as ranks:
        x = np.arange(1 << 18) * 0.5
        float(x.sum())
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        began = time.monotonic()
        try:
            while time.monotonic() < began + 30:
                float((x + 1).sum())
        except np.RankFailure as error:
            print("lost", error.rank, time.monotonic() - began < 10)
        while not any(rank.end for rank in ranks.ranks):
            assert time.monotonic() < began + 30
            time.sleep(0.1)
        client.wait_for_workers(2, timeout=30)
        ranks.restart()
        print(float((np.arange(1 << 18) + 1.0).sum()))
    """
    status, out, err = start(main)
    assert status == 0, err
    first, second = out.splitlines()
    assert first in ("lost 1 True", "lost 2 True")
    assert float(second) == 0.5 * (1 << 18) * ((1 << 18) + 1)
    assert "its worker of Dask" in err


def test_too_few_workers(start):
    status, _, err = start("np.cluster(client, n=9)")
    assert status == 1
    assert "ValueError: 9 ranks need 8 workers of Dask beside this process; there are 2" in err
