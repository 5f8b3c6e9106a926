"""The user's guide: its code runs, its links lead somewhere, the reference is complete."""

import re
import subprocess
import sys
from pathlib import Path

import fuseau
import pytest
from processes import start

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "python" / "docs"
PAGES = sorted(DOCS.glob("*.md"))
BLOCK = re.compile(r"(<!-- not run: [^>]+ -->\n)?```python\n(.*?)```", re.S)


def blocks(page):
    """The code of a page that is to run; what is not says why in a comment before it."""
    return [code for skipped, code in BLOCK.findall(page.read_text()) if not skipped]


def test_the_guide_is_there():
    assert {"start.md", "index.md", "tools.md", "performance.md", "api.md"} <= {
        p.name for p in PAGES
    }
    assert sum(len(blocks(page)) for page in PAGES) >= 10


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.name)
def test_code_runs_in_the_order_of_the_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package = Path(fuseau.__file__).absolute().parents[1]
    done = start("\n".join(blocks(page)), PYTHONPATH=str(package))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http:", "https:")):
            continue
        file, _, anchor = target.partition("#")
        other = page.parent / file if file else page
        assert other.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", other.read_text(), re.M)
            slugs = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in heads}
            assert anchor in slugs, target


def test_the_reference_has_all_own_names():
    text = (DOCS / "api.md").read_text()
    missing = [name for name in fuseau._OWN_NAMES if f"`{name}" not in text]
    assert missing == []


def test_all_pages_are_in_the_menu():
    menu = (ROOT / "python" / "mkdocs.yml").read_text()
    assert [p.name for p in PAGES if f": {p.name}\n" not in menu] == []


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "-f", "python/mkdocs.yml"]
        + ["-d", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tools.html").exists()
