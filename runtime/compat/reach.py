"""From who follows whom to what can be reached: components, closures and dominators, in near-linear time.

Vertices are numbers from 0; `succ[v]` are those that follow v. Sets are bits of an int. Nothing here is
recursive: depth is no limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TypeAlias

Follows: TypeAlias = Sequence[Sequence[int]]


def components(succ: Follows) -> list[list[int]]:
    """The strongly connected components, each behind all that can be reached from it.

    Tarjan, "Depth-first search and linear graph algorithms" (1972), with a stack of its own.
    """
    count = len(succ)
    index, low = [0] * count, [0] * count  # index 0: not seen
    on_stack = bytearray(count)
    found: list[list[int]] = []
    stack: list[int] = []
    clock = 0
    for root in range(count):
        if index[root]:
            continue
        clock += 1
        index[root] = low[root] = clock
        stack.append(root)
        on_stack[root] = 1
        work = [(root, iter(succ[root]))]
        while work:
            at, following = work[-1]
            for after in following:
                if not index[after]:
                    clock += 1
                    index[after] = low[after] = clock
                    stack.append(after)
                    on_stack[after] = 1
                    work.append((after, iter(succ[after])))
                    break
                if on_stack[after] and index[after] < low[at]:
                    low[at] = index[after]
            else:
                work.pop()
                if work and low[at] < low[work[-1][0]]:
                    low[work[-1][0]] = low[at]
                if low[at] == index[at]:
                    members: list[int] = []
                    while not members or members[-1] != at:
                        members.append(stack.pop())
                        on_stack[members[-1]] = 0
                    found.append(members)
    return found


def gathered(succ: Follows, own: Sequence[int]) -> list[int]:
    """For each vertex the bits of all that can be reached from it, its own included."""
    held = [0] * len(succ)
    for members in components(succ):
        bits = 0
        for member in members:
            bits |= own[member]
            for after in succ[member]:
                bits |= held[after]
        for member in members:
            held[member] = bits
    return held


def merkle(succ: Follows, own: Sequence[bytes]) -> list[bytes]:
    """For each vertex a digest of the content of all that can be reached from it, its own included.

    Bottom up over the components: equal content, connected in the same way, gives equal digests.
    """
    held = [b""] * len(succ)
    for members in components(succ):
        inside = [own[member] for member in members]
        beyond = {held[after] for member in members for after in succ[member]} - {b""}
        digest = digest_of([*sorted(inside), b"|", *sorted(beyond)])
        for member in members:
            held[member] = digest
    return held


def digest_of(parts: Iterable[bytes]) -> bytes:
    """One digest of several parts."""
    return blake2b(b"".join([b"%d:%b" % (len(part), part) for part in parts]), digest_size=16).digest()


def turned(succ: Follows) -> list[list[int]]:
    """The same arrows the other way round."""
    found: list[list[int]] = [[] for _ in succ]
    for at, following in enumerate(succ):
        for after in following:
            found[after].append(at)
    return found


def dominator_spans(succ: Follows, root: int) -> list[tuple[int, int]]:
    """For each vertex the span of numbers that it dominates, its own number first; (0, 0) for unreachable.

    Vertices are numbered from 1 by a walk of the dominator tree, so that u dominates v where
    `span[u][0] <= span[v][0] < span[u][1]`. Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm"
    (2001).
    """
    order = _postorder(succ, root)
    place = {vertex: at for at, vertex in enumerate(order)}
    above = _dominators(turned(succ), order, place, root)
    below: dict[int, list[int]] = {}
    for vertex in order:
        if vertex != root:
            below.setdefault(above[vertex], []).append(vertex)
    spans = [(0, 0)] * len(succ)
    clock = 0
    work = [(root, False)]
    first: dict[int, int] = {}
    while work:
        vertex, left = work.pop()
        if left:
            spans[vertex] = (first[vertex], clock + 1)
            continue
        clock += 1
        first[vertex] = clock
        work.append((vertex, True))
        work.extend((inner, False) for inner in below.get(vertex, ()))
    return spans


def _postorder(succ: Follows, root: int) -> list[int]:
    seen = bytearray(len(succ))
    seen[root] = 1
    order: list[int] = []
    work = [(root, iter(succ[root]))]
    while work:
        at, following = work[-1]
        for after in following:
            if not seen[after]:
                seen[after] = 1
                work.append((after, iter(succ[after])))
                break
        else:
            order.append(at)
            work.pop()
    return order


def _dominators(pred: Follows, order: Sequence[int], place: dict[int, int], root: int) -> dict[int, int]:
    above: dict[int, int] = {root: root}
    changed = True
    while changed:
        changed = False
        for vertex in reversed(order):
            if vertex == root:
                continue
            best = -1
            for before in pred[vertex]:
                if before not in above:
                    continue
                best = before if best < 0 else _meet(above, place, best, before)
            if above.get(vertex) != best:
                above[vertex] = best
                changed = True
    return above


def _meet(above: dict[int, int], place: dict[int, int], one: int, other: int) -> int:
    while one != other:
        while place[one] < place[other]:
            one = above[one]
        while place[other] < place[one]:
            other = above[other]
    return one
