"""Settings of all tests."""

import signal

# A shell starts its background jobs with SIGINT ignored, and Python then leaves it so, here and in
# every process that a test starts. The tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)
