"""Marks, figures and servers of the targets in this folder."""

from tests.support.figures.plugin import (  # noqa: F401 - pytest finds them here
    admin,
    cluster,
    figure,
    light,
    open_site,
    pytest_collection_modifyitems,
    pytest_runtest_call,
    pytest_runtest_makereport,
    site,
    start_process,
    start_site,
)
