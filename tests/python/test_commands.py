"""The command `fuseau`: programs run as `python` runs them, with fuseau as their NumPy."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import fuseau
import numpy
import pytest

PROGRAM = """
import sys
import numpy as np
import helper

print(type(np.ones(2)).__module__, helper.module(), np.__name__, sys.argv, __name__, __file__)
"""
HELPER = """
import numpy
from numpy.linalg import norm

def module():
    return type(numpy.zeros(2)).__module__
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "prog.py").write_text(PROGRAM)
    (tmp_path / "helper.py").write_text(HELPER)
    return tmp_path


def start(words, folder, **keywords):
    environment = {**os.environ, "FUSEAU_FALLBACK": "silent"}
    package = os.path.dirname(os.path.dirname(fuseau.__file__))
    environment["PYTHONPATH"] = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **keywords,
    )


def call(words, folder, stdin=""):
    """The exit status, the output and the error output of a command."""
    process = start(words, folder)
    out, err = process.communicate(stdin, timeout=120)
    return process.returncode, out, err


def command(*words, folder=".", stdin=""):
    return call(["-m", "fuseau", *words], folder, stdin)


def test_program_sees_fuseau(folder):
    status, out, err = command("run", "--numpy", "prog.py", "--numpy", "x", folder=folder)
    file = str(folder / "prog.py")
    assert out == f"fuseau fuseau numpy ['prog.py', '--numpy', 'x'] __main__ {file}\n", err
    assert status == 0


def test_program_as_it_is(folder):
    _, out, _ = command("run", "prog.py", folder=folder)
    assert out.startswith("numpy numpy numpy")


ENDS = {
    "status": "import sys; sys.exit(7)",
    "message": "raise SystemExit('no good')",
    "error": "def f(): return 1 / 0\nf()",
    "chain": "try: {}[1]\nexcept KeyError: raise ValueError('x')",
    "interrupt": "raise KeyboardInterrupt",
    "syntax": "def f(:",
    "hook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0])\n1 / 0",
    "atexit": "import atexit\natexit.register(print, 'end')\n1 / 0",
    "thread": "import threading\nthreading.Timer(0.1, print, ['late']).start()",
    "main": "import sys, __main__, pickle\nclass A: pass\nprint(__main__.A is A, "
    "type(pickle.loads(pickle.dumps(A()))) is A)",
    "names": "print(sorted(globals()))",
    "path": "import sys; print(sys.path[0])",
}


@pytest.mark.parametrize("name", ENDS)
def test_ends_as_python_does(name, tmp_path):
    (tmp_path / "prog.py").write_text(ENDS[name])
    ours = command("run", "--numpy", "prog.py", folder=tmp_path)
    assert ours == call(["prog.py"], tmp_path)


CODES = ["import sys; print(sys.argv, sys.path[0] == '', __name__)", "1 / 0", "exit(3)"]


@pytest.mark.parametrize("code", CODES)
def test_code_of_the_command_line(code, tmp_path):
    ours = command("run", "--numpy", "-c", code, "-x", "y", folder=tmp_path)
    assert ours == call(["-c", code, "-x", "y"], tmp_path)


def test_code_of_standard_input(tmp_path):
    text = "import numpy, sys; print(type(numpy.ones(1)).__module__, sys.argv)"
    status, out, _ = command("run", "--numpy", "-", "a", folder=tmp_path, stdin=text)
    assert (status, out) == (0, "fuseau ['-', 'a']\n")


def make_package(folder):
    package = folder / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("import numpy\nkind = type(numpy.ones(1)).__module__\n")
    (package / "__main__.py").write_text(
        "import sys\nfrom .part import kind\nprint(kind, sys.argv, __package__, __spec__.name)\n"
    )


def test_module(tmp_path):
    make_package(tmp_path)
    status, out, err = command("run", "--numpy", "-m", "pack", "-x", folder=tmp_path)
    assert (status, err) == (0, "")
    theirs = call(["-m", "pack", "-x"], tmp_path)
    assert out == theirs[1].replace("numpy", "fuseau", 1)


def test_module_that_is_installed(tmp_path):
    """A program in site-packages is chosen with its package, others there are not."""
    site = tmp_path / "site-packages"
    site.mkdir()
    make_package(site)
    (site / "other.py").write_text("import numpy\nkind = type(numpy.ones(1)).__module__\n")
    (site / "pack" / "__main__.py").write_text(
        "import other\nfrom .part import kind\nprint(kind, other.kind)\n"
    )
    run = ["import sys; sys.path.insert(1, 'site-packages'); sys.argv[1:1] = ['run', '--numpy']"]
    run += ["from fuseau._commands import main; sys.exit(main())"]
    for more, expected in ([], "fuseau numpy\n"), (["--packages", "other"], "fuseau fuseau\n"):
        words = ["-c", "\n".join(run), *more, "-m", "pack"]
        assert call(words, tmp_path)[1] == expected


def test_folder_and_archive(folder):
    (folder / "prog.py").rename(folder / "__main__.py")
    assert command("run", "--numpy", ".", folder=folder)[1].startswith("fuseau fuseau")
    with zipfile.ZipFile(folder / "program.zip", "w") as archive:
        archive.write(folder / "__main__.py", "__main__.py")
        archive.write(folder / "helper.py", "helper.py")
    _, out, err = command("run", "--numpy", "program.zip", folder=folder / "..")
    assert out == "", err
    _, out, err = command("run", "--numpy", "program.zip", folder=folder)
    assert out.startswith("fuseau"), err


MISSING = {
    ("nothing.py",): (2, "cannot open file"),
    ("-m", "nothing_at_all"): (1, "No module named nothing_at_all"),
    ("-m", "json.nothing"): (1, "No module named json.nothing"),
    ("-m", "json"): (1, "'json' is a package and cannot be run directly"),
    ("-m",): (2, "-m wants a module"),
    (): (2, "a program is missing"),
    ("--bad", "x.py"): (2, "unrecognized arguments: --bad"),
    ("--packages", "numpy", "x.py"): (2, "numpy itself cannot see fuseau"),
}


@pytest.mark.parametrize("words", MISSING)
def test_plain_errors(words, tmp_path):
    expected, text = MISSING[words]
    status, out, err = command("run", *words, folder=tmp_path)
    assert (status, out) == (expected, "")
    assert text in err
    assert "Traceback" not in err


def test_interrupt_by_signal(tmp_path):
    (tmp_path / "prog.py").write_text("import time\nprint('on', flush=True)\ntime.sleep(60)\n")
    process = start(["-m", "fuseau", "run", "--numpy", "prog.py"], tmp_path)
    assert process.stdout.readline() == "on\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert err.endswith("KeyboardInterrupt\n") and err.count("Traceback") == 1
    assert "_commands" not in err


SUBSTITUTED = """
import fuseau
fuseau.install_as_numpy({arguments})
import importlib, sys
import numpy as np, numpy.linalg as la, helper
from numpy import *
import numpy._core.umath as umath
import scratch
print(type(np.ones(1)).__module__, type(la.inv(np.eye(2))).__module__, helper.module(),
      type(umath.add).__module__, eval("1 + 1"), np.linalg is la, __import__("numpy") is np,
      importlib.import_module("numpy") is np, np.__all__ == sys.modules["numpy"].__all__,
      isinstance(sys.modules["numpy"].ones(1), np.ndarray), scratch.kind)
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", "fuseau fuseau fuseau fuseau 2 True True True True True numpy"),
        ("packages=['scratch']", "fuseau fuseau fuseau fuseau 2 True True True True True fuseau"),
        (
            "packages=['scratch'], program=False",
            "numpy numpy numpy numpy 2 True True True True True fuseau",
        ),
    ],
)
def test_install_as_numpy(arguments, expected, folder):
    (folder / "prog.py").write_text(SUBSTITUTED.format(arguments=arguments))
    installed = folder / "site-packages"
    installed.mkdir()
    kind = "import numpy\nkind = type(numpy.ones(1)).__module__\n"
    (installed / "scratch.py").write_text(kind)
    run = "import sys, runpy; sys.path[:0] = ['.', 'site-packages']; sys.argv = ['prog.py']\n"
    run += "import __main__; __main__.__file__ = 'prog.py'\n"
    run += "exec(compile(open('prog.py').read(), 'prog.py', 'exec'))"
    status, out, err = call(["-c", run], folder)
    assert (status, out) == (0, expected + "\n"), err


def test_install_refuses():
    with pytest.raises(TypeError, match="a list of names"):
        fuseau.install_as_numpy("sklearn")
    with pytest.raises(ValueError, match="numpy itself"):
        fuseau.install_as_numpy(["numpy"])
    assert type(numpy.ones(1)).__module__ == "numpy"


def test_info():
    status, out, _ = command("info")
    assert status == 0
    for word in ("NumPy", "threads", "instructions", "kernels", "GPU", "launchers", "UCX", "PMIx"):
        assert f"\n{word}" in out
    report = json.loads(command("info", "--json")[1])
    assert report["versions"]["numpy"] == numpy.__version__
    assert report["cpu"]["threads"] >= 1
    assert report["cpu"]["vector_bits"] in (128, 256, 512)


def test_info_without_cache(monkeypatch):
    monkeypatch.setenv("FUSEAU_CACHE", "0")
    monkeypatch.setenv("FUSEAU_NUM_THREADS", "1")
    _, out, _ = command("info")
    assert "not kept on disk" in out and "threads       1 on" in out


def test_help():
    for words in ((), ("--help",)):
        status, out, _ = command(*words)
        assert status == 0 and "\n  run " in out and "\n  info " in out
    assert "--packages" in command("run", "--help")[1]
    assert command("--version")[1] == f"fuseau {fuseau.__fuseau_version__}\n"
    status, _, err = command("walk")
    assert status == 2 and "no command 'walk'" in err
