"""Ranks: how the processes of a job are started and find each other.

Nothing more of it is imported by a program that runs as a single process.
"""

# A process without any of these in its environment is in no job and is asked to start none.
HINTS = (
    "FUSEAU_CONFIG",
    "FUSEAU_PARENT",
    "FUSEAU_STORE",
    "FUSEAU_THREAD_RANKS",
    "PMIX_NAMESPACE",
    "SLURM_STEP_ID",
    "WORLD_SIZE",
)
