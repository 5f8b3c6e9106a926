"""lit configuration: `lit -Dfuseau_opt=... tests/lit`."""

import os

import lit.formats

config.name = "fuseau"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = lit_config.params.get(
    "output", os.path.join(config.test_source_root, "out")
)
config.substitutions.append(("fuseau-opt", lit_config.params["fuseau_opt"]))
config.substitutions.append(("FileCheck", lit_config.params["filecheck"]))
