"""`python -m trueup`: the command line."""

import sys
from pathlib import Path

if Path(sys.path[0]).absolute() == Path.cwd() != Path(__file__).absolute().parents[1]:
    # Python put the folder that we happen to be in before everything else; no code of ours is there
    del sys.path[0]

from trueup.cli import main

main()
