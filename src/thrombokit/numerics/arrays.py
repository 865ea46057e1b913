"""Array types, and the one habit that every value with arrays keeps: its arrays cannot be written to."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IntArray: TypeAlias = NDArray[np.int64]
TextArray: TypeAlias = NDArray[np.object_]


def frozen(values: Any, dtype: Any = np.float64) -> NDArray[Any]:
    """A C-contiguous copy of `values` (any shape) that cannot be written to."""
    array = np.array(values, dtype=dtype, order="C", copy=True)
    array.flags.writeable = False
    return array


class FrozenArrays:
    """Base of values that hold arrays: unpickling makes them writeable again, this takes it back."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)
