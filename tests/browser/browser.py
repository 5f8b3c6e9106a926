"""Opens pages in Chromium, acts in them, and tells what they show."""

import html
import json
import re
import shutil
import subprocess
import tempfile

_BEFORE = """<script>
window.problems = [];
window.addEventListener("error", (e) => problems.push(String(e.message)), true);
window.addEventListener("securitypolicyviolation", (e) => problems.push("asks for " + e.blockedURI));
console.error = (...words) => problems.push(words.join(" "));
</script>
<meta http-equiv="Content-Security-Policy" content="default-src 'unsafe-inline' data:">"""
_AFTER = """<script>
(async () => {{
  let found = null;
  try {{ found = await (async () => {{ {act} }})(); }} catch (e) {{ problems.push(String(e)); }}
  const out = document.createElement("pre");
  out.id = "found-by-test";
  out.textContent = JSON.stringify({{ found, problems }});
  document.body.append(out);
}})();
</script>"""


def browser():
    """The command of a browser, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-headless-shell"))), None)


def act_in(page, act):
    """Opens a page's file and runs `act`, the body of an async function. Returns its result.

    Raises
    ------
    AssertionError
        If the page has an error.
    """
    text = page.read_text(encoding="utf-8")
    text = text.replace("<head>", "<head>" + _BEFORE, 1)
    text = text.replace("</body>", _AFTER.format(act=act) + "</body>", 1)
    copy = page.with_name("acted-" + page.name)
    copy.write_text(text, encoding="utf-8")
    dom = _run(copy, "--dump-dom")
    found = re.search(r'<pre id="found-by-test">(.*?)</pre>', dom, re.S)
    assert found, dom[-2000:]
    answer = json.loads(html.unescape(found[1]))
    assert answer["problems"] == []
    return answer["found"]


def screenshot(page, path, size=(1400, 900)):
    """Writes a picture of a page to a PNG file."""
    _run(page, f"--screenshot={path}", f"--window-size={size[0]},{size[1]}")


def _run(page, *words):
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                browser(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--virtual-time-budget=20000",
                f"--user-data-dir={profile}",
                *words,
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=180,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout
