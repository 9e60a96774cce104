"""Copies of Noom's own tree, as other versions and other containers have them."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT

PARTS = ("manage.py", "noom_project", "chat", "call", "templates", "static")
GATHER_S = 60 * PATIENCE


def copy(folder: Path) -> Path:
    """Copy the files that a server runs, and nothing else."""
    folder.mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


def change(tree: Path, version: str) -> None:
    """Turn the copy into another version.

    Each page's script and style differ, and say so.
    """
    for page in ("home", "room"):
        with (tree / "static" / "js" / "pages" / f"{page}.js").open("a") as script:
            script.write(f"document.documentElement.dataset.version = '{version}';\n")
        with (tree / "static" / "css" / "pages" / f"{page}.css").open("a") as sheet:
            sheet.write(f":root {{ --version: {version}; }}\n")


def gather(tree: Path, environment: dict[str, str]) -> None:
    """Run `collectstatic`."""
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=tree,
        env=environment,
        check=True,
        timeout=GATHER_S,
    )
