"""The built-in pieces, each written out as compartments, flows, terms and named values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from thrombokit.patients.expanded import PHASE, Flow, GammaInput, Term
from thrombokit.patients.expressions import ONE, ZERO, Call, Expression, Name, Number, minus, negative, over, plus, times
from thrombokit.patients.model import Entry, Piece
from thrombokit.patients.piece_keys import whole_number


@dataclass(kw_only=True)
class Expansion:
    """Grows piece by piece; `initial` holds what pieces say of starts where the file says nothing."""

    compartments: list[str]
    algebra: list[tuple[str, Entry]] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    initial: list[tuple[str, Entry]] = field(default_factory=list)
    switches: list[tuple[Entry, bool]] = field(default_factory=list)
    gamma_inputs: list[GammaInput] = field(default_factory=list)

    def compartment(self, name: str) -> str:
        """The compartment, added where it is new."""
        if name.casefold() not in {known.casefold() for known in self.compartments}:
            self.compartments.append(name)
        return name


def add_piece(piece: Piece, to: Expansion) -> None:
    """Write one piece out."""
    _EXPAND[piece.kind](_Writer(piece, to))


class _Writer:
    """One piece and the expansion it goes to."""

    def __init__(self, piece: Piece, to: Expansion) -> None:
        self.piece = piece
        self.to = to

    def entry(self, expression: Expression) -> Entry:
        return Entry(expression=expression, place=self.piece.place)

    def name(self, key: str) -> str:
        name = self.piece.name(key)
        if name is None:
            raise LookupError(f"a {self.piece.kind} without {key}")  # the reader has refused it before
        return name

    def value(self, key: str, default: Expression = ZERO) -> Expression:
        value = self.piece.expression(key)
        return default if value is None else value

    def flow(self, source: str, target: str | None, coefficient: Expression) -> None:
        self.to.flows.append(Flow(source=source, target=target, coefficient=self.entry(coefficient)))

    def term(self, compartment: str, expression: Expression) -> None:
        self.to.terms.append(Term(compartment=compartment, entry=self.entry(expression)))

    def define(self, name: str, expression: Expression) -> Name:
        self.to.algebra.append((name, self.entry(expression)))
        return Name(name)

    def hidden(self, what: str) -> str:
        """A name for a value of this piece that no file can write."""
        return f"@{len(self.to.algebra)} {what}"

    def start(self, compartment: str, expression: Expression) -> None:
        self.to.initial.append((compartment, self.entry(expression)))


def _linear(w: _Writer) -> None:
    central, volume = w.name("central"), w.value("volume")
    depot = w.piece.name("from")
    if depot is not None:
        w.flow(depot, central, w.value("absorption"))
    w.flow(central, None, over(w.value("clearance"), volume))
    lists = w.piece.names("peripherals"), w.piece.expressions("distribution"), w.piece.expressions("peripheral_volumes")
    for peripheral, distribution, its_volume in zip(*lists, strict=True):
        w.flow(central, w.to.compartment(peripheral), over(distribution, volume))
        w.flow(peripheral, central, over(distribution, its_volume))


def _dual_absorption(w: _Writer) -> None:
    before_switch = Call("<", (Name(PHASE), Number(0.5)))
    w.flow(w.name("from"), w.name("to"), Call("if", (before_switch, w.value("first_rate"), w.value("second_rate"))))
    w.to.switches.append((w.entry(w.value("switch")), w.piece.name("switch_from") == "record"))


def _transit(w: _Writer) -> None:
    source, target, rate, n = w.name("from"), w.name("to"), w.value("rate"), whole_number(w.piece, "n")
    if n is None:
        gamma = GammaInput(source=source, target=target, n=w.entry(w.value("n")), rate=w.entry(rate))
        w.to.gamma_inputs.append(gamma)
        return
    chain = [source, *(w.to.compartment(f"{source}_transit_{number}") for number in range(1, n + 1)), target]
    for earlier, later in pairwise(chain):
        w.flow(earlier, later, rate)


def _free_and_rates(w: _Writer) -> tuple[str, Expression, Expression]:
    """The central compartment, factor/volume, and volume/factor."""
    factor, volume = w.value("factor", ONE), w.value("volume")
    return w.name("central"), over(factor, volume), over(volume, factor)


def _exchange(w: _Writer, central: str, free_amount: Expression) -> None:
    """Free drug to and from the peripheral compartment, where there is one."""
    peripheral = w.piece.name("peripheral")
    if peripheral is None:
        return
    w.to.compartment(peripheral)
    leaving = times(w.value("kcp"), free_amount)
    w.term(central, negative(leaving))
    w.term(peripheral, leaving)
    w.flow(peripheral, central, w.value("kpc"))


def _tmdd_qe(w: _Writer) -> None:
    """Binding in equilibrium at every moment; the central compartment holds free and bound drug together.

    Mager and Krzyzanski 2005, doi:10.1007/s11095-005-6650-0. The root is taken in the form that loses no digits.
    """
    central, per_volume, as_amount = _free_and_rates(w)
    target, kd = w.piece.name("target"), w.value("kd")
    total_target: Expression = Name(w.to.compartment(target)) if target else w.define(w.hidden("target"), w.value("target_total"))
    total = w.define(w.hidden("drug"), times(Name(central), per_volume))
    excess = w.define(w.hidden("excess"), minus(minus(total, total_target), kd))
    four = times(Number(4.0), times(kd, total))
    root = w.define(w.hidden("root"), Call("sqrt", (plus(times(excess, excess), four),)))
    mostly_free = times(Number(0.5), plus(excess, root))
    mostly_bound = over(times(Number(2.0), times(kd, total)), minus(root, excess))
    free_drug = Call("if", (Call(">=", (excess, ZERO)), mostly_free, mostly_bound))
    free = w.define(w.piece.name("free") or w.hidden("free"), free_drug)
    bound = w.define(w.piece.name("bound") or w.hidden("bound"), over(times(total_target, free), plus(kd, free)))
    free_amount = w.define(w.hidden("amount"), times(free, as_amount))
    w.term(central, negative(times(w.value("kel"), free_amount)))
    w.term(central, negative(times(w.value("kint"), times(bound, as_amount))))
    if target is not None:
        degraded = times(w.value("kdeg"), minus(Name(target), bound))
        w.term(target, minus(minus(w.value("ksyn"), degraded), times(w.value("kint"), bound)))
        w.start(target, over(w.value("ksyn"), w.value("kdeg")))
    _exchange(w, central, free_amount)


def _tmdd_full(w: _Writer) -> None:
    """Drug, target and complex with association and dissociation; the central compartment holds free drug.

    Mager and Jusko 2001, doi:10.1023/A:1014414520282.
    """
    central, per_volume, as_amount = _free_and_rates(w)
    target, bound = w.to.compartment(w.name("target")), w.to.compartment(w.name("complex"))
    free = w.define(w.piece.name("free") or w.hidden("free"), times(Name(central), per_volume))
    associated = times(times(w.value("kon"), free), Name(target))
    net = w.define(w.hidden("binding"), minus(associated, times(w.value("koff"), Name(bound))))
    w.flow(central, None, w.value("kel"))
    w.term(central, negative(times(net, as_amount)))
    w.term(target, minus(minus(w.value("ksyn"), times(w.value("kdeg"), Name(target))), net))
    w.term(bound, minus(net, times(w.value("kint"), Name(bound))))
    w.start(target, over(w.value("ksyn"), w.value("kdeg")))
    _exchange(w, central, Name(central))


def _lifespan_chain(w: _Writer) -> None:
    """n compartments of equal mean residence: an Erlang-distributed life with the given mean."""
    n = whole_number(w.piece, "n") or 1
    chain = [w.to.compartment(f"{w.name('name')}_{number}") for number in range(1, n + 1)]
    rate = over(Number(float(n)), w.value("lifespan"))
    for earlier, later in zip(chain, [*chain[1:], w.piece.name("to")], strict=True):
        w.flow(earlier, later, rate)
    if w.value("production") != ZERO:
        w.term(chain[0], w.value("production"))
    total, outflow, initial = w.piece.name("total"), w.piece.name("outflow"), w.piece.expression("initial")
    if total is not None:
        members: Expression = ZERO
        for compartment in chain:
            members = plus(members, Name(compartment))
        w.define(total, members)
    if outflow is not None:
        w.define(outflow, times(rate, Name(chain[-1])))
    if initial is not None:
        for compartment in chain:
            w.start(compartment, over(initial, Number(float(n))))


_EXPAND: dict[str, Callable[[_Writer], None]] = {
    "linear": _linear, "dual_absorption": _dual_absorption, "transit": _transit, "tmdd_qe": _tmdd_qe, "tmdd_full": _tmdd_full,
    "lifespan_chain": _lifespan_chain,
}  # fmt: skip
