"""The commands cache, bench and completion, and the help of all."""

import json
import os
import shutil
import subprocess

import pytest
from fuseau._commands import COMMANDS, command
from test_commands import call


def fuseau(words, folder):
    return call(["-m", "fuseau", *words], folder)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, tmp_path):
    status, out, err = fuseau([name, "--help"], tmp_path)
    assert (status, err) == (0, "")
    assert f"fuseau {name}" in out.splitlines()[0]
    assert command(name).__doc__.splitlines()[0] in out


def test_unknown_command(tmp_path):
    status, _, err = fuseau(["compil"], tmp_path)
    assert status == 2
    assert "no command 'compil'. There are: run, compile, cache" in err


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("FUSEAU_CACHE_DIR", str(folder))
    monkeypatch.setenv("FUSEAU_JIT", "always")
    code = "import fuseau as np; (np.arange(1000.0) * 2 + 1).eval(); np.exp(np.ones(999)).eval()"
    status, _, err = call(["-c", code], tmp_path)
    assert status == 0, err
    return folder


def kernels(folder):
    return [path for path in folder.iterdir() if path.suffix == ".kernel"]


def test_cache(cache, tmp_path):
    count = len(kernels(cache))
    assert count >= 2
    status, out, _ = fuseau(["cache", "list"], tmp_path)
    assert status == 0 and f"{count} kernels" in out and "mulf addf" in out
    status, out, _ = fuseau(["cache", "verify"], tmp_path)
    assert status == 0 and "0 damaged" in out

    damaged = kernels(cache)[0]
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    status, out, _ = fuseau(["cache", "verify"], tmp_path)
    assert status == 1
    assert f"{damaged}: its content was changed" in out and "1 damaged" in out
    damaged.write_bytes(content[:20])
    assert "it is cut short" in fuseau(["cache", "verify"], tmp_path)[1]

    (cache / "mine.txt").write_text("kept")
    status, out, _ = fuseau(["cache", "clear"], tmp_path)
    assert status == 0 and f"{count} files removed" in out
    assert [path.name for path in cache.iterdir()] == ["mine.txt"]


def test_cache_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FUSEAU_CACHE", "0")
    status, _, err = fuseau(["cache", "list"], tmp_path)
    assert status == 2 and "no kernels are kept on disk" in err
    status, _, err = fuseau(["cache", "list", "--folder", "nowhere"], tmp_path)
    assert status == 2 and "'nowhere' is no folder" in err


def test_bench(tmp_path):
    status, out, err = fuseau(["bench", "chain", "--rounds", "1", "--json"], tmp_path)
    assert status == 0, err
    (record,) = json.loads(out)
    assert record["program"] == "chain" and record["numpy_ms"] > 0 and record["fuseau_ms"] > 0
    status, _, err = fuseau(["bench", "nothing"], tmp_path)
    assert status == 2 and "no program 'nothing'; expected some of stencil, chain" in err


def test_completion_of_bash(tmp_path):
    status, script, _ = fuseau(["completion", "bash"], tmp_path)
    assert status == 0

    def complete(*words):
        code = (
            f"{script}\nCOMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _fuseau; "
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert complete("fuseau", "co") == ["compile", "completion"]
    assert complete("fuseau", "cache", "v") == ["verify"]
    assert "--launcher" in complete("fuseau", "run", "--la")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_of_other_shells(shell, tmp_path):
    status, script, _ = fuseau(["completion", shell], tmp_path)
    assert status == 0
    for name in COMMANDS:
        assert name in script
    if shutil.which(shell):
        path = os.path.join(tmp_path, "script")
        with open(path, "w") as file:
            file.write(script)
        subprocess.run([shell, "-n", path], check=True)
