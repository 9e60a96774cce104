"""Factor for the deadlines of tests, for a machine that is busy elsewhere."""

# Every deadline is a multiple of it. A state that never comes costs this much more; a state that
# comes costs nothing. Deadlines judge no speed: `figure(…)` does, in `make reliability`.
PATIENCE = 4
