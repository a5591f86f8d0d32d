"""Eight voxels at a time: a label array read as 64-bit words at any address."""

from __future__ import annotations

from typing import Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ctspine_bench.kernels.compiling import kernel

EACH_BYTE: Final = np.uint64(0x0101010101010101)
_LOW_BITS: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_GATHER: Final = np.uint64(0x0102040810204080)


@intrinsic
def load_word(typing_context, flat, index):  # noqa: ARG001 -- numba's signature
    """Return bytes index … index + 7 of a flat uint8 array as one little-endian word; they must lie inside it."""

    def generate(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        address = builder.bitcast(cgutils.pointer_add(builder, array.data, args[1]), ir.IntType(64).as_pointer())
        return builder.load(address, align=1)

    return types.uint64(flat, types.intp), generate


@kernel(forceinline=True)
def load_word_within(flat, index, end):
    """Return the eight bytes from index on; those at or past `end` read as 0."""
    if index + 8 <= end:
        return load_word(flat, index)
    word = np.uint64(0)
    for i in range(end - 1, index - 1, -1):
        word = (word << np.uint64(8)) | np.uint64(flat[i])
    return word


@kernel(forceinline=True)
def zero_bytes(word):
    """Return a code 0–255 with bit b set where byte b of the word is zero."""
    nonzero = ((word & _LOW_BITS) + _LOW_BITS) | word
    return np.int64((((~nonzero & _HIGH_BITS) >> np.uint64(7)) * _GATHER) >> np.uint64(56))
