"""The commit that runs, read from the clone; "unknown" in a copy without one."""

from pathlib import Path

UNKNOWN = "unknown"


def read(git: Path) -> str:
    """Returns the first twelve characters of the checked out commit."""
    try:
        if git.is_file():  # of a linked work tree; the shared part is elsewhere
            git = Path(git.read_text().removeprefix("gitdir:").strip())
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head[:12]
        name = head.removeprefix("ref: ")
        common = git / "commondir"
        shared = git / common.read_text().strip() if common.exists() else git
        if (shared / name).exists():
            return (shared / name).read_text().strip()[:12]
        packed = (shared / "packed-refs").read_text().splitlines()
        return next(line[:12] for line in packed if line.endswith(f" {name}"))
    except (OSError, StopIteration):
        return UNKNOWN


REVISION = read(Path(__file__).resolve().parents[2] / ".git")
