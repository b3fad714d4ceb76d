"""From a directed graph to its strongly connected components.

The algorithm is that of R. Tarjan, "Depth-first search and linear graph algorithms", SIAM Journal on
Computing 1(2), 1972, with a stack of its own in place of recursion: the depth is the user's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping


def components(nodes: Iterable[str], ways: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The components that hold a cycle: several nodes, or one with a way to itself.

    Args:
        nodes: the nodes to look at; ways to others are not followed.
        ways: where each node leads.

    Returns:
        Each component once, its nodes in the order of `nodes`. Linear in nodes and ways.
    """
    order = {name: place for place, name in enumerate(nodes)}
    low: dict[str, int] = {}
    found: list[list[str]] = []
    done = len(order) + 1  # more than any number given out
    for start in order:
        if start not in low:
            _search(start, order, ways, low, done, found)
    for part in found:
        part.sort(key=order.__getitem__)
    return found


def _search(
    start: str,
    order: Mapping[str, int],
    ways: Mapping[str, Collection[str]],
    low: dict[str, int],
    done: int,
    found: list[list[str]],
) -> None:
    """Search depth-first from a node; `low` is `done` for nodes whose component is known."""
    count = low[start] = len(low)
    first = {start: count}
    open_nodes = [start]
    trail = [(start, iter(ways.get(start, ())))]
    while trail:
        name, rest = trail[-1]
        for target in rest:
            known = low.get(target)
            if known is not None:
                low[name] = min(low[name], known)
            elif target in order:
                count = first[target] = low[target] = len(low)
                open_nodes.append(target)
                trail.append((target, iter(ways.get(target, ()))))
                break
        else:
            trail.pop()
            if trail:
                low[trail[-1][0]] = min(low[trail[-1][0]], low[name])
            if low[name] == first[name]:
                at = len(open_nodes) - 1
                while open_nodes[at] != name:
                    at -= 1
                part = open_nodes[at:]
                del open_nodes[at:]
                for one in part:
                    low[one] = done
                if len(part) > 1 or name in ways.get(name, ()):
                    found.append(part)
