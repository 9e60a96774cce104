"""The environment into which the variables are declared, and what several of them need."""

import os
from pathlib import Path

from noom_project.config.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = BASE_DIR / "var"
DAY_S = 24 * 3600
YEAR_S = 366 * DAY_S

env = Environment(os.environ)
