"""The start fails if a library has moved a name that Noom overrides or reads."""

import pytest

from noom_project.server import compatibility
from noom_project.server.compatibility import NAMES, Names, check, missing


class Library:
    """A class of a library, with one attribute of each kind."""

    method = None

    def __init__(self) -> None:
        self.set_later = 0


def test_this_release_of_each_library_has_every_name():
    check()


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names.owner.__name__)
def test_each_name_is_checked(names, monkeypatch):
    assert names.attributes or names.stored
    renamed = names._replace(
        attributes=tuple(f"{name}_moved" for name in names.attributes),
        stored=tuple(f"{name}_moved" for name in names.stored),
    )
    assert list(missing(renamed)) == [*renamed.attributes, *renamed.stored]


def test_attribute_that_a_method_sets_is_found():
    names = Names(Library, "library.py", ("method", "gone"), ("set_later", "never_set"))
    assert list(missing(names)) == ["gone", "never_set"]


def test_missing_name_ends_the_start_with_its_reader(monkeypatch):
    gone = Names(Library, "slow_readers.py", (), ("_tempDataLen",))
    monkeypatch.setattr(compatibility, "NAMES", (*NAMES, gone))
    message = "^Library._tempDataLen is gone: noom_project/server/slow_readers.py needs it$"
    with pytest.raises(RuntimeError, match=message):
        check()
