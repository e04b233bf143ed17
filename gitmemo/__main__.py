"""`python -m gitmemo`: the command line, also where no script was installed (git hooks)."""

import sys

from gitmemo.cli import main

sys.exit(main())
