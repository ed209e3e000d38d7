"""The order of a whole run."""

from __future__ import annotations

from tests.support.order import spread


def spread_names(names: str) -> str:
    """Letters are modules; those in capitals wait, and of these Q and R build."""
    return "".join(spread(names, str.lower, str.isupper, lambda name: name in "QR"))


def test_modules_that_wait_stand_at_equal_distances_and_no_test_is_lost() -> None:
    assert spread_names("AABBabcdefgh".replace("a", "i").replace("b", "j")) == "AAijcdBBefgh"
    assert spread_names("abc") == "abc"
    assert spread_names("XYZ") == "XYZ"
    assert spread_names("") == ""


def test_modules_stay_together() -> None:
    assert spread_names("XXXaabbYc") == "XXXaabbYc"


def test_modules_whose_tests_build_on_each_other_are_first() -> None:
    """A worker without work takes from the end: there it would cut them in two."""
    assert spread_names("XXaaaRRbbbQQ") == "RRaaaQQbbbXX"
