"""A patient model as a NONMEM control stream: ADVAN13, the whole right-hand side in $DES."""

from __future__ import annotations

import re
from itertools import product

from thrombokit.errors import Fault, SpecError
from thrombokit.patients.export_form import ExportForm, Spelling, described, export_form, header_lines, source_lines
from thrombokit.patients.expressions import Call, Expression, Name, Number
from thrombokit.patients.model import CovariateRule, PatientModel

_OWN_WORDS = """
    id time evid amt dv mdv cmt rate ss ii addl y l1 l2 newind icall ipred iprd ires w iwres t tstate dostim dosrec mixnum mixest nspop mtdiff
    call comres comsav exp log log10 sqrt sin cos abs int mod min max if then else endif do while exit tdose tprev tabs tabsp nabs tadnow
    tadnowe phase phasee switchat lagofswitch gamma gamln phi log_gamma newl2 ireport irep pcmt calls a_0flg omega sigma theta eta eps
"""
_OWN = frozenset(_OWN_WORDS.split())
_PATTERN = re.compile(
    r"(a|p|f|r|d|s|alag|mtime|mpast|mnext|theta|eta|eps|err|dadt|a_0|com|q|v\d{3,}|e\d{3,}|k\d\dt|xx)\d*", re.IGNORECASE
)
_PRECEDENCE = {"+": 2, "-": 2, "*": 3, "/": 3}
_FORTRAN = {"<": "LT", "<=": "LE", ">": "GT", ">=": "GE", "==": "EQ", "!=": "NE"}
_LONGEST_LINE = 150


def nonmem_code(model: PatientModel, *, data: str = "data.csv", observed: str | None = None) -> str:
    """The model as a control stream that simulates.

    Parameters
    ----------
    model : PatientModel
        From `load_model`.
    data : str
        Name of the data file in $DATA, with columns ID TIME AMT RATE II SS EVID CMT DV MDV and the covariates, as `export_patient_model`
        writes it.
    observed : str, optional
        The output that Y is; the first with a residual (or the first) by default. All outputs stand in $TABLE.

    Returns
    -------
    str
        $PROBLEM ... $TABLE. Estimates are not asked for: $SIMULATION ONLYSIMULATION.

    Raises
    ------
    SpecError
        What cannot be exported, each by name; an output that is not there.
    """
    if model.covariates is CovariateRule.LAST_CARRIED_FORWARD and model.needed_columns:
        raise SpecError(Fault(place=f"{model.file}, covariates", found='"locf"', expected='"nocb", the only rule of NONMEM',
                              cure="Change the model to nocb, and the data with it."))  # fmt: skip
    form = export_form(model, _SPELLING, target="NONMEM")
    y = _observed(model, observed)
    algebra = _Lines("V")
    blocks = [
        [
            "$PROBLEM " + (model.title or model.file).upper()[:60],
            *(f"; {line}" for line in (*header_lines(form, "NONMEM"), *source_lines(form))),
        ],
        [_input_line(form)],
        [f"$DATA {data} IGNORE=@"],
        ["$SUBROUTINES ADVAN13 TOL=9"],
        ["$MODEL", *(f"  COMP=({_component(form, k)}{_defaults(form, k)})" for k in range(len(form.compartments)))],
        *([["$MIX", *_mix(form)]] if model.mixtures else []),
        ["$PK", *_pk(form)],
        ["$DES", *_moving(form, algebra, "T", suffix=""), *_derivatives(form, algebra)],
        ["$ERROR", *_error(form, y)],
        [
            "$THETA",
            *(f"  {theta.value!r} FIX ; {form.names[name]}: {described(model, name)}" for name, theta in model.theta.items()),
        ],
        *_omegas(form),
        _sigma(model, y),
        ["$SIMULATION (20260101) ONLYSIMULATION SUBPROBLEMS=1"],
        [f"$TABLE ID TIME EVID {' '.join(form.outputs)} NOPRINT NOAPPEND ONEHEADER FORMAT=s1PE16.9 FILE=simulated.tab"],
    ]
    return "\n\n".join("\n".join(_folded(line) for line in block) for block in blocks if block) + "\n"


def _reserved(name: str) -> bool:
    return name.casefold() in _OWN or _PATTERN.fullmatch(name) is not None


_SPELLING = Spelling(longest=18, reserved=_reserved, amount=lambda k, _: f"A({k + 1})", time="T", record_time="TIME", time_after_dose="TADNOW",
                     phase="PHASE")  # fmt: skip


def _observed(model: PatientModel, observed: str | None) -> str:
    outputs = list(model.output)
    if observed is None:
        wanted = {name.casefold() for name in model.residual}
        return next((name for name in outputs if name.casefold() in wanted), outputs[0])
    for name in outputs:
        if name.casefold() == observed.casefold():
            return name
    raise SpecError(Fault(place=f"{model.file}, output", found=f'no "{observed}"', expected=f"one of {', '.join(outputs)}",
                          cure="Name one of the outputs."))  # fmt: skip


def _input_line(form: ExportForm) -> str:
    return " ".join(["$INPUT ID TIME AMT RATE II SS EVID CMT DV MDV", *form.column_titles().values()]).upper()


def _component(form: ExportForm, k: int) -> str:
    return form.names[form.compartments[k]].upper()


def _defaults(form: ExportForm, k: int) -> str:
    model, name = form.model, form.compartments[k].casefold()
    first = (model.default_dose or form.compartments[0]).casefold() == name, (model.default_observation or "").casefold() == name
    return (", DEFDOSE" if first[0] else "") + (", DEFOBS" if first[1] else "")


def _mix(form: ExportForm) -> list[str]:
    """One population for each combination of classes."""
    combinations = list(product(*(range(len(mixture.shares)) for mixture in form.model.mixtures)))
    lines = [f"  NSPOP = {len(combinations)}"]
    for number, chosen in enumerate(combinations, start=1):
        share = 1.0
        for mixture, k in zip(form.model.mixtures, chosen, strict=True):
            share *= mixture.shares[k]
        said = ", ".join(f"{mixture.name} {mixture.labels[k]}" for mixture, k in zip(form.model.mixtures, chosen, strict=True))
        lines.append(f"  P({number}) = {share!r} ; {said}")
    return lines


def _classes(form: ExportForm) -> list[str]:
    lines: list[str] = []
    combinations = list(product(*(range(len(mixture.shares)) for mixture in form.model.mixtures)))
    for place, mixture in enumerate(form.model.mixtures):
        name = form.names[mixture.name].upper()
        lines.append(f"  {name} = 1.0")
        lines += [
            f"  IF (MIXNUM.EQ.{number}) {name} = {chosen[place] + 1}.0"
            for number, chosen in enumerate(combinations, start=1)
            if chosen[place]
        ]
    return lines


def _pk(form: ExportForm) -> list[str]:
    model, lines = form.model, list[str]()
    if form.uses_time_after_dose or form.switch is not None:
        lines += ["  IF (NEWIND.NE.2) THEN", "    TDOSE = TIME", "    TPREV = TIME", "    TABS = TIME", "    TABSP = TIME", "    NABS = 0",
                  "  ENDIF", "  IF (EVID.EQ.1.OR.EVID.EQ.4) THEN", "    TPREV = TDOSE", "    TDOSE = TIME", "  ENDIF"]  # fmt: skip
    if form.switch is not None:
        lines += [f"  IF ((EVID.EQ.1.OR.EVID.EQ.4).AND.CMT.EQ.{form.switch[2] + 1}) THEN", "    TABSP = TABS", "    TABS = TIME",
                  "    NABS = NABS + 1", "  ENDIF"]  # fmt: skip
    lines += [f"  {form.names[name].upper()} = THETA({k})" for k, name in enumerate(model.theta, start=1)]
    lines += [f"  {form.names[name].upper()} = ETA({k})" for k, name in enumerate(model.eta_names, start=1)]
    lines += _classes(form)
    write = _Lines("P")
    for name, expression in form.record:
        lines += write.assignment(name.upper(), expression)
    if form.switch is not None:
        delay, from_record, _ = form.switch
        at = Call("max", (delay, form.lag_of_switch)) if from_record else Call("+", (delay, form.lag_of_switch))
        lines += [*write.assignment("LAGOFSWITCH", form.lag_of_switch), *write.assignment("SWITCHAT", at)]
    keys = {"lag": "ALAG", "F": "F", "rate": "R", "duration": "D"}
    for k, settings in form.dose.items():
        for key, value in settings.items():
            lines += write.assignment(f"{keys[key]}{k + 1}", value)
    starts: list[str] = []
    for k, value in form.initial.items():
        starts += write.assignment(f"A_0({k + 1})", value)
    return [*lines, "  IF (A_0FLG.EQ.1) THEN", *(f"  {line}" for line in starts), "  ENDIF"] if starts else lines


def _moving(form: ExportForm, write: _Lines, now: str, *, suffix: str) -> list[str]:
    """Time since the dose, phase and [algebra]; in $ERROR under other names, since a name belongs to one block."""
    lines: list[str] = []
    if form.uses_time_after_dose:
        lines += [f"  TADNOW{suffix} = {now} - TDOSE", f"  IF ({now}.LT.TDOSE) TADNOW{suffix} = {now} - TPREV"]
    if form.switch is not None:
        lines += [
            f"  PHASE{suffix} = 0.0",
            f"  IF (NABS.GE.1.AND.{now}.GE.TABS + SWITCHAT) PHASE{suffix} = 1.0",
            f"  IF (NABS.GE.2.AND.{now}.LT.TABS + LAGOFSWITCH) THEN",
            f"    PHASE{suffix} = 0.0",
            f"    IF ({now}.GE.TABSP + SWITCHAT) PHASE{suffix} = 1.0",
            "  ENDIF",
        ]
    for name, expression in form.algebra:
        lines += write.assignment(f"{name.upper()}{suffix}", expression)
    return lines


def _derivatives(form: ExportForm, write: _Lines) -> list[str]:
    return [line for k, e in enumerate(form.derivatives, start=1) for line in write.assignment(f"DADT({k})", e)]


def _error(form: ExportForm, y: str) -> list[str]:
    write = _Lines("E", own=frozenset({"T", "TADNOW", "PHASE", *(name for name, _ in form.algebra)}))
    lines = _moving(form, write, "TIME", suffix="E")
    for name, expression in form.outputs.items():
        lines += write.assignment(name.upper(), expression)
    exported = form.names[f"@output {y}"].upper()
    residual = next((value for name, value in form.model.residual.items() if name.casefold() == y.casefold()), None)
    if residual is None:
        return [*lines, f"  Y = {exported} + EPS(1)"]
    return [*lines, f"  Y = {exported}*EXP(EPS(1))" if residual.log_sd else f"  Y = {exported}*(1.0 + EPS(1)) + EPS(2)"]


def _omegas(form: ExportForm) -> list[list[str]]:
    blocks: list[list[str]] = []
    for block in form.model.omega:
        named = ", ".join(form.names[name] for name in block.names)
        rows = ["  " + " ".join(repr(float(value)) for value in block.matrix[k, : k + 1]) for k in range(len(block.names))]
        fixed = "" if block.matrix.any() else " FIX"
        blocks.append([f"$OMEGA BLOCK({len(block.names)}){fixed} ; {named}", *rows])
    return blocks


def _sigma(model: PatientModel, y: str) -> list[str]:
    residual = next((value for name, value in model.residual.items() if name.casefold() == y.casefold()), None)
    if residual is None:
        return ["$SIGMA", "  0.0 FIX ; no residual"]
    sds = [residual.log_sd] if residual.log_sd else [residual.proportional_sd, residual.additive_sd]
    return ["$SIGMA", *(f"  {sd * sd!r}{'' if sd else ' FIX'}" for sd in sds)]


class _Lines:
    """Assignments in abbreviated code; what it cannot say in an expression (if, min, max, a comparison as a number) gets lines before."""

    def __init__(self, letter: str, own: frozenset[str] = frozenset()) -> None:
        self.letter, self.own, self.count = letter, own, 0

    def assignment(self, target: str, expression: Expression, indent: int = 1) -> list[str]:
        """Lines that give `target` the value."""
        before: list[str] = []
        if isinstance(expression, Call) and expression.function == "if":
            return self._branches(target, expression, indent)
        text = self._text(expression, 0, before, indent)
        return [*before, f"{'  ' * indent}{target} = {text}"]

    def _branches(self, target: str, expression: Call, indent: int) -> list[str]:
        condition, first, second = expression.arguments
        before: list[str] = []
        truth = self._truth(condition, before, indent)
        space = "  " * indent
        return [*before, f"{space}IF ({truth}) THEN", *self.assignment(target, first, indent + 1), f"{space}ELSE",
                *self.assignment(target, second, indent + 1), f"{space}ENDIF"]  # fmt: skip

    def _truth(self, condition: Expression, before: list[str], indent: int) -> str:
        if isinstance(condition, Call) and condition.function in _FORTRAN:
            left, right = (self._text(argument, 2, before, indent) for argument in condition.arguments)
            return f"{left}.{_FORTRAN[condition.function]}.{right}"
        return f"{self._text(condition, 2, before, indent)}.NE.0.0"

    def _hoisted(self, expression: Call, before: list[str], indent: int) -> str:
        self.count += 1
        name = f"{self.letter}{self.count:03d}X"
        before += self.assignment(name, expression, indent)
        return name

    def _text(self, expression: Expression, outer: int, before: list[str], indent: int) -> str:
        if isinstance(expression, Number):
            return repr(expression.value).replace("e", "E")
        if isinstance(expression, Name):
            return self._name(expression.id)
        function, arguments = expression.function, expression.arguments
        if function in ("exp", "log", "sqrt"):
            return f"{function.upper()}({self._text(arguments[0], 0, before, indent)})"
        if function in ("min", "max"):
            rest = arguments[1] if len(arguments) == 2 else Call(function, arguments[1:])
            least = Call("<" if function == "min" else ">", (arguments[0], rest))
            return self._hoisted(Call("if", (least, arguments[0], rest)), before, indent)
        if function == "if":
            return self._hoisted(expression, before, indent)
        if function in _FORTRAN:
            return self._hoisted(Call("if", (expression, Number(1.0), Number(0.0))), before, indent)
        if function == "neg":
            return f"(-{self._text(arguments[0], 6, before, indent)})"
        if function == "^":
            return (
                f"{self._text(arguments[0], 6, before, indent)}**{self._text(arguments[1], 6, before, indent)}"
                if outer < 6
                else (f"({self._text(arguments[0], 6, before, indent)}**{self._text(arguments[1], 6, before, indent)})")
            )
        strength = _PRECEDENCE[function]
        text = f"{self._text(arguments[0], strength, before, indent)}{function}{self._text(arguments[1], strength + 1, before, indent)}"
        return f"({text})" if strength < outer else text

    def _name(self, name: str) -> str:
        if name == "T" and self.own:
            return "TIME"
        return (f"{name}E" if name in self.own else name).upper()


def _folded(line: str) -> str:
    """A long line of code on several, with & at the end of each but the last; comments are cut."""
    if line.lstrip().startswith(";") or ";" in line:
        return line
    pieces: list[str] = []
    while len(line) > _LONGEST_LINE:
        cut = max(line.rfind(mark, 60, _LONGEST_LINE - 2) for mark in "+*/ ,")
        cut = cut if cut > 0 else _LONGEST_LINE - 2
        pieces.append(line[:cut] + " &")
        line = "    " + line[cut:]
    return "\n".join([*pieces, line])
