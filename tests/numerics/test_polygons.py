"""Points in polygons and ellipsoids, against exact arithmetic and simple laws."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.ellipsoids import ellipsoid_box, inside_ellipsoid
from thrombokit.numerics.polygons import inside_polygon

Point = tuple[int, int]
GRID = st.tuples(st.integers(-4, 4), st.integers(-4, 4))


def exactly_inside(point: Point, vertices: list[Point]) -> bool:
    """The even-odd rule with the border in, in rational numbers: crossings of a ray to the right."""
    x, y = point
    odd = False
    for (ax, ay), (bx, by) in zip(vertices, vertices[1:] + vertices[:1], strict=True):
        on_line = (bx - ax) * (y - ay) == (by - ay) * (x - ax)
        if on_line and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return True
        if (ay > y) != (by > y) and Fraction(ax) + Fraction((y - ay) * (bx - ax), by - ay) > x:
            odd = not odd
    return odd


@given(st.lists(GRID, min_size=3, max_size=9), st.lists(GRID, min_size=1, max_size=30))
def test_a_polygon_of_any_shape_holds_what_exact_arithmetic_says(vertices: list[Point], points: list[Point]) -> None:
    x, y = np.array(points, dtype=float).T
    found = inside_polygon(x, y, np.array(vertices, dtype=float))
    assert found.tolist() == [exactly_inside(point, vertices) for point in points]


@given(st.integers(0, 10**6), st.floats(0.05, 0.95), st.floats(-0.4, 0.4))
def test_no_point_is_lost_or_doubled_between_two_polygons_of_one_edge(seed: int, cut: float, tilt: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.random((2, 200))
    low, high = (cut, 0.0), (cut + tilt, 1.0)
    left = inside_polygon(x, y, np.array([(-2.0, 0.0), low, high, (-2.0, 1.0)]))
    right = inside_polygon(x, y, np.array([low, (3.0, 0.0), (3.0, 1.0), high]))
    assert np.array_equal(left, ~right)


@given(st.lists(GRID, min_size=3, max_size=7), st.integers(0, 6))
def test_where_a_polygon_starts_and_which_way_it_turns_do_not_matter(vertices: list[Point], shift: int) -> None:
    x, y = (part.ravel().astype(float) for part in np.meshgrid(np.arange(-5, 6), np.arange(-5, 6)))
    corners = np.array(vertices, dtype=float)
    first = inside_polygon(x, y, corners)
    assert np.array_equal(inside_polygon(x, y, np.roll(corners, shift, axis=0)), first)
    assert np.array_equal(inside_polygon(x, y, corners[::-1]), first)


def test_crossing_borders_make_a_hole() -> None:
    star = np.array([[np.sin(4 * np.pi * k / 5), np.cos(4 * np.pi * k / 5)] for k in range(5)])
    assert inside_polygon(np.array([0.0, 0.0]), np.array([0.0, 0.9]), star).tolist() == [False, True]


def test_what_is_no_number_or_endless_lies_outside() -> None:
    x, y = np.array([np.nan, 0.5, np.inf, -np.inf]), np.array([0.5, np.nan, 0.5, 0.5])
    assert not inside_polygon(x, y, np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])).any()


@given(st.integers(0, 10**6))
def test_an_ellipsoid_is_a_ball_seen_through_its_covariance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = np.tril(rng.uniform(0.3, 2.0, (3, 3)))
    inner = rng.normal(size=(3, 300))
    mean, square = rng.normal(size=3), float(rng.uniform(0.5, 4.0))
    points = mean[:, None] + root @ inner
    radius = (inner**2).sum(axis=0)
    sure = np.abs(radius - square) > 1e-9
    found = inside_ellipsoid(list(points), mean, root @ root.T, square)
    assert np.array_equal(found[sure], (radius <= square)[sure])
    box = ellipsoid_box(mean, root @ root.T, square)
    assert box is not None
    low, high = box
    assert ((points[:, found] >= low[:, None]) & (points[:, found] <= high[:, None])).all()


def test_a_form_that_is_not_closed_has_no_box() -> None:
    assert ellipsoid_box(np.zeros(2), np.array([[1.0, 2.0], [2.0, 1.0]]), 1.0) is None


def test_the_surface_belongs_to_the_ellipsoid_and_no_number_does_not() -> None:
    x, y = np.array([2.0, 2.0001, np.nan]), np.zeros(3)
    assert inside_ellipsoid([x, y], np.zeros(2), np.eye(2), 4.0).tolist() == [True, False, False]
