"""A patient model as mrgsolve model code: a C++ text that R's mrgsolve compiles."""

from __future__ import annotations

from collections.abc import Iterable

from thrombokit.patients.export_form import ExportForm, Spelling, described, export_form, header_lines, source_lines
from thrombokit.patients.expressions import Call, Expression, Name, Number
from thrombokit.patients.model import PatientModel

_OWN_WORDS = """
    id time amt cmt ii ss evid addl rate newind solvertime self theta eta eps sigma omega table main ode global param init capture set cmtn f
    t dxdt tdose tprev tabs tabsp nabs tadnow phase and or not xor int long short float double char bool void const static struct class enum
    union switch case default break continue return goto do for while if else new delete this true false using namespace template operator
    public private protected virtual inline auto register signed unsigned sizeof try catch throw typedef typename volatile exp log sqrt pow
    fmin fmax std rcpp databox r s y pred report
"""
_OWN = frozenset(_OWN_WORDS.split())
_C_WORDS = """
    gamma lgamma tgamma signgam y0 y1 yn j0 j1 jn erf erfc floor ceil round abs fabs sin cos tan sinh cosh tanh asin acos atan log10 log2
    log1p expm1 exp2 fmod min max drem remainder significand scalb rint trunc hypot cbrt div index rand select pipe read write link
"""
_C_FUNCTIONS = frozenset(_C_WORDS.split())
"""Names of C's library, in this case only."""
_PREFIXES = ("f_", "alag_", "r_", "d_", "dxdt_", "ipred_")
_PRECEDENCE = {"+": 2, "-": 2, "*": 3, "/": 3, "neg": 4}
_COMPARISON, _ATOM = 1, 6


def mrgsolve_code(model: PatientModel) -> str:
    """The model in mrgsolve's language.

    Parameters
    ----------
    model : PatientModel
        From `load_model`.

    Returns
    -------
    str
        Blocks $PROB, $PARAM, $CMT, $GLOBAL, $MAIN, $ODE, $OMEGA, $SIGMA, $TABLE. Mixture classes are parameters with the most common class
        as their value: give them as data columns, drawn by their shares. Random effects and residuals are simulated unless `zero_re()`.

    Raises
    ------
    SpecError
        What cannot be exported, each by name.
    """
    form = export_form(model, _SPELLING, target="mrgsolve")
    blocks = [
        ["$PROB", *(f"// {line}" for line in (*header_lines(form, "mrgsolve"), *source_lines(form))), _first_line(model)],
        ["$PARAM", *_parameters(form)],
        [f"$CMT {' '.join(form.names[name] for name in form.compartments)}"],
        ["$GLOBAL", "double TDOSE = 0.0, TPREV = 0.0, TABS = 0.0, TABSP = 0.0;", "int NABS = 0;"],
        ["$MAIN", *_main(form)],
        ["$ODE", *_moving(form, "SOLVERTIME", suffix=""), *_derivatives(form)],
        *_omegas(form),
        *_sigmas(form),
        ["$TABLE", *_moving(form, "TIME", suffix="_T"), *_outputs(form)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _first_line(model: PatientModel) -> str:
    return "thrombokit export: " + (model.title or model.file).replace("\n", " ")


def _reserved(name: str) -> bool:
    folded = name.casefold()
    return name in _C_FUNCTIONS or folded in _OWN or folded.startswith(_PREFIXES) or folded.endswith(("_0", "_t"))


_SPELLING = Spelling(longest=40, reserved=_reserved, amount=lambda _, name: name, time="TNOW", record_time="TIME", time_after_dose="TADNOW",
                     phase="PHASE")  # fmt: skip


def _parameters(form: ExportForm) -> list[str]:
    model = form.model
    lines = [f"{form.names[name]} = {theta.value!r} // {described(model, name)}" for name, theta in model.theta.items()]
    lines += [f"{name} = 0.0 // data column {title}" for title, name in form.column_titles().items()]
    for mixture in model.mixtures:
        shares = ", ".join(
            f"{k} {label} {share:g}" for k, (label, share) in enumerate(zip(mixture.labels, mixture.shares, strict=True), start=1)
        )
        lines.append(f"{form.names[mixture.name]} = {mixture.typical_class} // class, draw it by share: {shares}")
    return lines


def _main(form: ExportForm) -> list[str]:
    lines: list[str] = []
    if form.uses_time_after_dose or form.switch is not None:
        lines += ["if(NEWIND <= 1) { TDOSE = TIME; TPREV = TIME; TABS = TIME; TABSP = TIME; NABS = 0; }",
                  "if(EVID == 1 || EVID == 4) { TPREV = TDOSE; TDOSE = TIME; }"]  # fmt: skip
    if form.switch is not None:
        lines.append(
            f"if((EVID == 1 || EVID == 4) && self.cmt == {form.switch[2] + 1}) {{ TABSP = TABS; TABS = TIME; NABS = NABS + 1; }}"
        )
    lines += [f"double {name} = {code(expression)};" for name, expression in form.record]
    if form.switch is not None:
        delay, from_record, _ = form.switch
        lag = code(form.lag_of_switch)
        lines += [
            f"double LAGOFSWITCH = {lag};",
            f"double SWITCHAT = {f'fmax({code(delay)}, {lag})' if from_record else f'{lag} + {code(delay)}'};",
        ]
    keys = {"lag": "ALAG", "F": "F", "rate": "R", "duration": "D"}
    for k, settings in form.dose.items():
        lines += [f"{keys[key]}_{form.names[form.compartments[k]]} = {code(value)};" for key, value in settings.items()]
    return lines + [f"{form.names[form.compartments[k]]}_0 = {code(value)};" for k, value in form.initial.items()]


def _moving(form: ExportForm, now: str, *, suffix: str) -> list[str]:
    """Time, phase and [algebra] of the moment; under other names in $TABLE, whose variables may not be declared twice."""
    lines = [f"double TNOW{suffix} = {now};"]
    if form.uses_time_after_dose:
        lines.append(f"double TADNOW{suffix} = TNOW{suffix} >= TDOSE ? TNOW{suffix} - TDOSE : TNOW{suffix} - TPREV;")
    if form.switch is not None:
        t = f"TNOW{suffix}"
        lines += [
            f"double PHASE{suffix} = (NABS >= 1 && {t} >= TABS + SWITCHAT) ? 1.0 : 0.0;",
            f"if(NABS >= 2 && {t} < TABS + LAGOFSWITCH) PHASE{suffix} = {t} >= TABSP + SWITCHAT ? 1.0 : 0.0;",
        ]
    own = {"TNOW", "TADNOW", "PHASE", *(name for name, _ in form.algebra)} if suffix else set[str]()
    return lines + [f"double {name}{suffix} = {code(expression, own, suffix)};" for name, expression in form.algebra]


def _derivatives(form: ExportForm) -> list[str]:
    return [f"dxdt_{form.names[name]} = {code(e)};" for name, e in zip(form.compartments, form.derivatives, strict=True)]


def _outputs(form: ExportForm) -> list[str]:
    own = {"TNOW", "TADNOW", "PHASE", *(name for name, _ in form.algebra)}
    lines = [f"capture {name} = {code(expression, own, '_T')};" for name, expression in form.outputs.items()]
    for number, (output, residual) in enumerate(form.model.residual.items(), start=1):
        exported = form.names[f"@output {_spelt(output, form)}"]
        error = f"{exported}*exp(LOG{number})" if residual.log_sd else f"{exported}*(1.0 + PROP{number}) + ADD{number}"
        lines.append(f"capture {exported}_MEASURED = {error};")
    return lines


def _spelt(output: str, form: ExportForm) -> str:
    return next(name for name in form.model.output if name.casefold() == output.casefold())


def _omegas(form: ExportForm) -> list[list[str]]:
    blocks: list[list[str]] = []
    for block in form.model.omega:
        labels = " ".join(form.names[name] for name in block.names)
        rows = [" ".join(repr(float(value)) for value in block.matrix[k, : k + 1]) for k in range(len(block.names))]
        blocks.append([f"$OMEGA @block @labels {labels}", *rows])
    return blocks


def _sigmas(form: ExportForm) -> list[list[str]]:
    blocks: list[list[str]] = []
    for number, residual in enumerate(form.model.residual.values(), start=1):
        named = (
            {f"LOG{number}": residual.log_sd}
            if residual.log_sd
            else {f"PROP{number}": residual.proportional_sd, f"ADD{number}": residual.additive_sd}
        )
        blocks.append([f"$SIGMA @labels {' '.join(named)}", " ".join(repr(sd * sd) for sd in named.values())])
    return blocks


def code(expression: Expression, own: Iterable[str] = (), suffix: str = "") -> str:
    """C++ of an expression; names in `own` get the suffix."""
    return _code(expression, 0, frozenset(own), suffix)


def _code(expression: Expression, outer: int, own: frozenset[str], suffix: str) -> str:
    if isinstance(expression, Number):
        return repr(expression.value)
    if isinstance(expression, Name):
        return expression.id + (suffix if expression.id in own else "")
    function, arguments = expression.function, expression.arguments

    def part(k: int, strength: int = 0) -> str:
        return _code(arguments[k], strength, own, suffix)

    if function in ("exp", "log", "sqrt"):
        return f"{function}({part(0)})"
    if function in ("min", "max"):
        text = part(0)
        for k in range(1, len(arguments)):
            text = f"f{function}({text}, {part(k)})"
        return text
    if function == "^":
        return f"pow({part(0)}, {part(1)})"
    if function == "if":
        return f"({_truth(arguments[0], own, suffix)} ? {part(1)} : {part(2)})"
    if function == "neg":
        text = f"-{part(0, _ATOM)}"
        return f"({text})" if outer > _COMPARISON else text
    if function in _PRECEDENCE:
        strength = _PRECEDENCE[function]
        text = f"{part(0, strength)} {function} {part(1, strength + 1)}"
        return f"({text})" if strength < outer else text
    return f"({_truth(expression, own, suffix)} ? 1.0 : 0.0)"


def _truth(expression: Expression, own: frozenset[str], suffix: str) -> str:
    """A condition: a comparison as it is, anything else against 0."""
    if isinstance(expression, Call) and expression.function in ("<", "<=", ">", ">=", "==", "!="):
        left, right = (_code(argument, 2, own, suffix) for argument in expression.arguments)
        return f"{left} {expression.function} {right}"
    return f"{_code(expression, 2, own, suffix)} != 0.0"
