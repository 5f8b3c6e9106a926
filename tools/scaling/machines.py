"""Links between ranks: measured where this machine has them, else stated.

The figures of shared memory are those of distrib/README.md (Measured): halos of 8 B and 1 MiB
between two ranks. Those of networks are nominal, since none was here to measure: the latency that
their makers and public benchmarks state for small messages, and the rate of one port for a node.
"""

from model import Link, Machine

SHARED_MEMORY = Link(latency=0.43e-6, bandwidth=2**20 / 136e-6, overhead=0.1e-6)
NETWORKS = {
    # A port of 100 Gb/s of InfiniBand or the like.
    "fabric": Link(latency=2e-6, bandwidth=12.5e9, overhead=0.3e-6),
    # Sockets on a port of 25 Gb/s. The latency of TCP was measured on the loopback at 10 us, to
    # which comes that of a switch and two cards.
    "ethernet": Link(latency=30e-6, bandwidth=3.1e9, overhead=3e-6),
}
# As in distrib/README.md: a halo of 16 MiB is bound by copying.
COPY_BANDWIDTH = 4.6e9


def machine_of(network, ranks_per_node):
    return Machine(SHARED_MEMORY, NETWORKS[network], ranks_per_node, COPY_BANDWIDTH)
