"""``python -m paullite`` is the command ``paullite``."""

import sys

from .cli import main

sys.exit(main())
