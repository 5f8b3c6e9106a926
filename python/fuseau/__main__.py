"""`python -m fuseau` is the command `fuseau`."""

import sys

from ._commands import main

sys.exit(main())
