"""Which of NumPy's test modules run, and which of their tests belong to the core."""

import ast
import functools
import os
import re

import numpy

ROOT = os.path.dirname(numpy.__file__)

PACKAGES = ("_core", "lib", "linalg", "fft", "random", "polynomial", "ma", "matrixlib", "testing")

EXCLUDED = {
    # Nothing in them calls a function of the namespace on an array.
    "_core/test_argparse": "C internals",
    "_core/test_arraymethod": "C internals",
    "_core/test_cpu_dispatcher": "C internals",
    "_core/test_cpu_features": "C internals",
    "_core/test_cython": "builds an extension",
    "_core/test_extint128": "C internals",
    "_core/test_hashtable": "C internals",
    "_core/test_limited_api": "builds an extension",
    "_core/test_mem_policy": "builds an extension",
    "_core/test_simd": "C internals",
    "_core/test_simd_module": "C internals",
    "_core/test_umath_accuracy": "needs data that the wheel lacks",
    "lib/test__datasource": "downloads of files",
    "lib/test__iotools": "text parsing without arrays",
    "lib/test__version": "version strings",
    "random/test_extending": "builds an extension",
}

NOT_CORE_MODULES = {
    "types": """
        _core/test_custom_dtypes _core/test_datetime _core/test_defchararray _core/test_dtype
        _core/test_numerictypes _core/test_records _core/test_stringdtype _core/test_strings
        _core/test_unicode lib/test_recfunctions ma/test_mrecords
        """,
    "subclasses": """
        _core/test_memmap _core/test_overrides _core/test_scalarinherit lib/test_mixins
        ma/* matrixlib/*
        """,
    "C internals": """
        _core/test_abc _core/test_api _core/test_array_coercion _core/test_casting_unittests
        _core/test_conversion_utils _core/test_nditer _core/test_scalarbuffer
        """,
}

# What a test of another type or of a subclass has in its text or in its parameters.
_TEXT = re.compile(
    r"""\bobject\b|\bobject_\b|np\.void|np\.str_|np\.bytes_|datetime64|timedelta64|StringDType"""
    r"""|recarray|rec\.|chararray|structured|\bitemsize=|np\.ma\b|np\.matrix|memmap|\bctypes\b"""
    r"""|getrefcount|_testing|_multiarray_tests|class\s+\w+\((np\.)?ndarray\)|[Ss]ubclass"""
    r"""|MyArr|MyNDArray|\(np\.ndarray\)"""
    r"""|['"][<>=|]?[OSUVmM]\d*(\[\w+\])?['"]|\[\(\s*['"]\w*['"]\s*,|['"]\w\d?,\s*\w"""
)
_PARAMETER = re.compile(
    r"(^|-)([<>|=]?[OSUVmM]\d*(\[\w+\])?|object\w*|str_?|bytes_?|void|datetime64\w*|timedelta64\w*)"
    r"(-|$)"
)


def all_modules():
    """The names of the modules that run, such as `_core/test_umath`."""
    found = []
    for package in PACKAGES:
        folder = os.path.join(ROOT, package, "tests")
        for file in sorted(os.listdir(folder)):
            if file.startswith("test_") and file.endswith(".py"):
                found.append(f"{package}/{file[:-3]}")
    found += ["tests/test_ctypeslib", "tests/test_matlib"]
    return [name for name in found if name not in EXCLUDED]


def path_of(module):
    package, name = module.split("/")
    folder = os.path.join(ROOT, package)
    return os.path.join(folder, "" if package == "tests" else "tests", f"{name}.py")


@functools.cache
def _texts(module):
    """The text of every test function of a module, by `Class::function`."""
    with open(path_of(module), encoding="utf-8") as file:
        text = file.read()
    lines, texts = text.splitlines(), {}

    def visit(node, prefix):
        for child in node.body:
            if isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}::")
            elif isinstance(child, ast.FunctionDef):
                first = min([child.lineno, *(d.lineno for d in child.decorator_list)])
                texts[prefix + child.name] = "\n".join(lines[first - 1 : child.end_lineno])

    visit(ast.parse(text), "")
    return texts


@functools.cache
def _module_group(module):
    for reason, names in NOT_CORE_MODULES.items():
        if {module, module.split("/")[0] + "/*"} & set(names.split()):
            return reason
    return None


def is_core(module, test):
    """Whether a test is about arrays of numbers: no other types, no subclasses, no C internals."""
    if _module_group(module) is not None:
        return False
    name, _, parameters = test.partition("[")
    if _PARAMETER.search(parameters.rstrip("]")):
        return False
    return not _TEXT.search(_texts(module).get(name, ""))


FAST_MODULES = """
    _core/test_einsum _core/test_errstate _core/test_indexing _core/test_nep50_promotions
    _core/test_numeric _core/test_ufunc fft/test_helper lib/test_arraysetops lib/test_index_tricks
    lib/test_shape_base lib/test_stride_tricks lib/test_twodim_base lib/test_type_check
    lib/test_ufunclike
    """.split()
"""The modules of every run of tools/test."""


def fast_modules():
    return [name for name in all_modules() if name in FAST_MODULES]
