"""docs/operating.md, followed on a bare Debian."""
