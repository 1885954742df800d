"""Makes formulas, each once, and simplifies what can be seen at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import and_, or_

from .budget import GaveUpError
from .formulas import FALSE, TRUE, And, Atom, Constant, Kinds, Link, Listed, Literal, Node, Or
from .values import EVERY_KIND, NULL, STRING, Key, key_of, kind_of


class Arena:
    """Makes formulas, each once. One arena is for one question."""

    def __init__(self) -> None:
        self._made: dict[object, Node] = {}
        self._negations: dict[Node, Node] = {TRUE: FALSE, FALSE: TRUE}
        self._narrowed: dict[tuple[Node, int], Node] = {}
        self._targets: dict[bytes, Callable[[], Node]] = {}
        self._read: dict[bytes, Node] = {}
        self._being_read: set[bytes] = set()
        self._followed: set[bytes] = set()

    def kinds(self, mask: int) -> Node:
        """Values of these kinds."""
        if mask in (0, EVERY_KIND):
            return TRUE if mask else FALSE
        return self._once(("kinds", mask), lambda: Kinds(mask))

    def literal(self, kind: int, atom: Atom, *, positive: bool = True) -> Node:
        """A condition on one kind of values, or its negation."""
        return self._once((kind, atom, positive), lambda: Literal(kind, atom, positive))

    def one_of(self, values: Iterable[object]) -> Node:
        """Exactly these values."""
        kinds: dict[int, dict[Key, object]] = {}
        for value in values:
            kinds.setdefault(kind_of(value), {}).setdefault(key_of(value), value)
        conditions = [
            self.literal(kind, Listed(frozenset(found), found))
            for kind, found in kinds.items()
            if kind != NULL
        ]
        return self.all_of([self.kinds(sum(kinds)), *conditions])

    def named(self, names: Iterable[str]) -> Node:
        """Texts that are one of these, where it is known that it is about texts."""
        keys: dict[Key, object] = {name: name for name in names}
        return self.literal(STRING, Listed(frozenset(keys), keys))

    def all_of(self, parts: Iterable[Node]) -> Node:
        """Values that satisfy all parts."""
        return self._joined(parts, And, TRUE, FALSE)

    def any_of(self, parts: Iterable[Node]) -> Node:
        """Values that satisfy one part at least."""
        return self._joined(parts, Or, FALSE, TRUE)

    def link(self, target: bytes, read: Callable[[], Node]) -> Node:
        """What `read` gives, when it is needed. `target` identifies it."""
        self._targets.setdefault(target, read)
        return self._once(("link", target, True), lambda: Link(target, positive=True))

    def negation(self, node: Node) -> Node:
        """Values that do not satisfy `node`."""
        found = self._negations.get(node)
        if found is None:
            found = self._negated(node)
            self._negations[node] = found
            self._negations[found] = node
        return found

    def narrowed(self, node: Node, kind: int) -> Node:
        """`node` for values of one kind: without kinds, without conditions on others, without links.

        Raises:
            GaveUpError: a reference leads back to itself without a step into the value.
        """
        match node:
            case Constant():
                return node
            case Kinds():
                return TRUE if node.mask & kind else FALSE
            case Literal():
                return node if node.kind == kind else FALSE if not node.positive else TRUE
        found = self._narrowed.get((node, kind))
        if found is None:
            match node:
                case And():
                    found = self.all_of(self.narrowed(part, kind) for part in node.parts)
                case Or():
                    found = self.any_of(self.narrowed(part, kind) for part in node.parts)
                case Link():
                    found = self._follow(node, kind)
            if isinstance(found, Kinds) or (
                isinstance(found, And | Or) and any(isinstance(part, Kinds) for part in found.parts)
            ):
                found = self.narrowed(found, kind)  # joined lists of values may have left a kind
            self._narrowed[node, kind] = found
        return found

    def target(self, link: Link) -> Node:
        """What a link leads to."""
        node = self._read.get(link.target)
        if node is None:
            self._being_read.add(link.target)
            node = self._read[link.target] = self._targets[link.target]()
            self._being_read.discard(link.target)
        return node if link.positive else self.negation(node)

    def readable(self, link: Link) -> bool:
        """Whether the target may be looked at: it is not being read just now."""
        return link.target not in self._being_read

    def _follow(self, link: Link, kind: int) -> Node:
        if link.target in self._followed:
            raise GaveUpError("a `$ref` leads back to itself")
        self._followed.add(link.target)
        found = self.narrowed(self.target(link), kind)
        self._followed.discard(link.target)
        return found

    def _once(self, key: object, make: Callable[[], Node]) -> Node:
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = make()
        return found

    def _joined(self, parts: Iterable[Node], join: type[And | Or], neutral: Node, final: Node) -> Node:
        kept: dict[Node, None] = {}
        for part in parts:
            if part is final:
                return final
            if isinstance(part, join):
                kept.update(dict.fromkeys(part.parts))
            elif part is not neutral:
                kept[part] = None
        kept = self._merged(kept, join)
        if final in kept:
            return final
        kept.pop(neutral, None)
        if not kept:
            return neutral
        if len(kept) == 1:
            return next(iter(kept))
        if any(self._negations.get(part) in kept for part in kept):
            return final
        return self._once((join, frozenset(kept)), lambda: join(tuple(kept)))

    def _merged(self, parts: dict[Node, None], join: type[And | Or]) -> dict[Node, None]:
        """`parts`, with one list of values for several of a kind, and one mask for several."""
        groups: dict[tuple[int, bool], list[Node]] = {}
        for part in parts:
            match part:
                case Literal(kind, Listed(), positive):
                    groups.setdefault((kind, positive), []).append(part)
                case Kinds():
                    groups.setdefault((0, True), []).append(part)
        for (kind, positive), group in groups.items():
            if len(group) > 1:
                gone = set(group)
                parts = dict.fromkeys(part for part in parts if part not in gone)
                parts[self._one_list(kind, group, positive=positive, join=join)] = None
        return parts

    def _one_list(self, kind: int, group: list[Node], *, positive: bool, join: type[And | Or]) -> Node:
        if kind == 0:
            masks = [part.mask for part in group if isinstance(part, Kinds)]
            return self.kinds(reduce(and_ if join is And else or_, masks))
        lists = [part.atom for part in group if isinstance(part, Literal) and isinstance(part.atom, Listed)]
        if (join is Or) is positive:
            values = {key: value for one in lists for key, value in one.values.items()}
        else:
            shared = frozenset.intersection(*(one.keys for one in lists))
            values = {key: value for key, value in lists[0].values.items() if key in shared}
        if not values:  # of no list: of another kind, or if that is the negation, of this kind
            return self.kinds(EVERY_KIND & ~kind if positive else kind)
        return self.literal(kind, Listed(frozenset(values), values), positive=positive)

    def _negated(self, node: Node) -> Node:
        match node:
            case And():
                return self.any_of(self.negation(part) for part in node.parts)
            case Or():
                return self.all_of(self.negation(part) for part in node.parts)
            case Kinds():
                return self.kinds(EVERY_KIND & ~node.mask)
            case Literal():
                return self.literal(node.kind, node.atom, positive=not node.positive)
            case Link():
                key = ("link", node.target, not node.positive)
                return self._once(key, lambda: Link(node.target, not node.positive))
            case Constant():
                return FALSE if node.value else TRUE
