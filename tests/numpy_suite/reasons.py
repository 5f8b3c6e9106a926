"""Why tests of NumPy fail with fuseau: the reasons by kind."""

REASONS = {
    "NumPy's C code asks for the struct of its own array": """
        All inputs must be NumPy arrays
        bad argument to internal function
        must be numpy.ndarray
        test needs ndarray input
        require base class ndarray
        output must be an array
        return arrays must be of ArrayType
        must be numpy.ufunc
        an array or void scalar
        unchecked C
        TestCApiAccess
        add_docstring
        TestAddDocstring
        Cannot convert fuseau.ndarray
    """,
    "NumPy's classes take `ndarray` for a type of elements, as in `x.view(np.ndarray)`": """
        Cannot change data-type for array of references
        sub-type of ndarray type
        test_structured_non_void
    """,
    "Floating-point warnings: what is computed later, or by a compiled kernel, warns later or not": """
        RuntimeWarning
        FloatingPointError
        floaterrors
        test_signed_division_overflow
        test_divide_by_zero
    """,
    "Results of types that only NumPy has are NumPy's arrays": """
        DESIRED: <class 'fuseau.ndarray'>
        is np.ndarray
        is ndarray
        type(b), type(i.operands[2])
        .arrays.
    """,
    "`asarray` copies, memory is made at the first use, and `base` is an array": """
        owndata
        .base is
        assert res is base_arr
        may_share_memory
        true_passed
        TestWritebackIfCopy
        vals.setflags
        vals.base
        array_from_buffer
        _mask is m
        operands[0] is a
        outside of the array's memory
        result is arr
        TestArrayCreationCopyArgument
        y.flags.writeable
        assert out[0] is arr
        assert res[0] is
        assert arr.base is
        flags.aligned
        int_array
        flags.writeable is
        TestBroadcast
        TestMaskedObjectArray
        u += v
        test_deepcopy_F_order
        item_ids
    """,
    "Counts of references, and memory that outlives its array": """
        refcount
        not raised by resize
        ValueError: cannot resize
        test_check_reference
        arr_ref
        getsizeof
    """,
    "`longlong` is `long`, which has its size": """
        test_integers
        test_scalar_match_array
    """,
    "A lazy array stands for a scalar of NumPy": """
        expected a sequence of integers or a single integer
        Could not convert object to NumPy
        collections.abc.Hashable
        is np.float32
        is np.dtype(dt).type
        ass[()] = scalar
    """,
    "Identity with an object of NumPy: `is`, `__module__`, the private type of its functions": """
        is np.add
        is np.cos
        xp is np
        __array_namespace__() is np
        __module__
        is fn
        is getattr(np
        is np._core
        issubset
        called_once_with
        not match. / Expected regex: "attribute 'device'
        "attribute 'device'
        module 'numpy' has no attribute
        assert got == exp
    """,
    "NumPy's C code calls `__array__` itself and gets one of ours": """
        not producing an array
        setting an array element with a sequence
        DID NOT RAISE RuntimeError
        would exceed the maximum
        test_nested_arraylikes
        test_void_via_length
    """,
    "`__array_wrap__` and `__array_ufunc__` of objects that are no arrays": """
        array_wrap
        ArrayWrap
        TestSpecialMethods
        WrappedArray
        array_like
        TestNDArrayArrayFunction
        test_ufunc_binop_interaction
        Coerced
    """,
    "Details of NumPy's own types of elements": """
        _ScaledFloatTestDType
        TestSFloat
        UserWarning
        TestEmptyField
        test_shape_sequence
    """,
    "Settings, texts and places of warnings that NumPy's C code keeps": """
        _warn_on_write
        __doc__
        FutureWarning
        rec[0].filename
        test_testAPI
        warnings found but
        has no setter
    """,
    "Errors of another kind for wrong arguments": """
        test_index_no_floats
        test_malloc_fails
        test_output_ellipsis_errors
    """,
    "Bytes of `bool` that are neither 0 nor 1": """
        test_count_nonzero
    """,
}
"""Each with pieces of text that tell it: of the test's name, its error or its line."""

UNKNOWN = "Not looked into"
_PIECES = {reason: text.strip().split("\n") for reason, text in REASONS.items()}


def reason_of(module, test, outcome):
    """The first reason of which a piece is found."""
    text = f"{module}::{test}\n{outcome.reason}\n{outcome.place}"
    for reason, pieces in _PIECES.items():
        if any(piece.strip() in text for piece in pieces):
            return reason
    return UNKNOWN
