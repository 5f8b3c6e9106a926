"""What a rank writes, with its number before each line."""

import os


class Output:
    """Copies a pipe to standard error, line by line."""

    def __init__(self, pipe, prefix):
        self.pipe = pipe
        self._prefix = prefix.encode()
        self._rest = b""
        os.set_blocking(pipe.fileno(), False)

    def copy(self):
        """Copies the whole lines that are there now; False at the end of the pipe."""
        while True:
            try:
                read = os.read(self.pipe.fileno(), 1 << 16)
            except BlockingIOError:
                return True
            if not read:
                return False
            *lines, self._rest = (self._rest + read).split(b"\n")
            self._write(lines)

    def close(self):
        """Copies what is left; a process of the rank's own may keep the pipe open for longer."""
        self.copy()
        self._write([self._rest] if self._rest else [])
        self.pipe.close()

    def _write(self, lines):
        # Few writes, so that lines of other processes do not come between.
        text = b"".join(self._prefix + line + b"\n" for line in lines)
        while text:
            text = text[os.write(2, text) :]
