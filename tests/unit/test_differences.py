"""Differences between two versions of the same data."""

from __future__ import annotations

from friendshore.domain.differences import ValueDifference, differences, paired


def test_each_value_that_differs_is_found_by_its_path() -> None:
    """Values, absent keys, and entries of lists of the same length; a list of words is one value, and an absent key equals None."""
    before = {"a": 1, "steps": [{"year": 1}, {"year": 2}], "words": ["x", "y"], "gone": True, "none": None}
    after = {"a": 1, "steps": [{"year": 1}, {"year": 3}], "words": ["x", "z"], "new": 0}
    assert list(differences(before, after)) == [
        ValueDifference(("steps", 1, "year"), 2, 3),
        ValueDifference(("words",), ["x", "y"], ["x", "z"]),
        ValueDifference(("new",), None, 0),
        ValueDifference(("gone",), True, None),
    ]
    assert list(differences(before, before)) == []


def test_depth_and_equality_can_be_stated() -> None:
    """What is deeper is one value, and values that are as good as equal are no difference."""
    before, after = {"a": {"b": {"c": 1}}, "d": "5.0"}, {"a": {"b": {"c": 2}}, "d": "5"}
    assert list(differences(before, after, depth=2, equal=lambda one, other: str(one)[0] == str(other)[0])) == []
    assert [one.path for one in differences(before, after, depth=2)] == [("a", "b"), ("d",)]


def test_entries_are_paired_by_name_and_then_by_order() -> None:
    """Two of one name meet two of that name, whatever lies between them; one without a partner stands alone."""
    before = [("a", 1), ("b", 2), ("a", 3)]
    assert list(paired(before, [("b", 2), ("a", 1)])) == [("b", 2, 2), ("a", 1, 1), ("a", 3, None)]
    assert list(paired([], before)) == [("a", None, 1), ("a", None, 3), ("b", None, 2)]
