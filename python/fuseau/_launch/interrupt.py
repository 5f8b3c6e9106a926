"""Ctrl-C while the main thread waits where Python's own handlers cannot run."""

import contextlib
import os
import signal
import socket
import threading


@contextlib.contextmanager
def on_signal(act):
    """Calls `act` from another thread when a signal comes; its handler runs once `act` has helped.

    In other threads than the main one nothing is done, since no handler runs there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    previous = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=_wait, args=(receiver, previous, act), daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        sender.close()
        thread.join()
        receiver.close()


def _wait(receiver, previous, act):
    while numbers := receiver.recv(64):
        if previous >= 0:
            # Somebody else, such as an event loop, waits for them, too.
            with contextlib.suppress(OSError):
                os.write(previous, numbers)
        if signal.SIGINT in numbers:
            act()
