"""The types of the functions that every compiled model has: solvers are compiled once against them and take any model.

Numbers are float64, arrays float64, C-contiguous and writeable, nothing is returned: the last argument is filled. Pass a function of a
`CompiledModel` to a kernel whose own signature names the `..._FUNCTION` type.
"""

from __future__ import annotations

from typing import Any

from numba import types

from thrombokit.numerics import driven_derivative

_NUMBER: Any = types.float64
_VECTOR: Any = types.float64[::1]
_MATRIX: Any = types.float64[:, ::1]
_NOTHING: Any = types.void
_PLACE: Any = types.uint64

RECORD: Any = _NOTHING(_VECTOR, _NUMBER, _VECTOR)
"""fill_record(inputs, time, r)"""
INITIAL: Any = _NOTHING(_VECTOR, _VECTOR)
"""fill_initial(r, x)"""
DERIVATIVE: Any = _NOTHING(_NUMBER, _NUMBER, _NUMBER, _VECTOR, _VECTOR, _VECTOR)
"""derivative(t, tad, phase, x, r, dx)"""
FLOW_MATRIX: Any = _NOTHING(_NUMBER, _VECTOR, _MATRIX)
"""flow_matrix(phase, r, A)"""
DRIVEN_PANELS: Any = _NOTHING(_VECTOR, _VECTOR, *[_PLACE] * 6, types.int64, *[_PLACE] * 3)
"""driven_panels(store, r, amounts, inflows, rows, input_rows, weights, panel_size, n_panels, totals, errors, sizes); all but `store`, `r` and
`n_panels` are places in `store`, see `quadrature_memory`"""
TRIAL: Any = driven_derivative.TRIAL
"""trial(t, tad, phase, r, h, ...) -> error: the model's own trial step; see `trial_code`"""
OUTPUT: Any = _NOTHING(_NUMBER, _NUMBER, _VECTOR, _VECTOR, _VECTOR)
"""output(t, tad, x, r, out)"""

RECORD_FUNCTION: Any = types.FunctionType(RECORD)
INITIAL_FUNCTION: Any = types.FunctionType(INITIAL)
DERIVATIVE_FUNCTION: Any = types.FunctionType(DERIVATIVE)
FLOW_MATRIX_FUNCTION: Any = types.FunctionType(FLOW_MATRIX)
DRIVEN_PANELS_FUNCTION: Any = types.FunctionType(DRIVEN_PANELS)
TRIAL_FUNCTION: Any = types.FunctionType(TRIAL)
OUTPUT_FUNCTION: Any = types.FunctionType(OUTPUT)
