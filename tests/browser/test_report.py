"""The page of a profile in a browser: opens without an error, zooms, filters, tells of boxes."""

import pytest
from browser import act_in, browser, screenshot
from fuseau._profile import merge, page

pytestmark = pytest.mark.skipif(browser() is None, reason="there is no Chromium")


def run_with(events, threads=2):
    """A profile of kernels and evaluations, `events` of them on each thread."""
    run = merge.Run(
        time=events * 1000,
        bandwidth=20e9,
        hosts=["a", "a"],
        threads=[],
        memory={0: [(i * 1000, i % 97 * 1_000_000) for i in range(0, events, 10)]},
        sends=[(0, merge.Event("send", "x", 5, 1, bytes=800, peer=1))],
        tallies={},
        graphs=[],
        dropped=0,
    )
    for number in range(threads):
        thread = merge.Thread(number % 2, "program" if number == 0 else f"worker {number}")
        for i in range(0, events, 2):
            thread.events.append(merge.Event("evaluation", "evaluation", i * 1000, 1500, number=3))
            thread.events.append(
                merge.Event(
                    "kernel",
                    f"add_{i % 7}",
                    i * 1000 + 100,
                    1200,
                    bytes=12000,
                    flops=500,
                    lines=(f"prog.py:{i % 5 + 1}",),
                )
            )
        merge.nest(thread.events)
        run.threads.append(thread)
    return run


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "report.html"
    page.write(run_with(2000), path)
    return path


def test_opens_with_all_events(report):
    state = act_in(report, "return fuseauProfile.state();")
    assert state["events"] == 4000
    assert state["lanes"] == ["rank 0 program", "rank 1 worker 1"]
    assert state["drawn"] > 100


def test_zooms_by_wheel_and_button(report):
    before, wheel, button, fit = act_in(
        report,
        """
        const span = () => { const s = fuseauProfile.state(); return s.to - s.from; };
        const canvas = document.getElementById("timeline"), out = [span()];
        canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -400, clientX: 600, clientY: 100 }));
        out.push(span());
        document.getElementById("in").click();
        out.push(span());
        document.getElementById("fit").click();
        out.push(span());
        return out;
        """,
    )
    assert before == fit == 2_000_000
    assert wheel < before / 1.5
    assert button == pytest.approx(wheel / 2)


def test_moves_by_dragging(report):
    first, moved = act_in(
        report,
        """
        fuseauProfile.show(500000, 700000);
        const canvas = document.getElementById("timeline"), box = canvas.getBoundingClientRect();
        const at = (type, x) => canvas.dispatchEvent(new MouseEvent(type,
          { clientX: box.left + x, clientY: box.top + 80, bubbles: true }));
        const first = fuseauProfile.state().from;
        at("mousedown", 600); at("mousemove", 500); at("mouseup", 500);
        return [first, fuseauProfile.state().from];
        """,
    )
    assert moved > first


def test_filters(report):
    found = act_in(
        report,
        """
        const input = document.getElementById("filter"), out = [];
        for (const text of ["add_3", "prog.py:2", "kernel", "nothing of this", ""]) {
          input.value = text;
          input.dispatchEvent(new Event("input"));
          out.push(fuseauProfile.state().found);
        }
        return out;
        """,
    )
    kernels = [e for t in run_with(2000).threads for e in t.events if e.kind == "kernel"]
    assert found == [
        sum(e.name == "add_3" for e in kernels),
        sum("prog.py:2" in e.lines for e in kernels),
        len(kernels),
        0,
        0,
    ]


def test_tells_of_a_box(report):
    details = act_in(
        report, "fuseauProfile.select(0, 1); return document.getElementById('details').textContent;"
    )
    assert "add_0" in details and "prog.py:1" in details
    assert "10.00 GB/s" in details and "50.0 % of the machine's bandwidth" in details


def test_a_hundred_thousand_events_are_drawn_at_once(tmp_path):
    path = tmp_path / "large.html"
    page.write(run_with(50_000), path)
    times = act_in(
        path,
        """
        const out = [];
        for (let k = 0; k < 12; ++k) {
          fuseauProfile.draw();
          out.push(fuseauProfile.state().drawTime);
          fuseauProfile.zoom(2);
        }
        return [fuseauProfile.state().events, ...out.sort((a, b) => a - b)];
        """,
    )
    assert times[0] == 100_000
    # The middle one: the machine may be busy. 60 pictures a second have 16 ms each.
    assert times[1 + len(times[1:]) // 2] < 50


def test_names_that_look_like_html(tmp_path):
    run = run_with(10)
    run.threads[0].events[0].name = "</script><b id='bad'>"
    page.write(run, tmp_path / "odd.html")
    assert act_in(tmp_path / "odd.html", "return document.getElementById('bad') === null;")


def test_an_empty_profile(tmp_path):
    page.write(run_with(0, threads=0), tmp_path / "empty.html")
    assert act_in(tmp_path / "empty.html", "return fuseauProfile.state().events;") == 0


def test_a_picture_has_something_on_it(report, tmp_path):
    screenshot(report, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 20_000
