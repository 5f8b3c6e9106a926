"""What the ranks of a job are told."""

import os
import socket

import pytest
from fuseau._launch.job import Job


def test_variables():
    with Job(3, threads_per_rank=2) as job:
        first = job.variables(1)
        assert first["FUSEAU_RANK"] == "1" and first["FUSEAU_RANKS"] == "3"
        assert first["FUSEAU_SPMD"] == "0" and first["FUSEAU_NUM_THREADS"] == "2"
        assert first["FUSEAU_STORE"].startswith("127.0.0.1:")
        assert "FUSEAU_INTERFACE" not in first and "FUSEAU_STORE_FD" not in first
        assert {**first, "FUSEAU_RANK": "2"} == job.variables(2)


def test_every_job_has_a_token_of_its_own():
    tokens = set()
    for _ in range(3):
        with Job(2) as job:
            tokens.add(job.variables(0)["FUSEAU_TOKEN"])
    assert len(tokens) == 3
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)


def test_the_socket_of_rank_0_listens_from_the_start():
    with Job(2) as job:
        mine = job.variables_of_this_process()
        host, port = mine["FUSEAU_STORE"].split(":")
        with socket.create_connection((host, int(port)), timeout=5):
            pass
    # The descriptor belongs to whoever joins.
    listener = socket.socket(fileno=int(mine["FUSEAU_STORE_FD"]))
    assert listener.getsockname() == (host, int(port))
    assert not os.get_inheritable(listener.fileno())
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_refusal_ends_a_wait_for_ranks():
    with Job(2) as job:
        listener = socket.socket(fileno=int(job.variables_of_this_process()["FUSEAU_STORE_FD"]))
        job.refuse()
        job.refuse()  # Another rank that is lost changes nothing.
        with pytest.raises(OSError, match="Invalid argument"):
            listener.accept()
        listener.close()


def test_another_host_needs_a_network():
    # All of 127/8 is this machine's loopback.
    with Job(2, "127.0.0.2") as job:
        assert "FUSEAU_INTERFACE" not in job.variables(1)
        mine = job.variables_of_this_process()
        assert mine["FUSEAU_INTERFACE"] == "127.0.0.2"
        os.close(int(mine["FUSEAU_STORE_FD"]))
    with Job(2, "127.0.0.2", interface="lo") as job:
        mine = job.variables_of_this_process()
        assert mine["FUSEAU_INTERFACE"] == job.variables(1)["FUSEAU_INTERFACE"] == "lo"
        os.close(int(mine["FUSEAU_STORE_FD"]))
