"""The types of the functions that every compiled model has: solvers are compiled once against them and take any model.

Numbers are float64, arrays float64, C-contiguous and writeable, nothing is returned: the last argument is filled. Pass a function of a
`CompiledModel` to a kernel whose own signature names the `..._FUNCTION` type.
"""

from __future__ import annotations

from typing import Any

from numba import types

_NUMBER: Any = types.float64
_VECTOR: Any = types.float64[::1]
_MATRIX: Any = types.float64[:, ::1]
_NOTHING: Any = types.void

RECORD: Any = _NOTHING(_VECTOR, _NUMBER, _VECTOR)
"""fill_record(inputs, time, r)"""
INITIAL: Any = _NOTHING(_VECTOR, _VECTOR)
"""fill_initial(r, x)"""
DERIVATIVE: Any = _NOTHING(_NUMBER, _NUMBER, _NUMBER, _VECTOR, _VECTOR, _VECTOR)
"""derivative(t, tad, phase, x, r, dx)"""
FLOW_MATRIX: Any = _NOTHING(_NUMBER, _VECTOR, _MATRIX)
"""flow_matrix(phase, r, A)"""
FORCING: Any = _NOTHING(_MATRIX, _VECTOR, _MATRIX)
"""forcing(x_block, r, g); shapes (n_block, n_nodes), (n_record,), (n_response, n_nodes)"""
OUTPUT: Any = _NOTHING(_NUMBER, _NUMBER, _VECTOR, _VECTOR, _VECTOR)
"""output(t, tad, x, r, out)"""

RECORD_FUNCTION: Any = types.FunctionType(RECORD)
INITIAL_FUNCTION: Any = types.FunctionType(INITIAL)
DERIVATIVE_FUNCTION: Any = types.FunctionType(DERIVATIVE)
FLOW_MATRIX_FUNCTION: Any = types.FunctionType(FLOW_MATRIX)
FORCING_FUNCTION: Any = types.FunctionType(FORCING)
OUTPUT_FUNCTION: Any = types.FunctionType(OUTPUT)
