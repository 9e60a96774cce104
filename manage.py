#!/usr/bin/env python
"""Django's command line for Noom."""

import os
import sys

from django.core.management import execute_from_command_line

from noom_project.local.private_files import UMASK

if __name__ == "__main__":
    os.umask(UMASK)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "noom_project.settings")
    execute_from_command_line(sys.argv)
