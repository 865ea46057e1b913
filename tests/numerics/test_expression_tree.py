"""Trees of numbers, names and calls: order of the nodes, names, substitution, depth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.expression_tree import Call, Expression, Name, Number, names_in, nodes_of, substitute

leaves = st.one_of(st.floats(0, 9).map(Number), st.sampled_from("abc").map(Name))
trees: st.SearchStrategy[Expression] = st.recursive(
    leaves, lambda inner: st.builds(Call, st.sampled_from("fg"), st.lists(inner, max_size=3).map(tuple))
)


def flat(tree: Expression) -> list[Expression]:
    """The nodes, by recursion."""
    below = [node for argument in tree.arguments for node in flat(argument)] if isinstance(tree, Call) else []
    return [tree, *below]


@given(trees)
def test_nodes_come_from_the_root_down_and_from_left_to_right(tree: Expression) -> None:
    assert list(nodes_of(tree)) == flat(tree)


@given(trees)
def test_all_names_are_replaced_at_once(tree: Expression) -> None:
    swapped = substitute(tree, {"a": Name("b"), "b": Name("a")})
    assert substitute(swapped, {"a": Name("b"), "b": Name("a")}) == tree
    assert set(names_in(swapped)) == {{"a": "b", "b": "a"}.get(name, name) for name in names_in(tree)}
    assert names_in(substitute(tree, {name: Number(1.0) for name in "abc"})) == ()


def test_names_come_once_in_the_order_they_are_written() -> None:
    assert names_in(Call("f", (Name("c"), Call("g", (Name("a"), Name("c"))), Name("b")))) == ("c", "a", "b")


def test_a_deep_tree_is_walked_without_recursion() -> None:
    tree: Expression = Name("x")
    for _ in range(20_000):
        tree = Call("neg", (tree,))
    assert sum(1 for _ in nodes_of(tree)) == 20_001
