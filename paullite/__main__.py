"""``python -m paullite`` is the command ``paullite``."""

import sys

from .app.cli import main

sys.exit(main())
