"""How every command speaks: results on stdout, log on stderr, JSON on request, one exit code for each kind of end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from thrombokit.errors import EXIT_COMPUTATION, EXIT_STOPPED, InputError, ThrombokitError

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no log and no progress bar.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=256, help="Processes to use; the numbers do not depend on it.")]


def log(message: str, *, quiet: bool) -> None:
    """A line on stderr, unless quiet."""
    if not quiet:
        Console(stderr=True, highlight=False, soft_wrap=True).print(message, markup=False)


def say(message: str) -> None:
    """A line of the result on stdout."""
    typer.echo(message)


def print_json(value: dict[str, Any]) -> None:
    """The result as JSON on stdout; `value` starts with its schema."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


@contextmanager
def exit_codes(*, as_json: bool = False) -> Generator[None]:
    """Turn what can go wrong into a message and an exit code: 3 bad input, 4 computation, 5 missing extra, 130 stopped.

    A bug of ours ends with 4 and asks for a report; set THROMBOKIT_TRACEBACK=1 to see where it was.
    """
    try:
        yield
    except ThrombokitError as error:
        faults = [fault.to_dict() for fault in error.faults] if isinstance(error, InputError) else []
        if as_json:
            print_json({"schema": "thrombokit.error/1", "exit_code": error.exit_code, "message": str(error), "faults": faults})
        _print_faults(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        log("Stopped.", quiet=False)
        raise typer.Exit(EXIT_STOPPED) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(0) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if os.environ.get("THROMBOKIT_TRACEBACK"):
            raise
        said = f"{type(error).__name__}: {error}"
        if as_json:
            print_json({"schema": "thrombokit.error/1", "exit_code": EXIT_COMPUTATION, "message": said, "faults": []})
        log(f"error: thrombokit failed ({said}). This is a fault of ours, not of your files; please report it.", quiet=False)
        raise typer.Exit(EXIT_COMPUTATION) from None


def _print_faults(error: ThrombokitError) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not isinstance(error, InputError):
        console.print(f"error: {error}", markup=False)
        return
    for fault in error.faults:
        console.print(f"error: {fault.place}", style="bold", markup=False)
        console.print(f"  found     {fault.found}\n  expected  {fault.expected}\n  cure      {fault.cure}", markup=False)
    console.print(f"{len(error.faults)} fault{'s' if len(error.faults) != 1 else ''} found.", markup=False)
