"""`thrombokit signalling scan`: many runs of a model as one table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import thrombokit as tk
from thrombokit.cli.numbers import numbers_of, settings_of, stretches_of, varied_of
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say
from thrombokit.errors import Fault, raise_all


class Kind(StrEnum):
    """What a scan can be; `values` (and local and morris with --end) are of any model, the others of the built-in one."""

    VALUES = "values"
    DOSES = "doses"
    INHIBITORS = "inhibitors"
    MUTANTS = "mutants"
    PULSES = "pulses"
    HOURS = "hours"
    COMBINATION = "combination"
    LOCAL = "local"
    MORRIS = "morris"
    BANDS = "bands"
    PLOIDY = "ploidy"
    PREDICTIONS = "predictions"


ANY_MODEL = (Kind.VALUES, Kind.LOCAL, Kind.MORRIS)


def scan(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="SBML file (.xml) or Antimony file (.ant); tpor is the built-in model.")
    ] = "tpor",
    kind: Annotated[Kind | None, typer.Option(help="What to scan; doses of the built-in model, values of any other.")] = None,
    agonist: Annotated[list[str] | None, typer.Option(help="A name or an agonist file; may be given again.")] = None,
    dose: Annotated[list[str] | None, typer.Option(help='Doses of each agonist in turn, such as "0.1, 1, 10 nM".')] = None,
    cell_system: Annotated[str | None, typer.Option(help="Cells of the built-in model; 32D-MPL where nothing is said.")] = None,
    hours: Annotated[str | None, typer.Option(help="Read-outs, such as 24,48,72; the last is the end.")] = None,
    inhibitor_dose: Annotated[str, typer.Option(help="inhibitors: doses in nM.")] = "10,100,1000",
    given: Annotated[str, typer.Option(help="pulses: hours with the agonist, such as 0-6,24-30.")] = "0-6",
    mutation: Annotated[str, typer.Option(help='doses, bands: such as "JAK2 V617F".')] = "",
    receptor: Annotated[str, typer.Option(help="doses, bands: human, H499L, mouse ...")] = "human",
    sets: Annotated[int | None, typer.Option(help="Sets of rates for bands; 0 for none.")] = None,
    trajectories: Annotated[int, typer.Option(help="morris: walks.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of sets of rates and walks.")] = 1,
    vary: Annotated[
        list[str] | None, typer.Option(metavar="ID=VALUES", help="Any model: k1=0.1,1,10 or k1=0.1:10:5 or k1=0.1:10:5:log.")
    ] = None,
    end: Annotated[float | None, typer.Option(help="Any model: last time, in the model's unit.")] = None,
    points: Annotated[int, typer.Option(help="Any model: rows of each run, both ends included.")] = 11,
    select: Annotated[str | None, typer.Option(help='Any model: columns, such as "S1,[S1],k".')] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", metavar="ID=VALUE", help="Any model: a value for all runs.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table as CSV, TSV or Parquet; without it, CSV on stdout.")] = None,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Scan doses, times, inhibitors, mutants, pulses, pairs, rates or, of any model, its values: one table."""
    with exit_codes(as_json=json):
        plain = model != "tpor" or bool(vary) or end is not None
        bench = {"--agonist": agonist, "--dose": dose, "--cell-system": cell_system, "--hours": hours, "--sets": sets}
        own = {"--select": select, "--set": setting}
        said = [name for name, value in (bench if plain else own).items() if value is not None]
        raise_all(_faults(kind, plain=plain, end=end, misplaced=said))
        engine = tk.make_engine(workers)
        if plain:
            found = _scan_model(
                model, kind or Kind.VALUES, vary or [], end or 0.0, points, select, setting or [], trajectories, seed, engine
            )
        else:
            names = tuple(agonist or (["hetrombopag", "eltrombopag"] if kind is Kind.PREDICTIONS else ["hetrombopag"]))
            request = tk.ScanRequest(
                kind=tk.ScanKind((kind or Kind.DOSES).value), agonists=names, doses_nM=_doses(names, dose or []), cell_system=cell_system,
                hours=numbers_of(hours, "--hours") if hours is not None else (), inhibitor_nM=numbers_of(inhibitor_dose, "--inhibitor-dose"),
                given_h=stretches_of(given, "--given"), mutation=mutation, receptor=receptor, n_sets=sets, trajectories=trajectories, seed=seed,
            )  # fmt: skip
            found = tk.scan_signalling(request, engine=engine)
        if out is not None:
            tk.write_table(found.table(), out)
        if json:
            print_json(found.to_dict())
        elif out is None:
            say(found.table().write_csv().rstrip("\n"))
        log(found.summary(), quiet=quiet)


def _scan_model(
    model: str, kind: Kind, vary: list[str], end: float, points: int, select: str | None, setting: list[str], trajectories: int, seed: int,
    engine: Any,
) -> Any:  # fmt: skip
    varied = [tk.Varied(id=id, values=values) for id, values in varied_of(vary, "--vary").items()]
    columns = None if select is None else [name.strip() for name in select.split(",") if name.strip()]
    run = tk.make_run(
        tk.load_network(model), end=end, points=points, selections=columns, settings=settings_of(setting, "--set"), varied=varied
    )
    if kind is Kind.VALUES:
        return tk.scan_values(run, varied, engine=engine)
    if kind is Kind.LOCAL:
        return tk.local_scan(run, [one.id for one in varied])
    return tk.morris_scan(run, varied, trajectories=trajectories, seed=seed, engine=engine)


def _doses(agonists: tuple[str, ...], said: list[str]) -> dict[str, tuple[float, ...]]:
    if len(said) > len(agonists):
        raise_all([Fault(place="--dose", found=f"{len(said)} times", expected=f"at most {len(agonists)} times: once an agonist",
                         cure='Separate doses of one agonist by commas: "0.1, 1, 10 nM".')])  # fmt: skip
    return {name: tk.doses_of(text, name) for name, text in zip(agonists, said, strict=False)}


def _faults(kind: Kind | None, *, plain: bool, end: float | None, misplaced: list[str]) -> list[Fault]:
    faults: list[Fault] = []
    if plain and kind is not None and kind not in ANY_MODEL:
        faults.append(Fault(place="--kind", found=f"{kind.value} beside a model of your own, --vary or --end", expected=", ".join(ANY_MODEL),
                            cure="Leave MODEL, --vary and --end out to ask the built-in model for it."))  # fmt: skip
    if not plain and kind is Kind.VALUES:
        faults.append(
            Fault(place="--kind", found="values without --vary", expected="what varies", cure="Give --vary TPO=0,0.1,1 and --end.")
        )
    if plain and end is None:
        faults.append(Fault(place="--end", found="nothing", expected="the last time, in the model's unit", cure="Give --end."))
    if not plain and misplaced:
        faults.append(Fault(place=", ".join(misplaced), found="words of a plain model beside the built-in model's own scans", expected="none",
                            cure="Give --vary and --end to scan the built-in model as a plain one, or leave them out."))  # fmt: skip
    if plain and misplaced:
        faults.append(Fault(place=", ".join(misplaced), found="words of the built-in model beside a plain one", expected="--vary, --set",
                            cure="Set the model's own inputs, or leave MODEL, --vary and --end out."))  # fmt: skip
    return faults
