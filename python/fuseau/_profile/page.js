"use strict";
// The viewer. Time is in nanoseconds since the profile began. A lane is a thread of a rank; its
// rows are the depths of its events, and the events of a row never overlap, so that what is to be
// seen of it is found by halving.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const texts = data.texts;
  const byId = (id) => document.getElementById(id);
  const canvas = byId("timeline");
  const pen = canvas.getContext("2d");
  const rowHeight = 17, headHeight = 18, axisHeight = 22, memoryHeight = 44, nameWidth = 130;
  const colors = {
    evaluation: "#8d99ae", "direct run": "#5fa8d3", interpreter: "#4f86c6", kernel: "#2a9d8f",
    routine: "#43aa8b", copy: "#90be6d", work: "#2a9d8f", wait: "#bc4749", compile: "#f4a261",
    stage: "#e9c46a", exchange: "#9d4edd", numpy: "#e76f51",
  };
  const shareColors = { Python: "#577590", "overhead of evaluations": colors.evaluation,
    waiting: colors.wait, NumPy: colors.numpy };

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const time = (ns) =>
    ns >= 1e9 ? (ns / 1e9).toFixed(3) + " s" : ns >= 1e6 ? (ns / 1e6).toFixed(3) + " ms"
      : ns >= 1e3 ? (ns / 1e3).toFixed(2) + " us" : Math.round(ns) + " ns";
  const size = (bytes) => {
    for (const unit of ["B", "KB", "MB", "GB"]) {
      if (bytes < 9999.5 || unit === "GB") return bytes.toFixed(bytes < 100 && unit !== "B" ? 1 : 0) + " " + unit;
      bytes /= 1000;
    }
  };
  const percent = (part) => (100 * part).toFixed(1) + " %";
  const shortPlace = (place) => place.split("/").slice(-2).join("/");

  const places = (lines) => lines.map(shortPlace).join("  ");

  // Lanes, each with the top of its rows and, for each depth, the numbers of its events.
  const lanes = data.lanes.map((lane) => {
    const c = lane.columns, rows = [];
    for (let i = 0; i < c.begin.length; ++i) (rows[c.depth[i]] ||= []).push(i);
    return { ...lane, rows, count: c.begin.length, top: 0 };
  });
  let height = axisHeight;
  const memoryTops = {};
  let lastRank = -1;
  for (const lane of lanes) {
    if (lane.rank !== lastRank) {
      lastRank = lane.rank;
      if (data.memory[lane.rank]) { memoryTops[lane.rank] = height; height += memoryHeight; }
    }
    lane.top = height;
    height += headHeight + lane.rows.length * rowHeight;
  }
  height += 4;

  let from = 0, to = Math.max(data.time, 1), width = 1000;
  let filter = "", matches = null, found = 0, selected = null, pending = false, drawn = 0, drawTime = 0;

  const xOf = (t) => nameWidth + (t - from) / (to - from) * (width - nameWidth);
  const tOf = (x) => from + (x - nameWidth) / (width - nameWidth) * (to - from);

  // The first event of a row that ends after a time.
  const firstAfter = (lane, row, t, start) => {
    const c = lane.columns;
    let low = start, high = row.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (c.begin[row[middle]] + c.time[row[middle]] > t) high = middle; else low = middle + 1;
    }
    return low;
  };

  const drawAxis = (ink) => {
    pen.fillStyle = ink;
    const step = Math.pow(10, Math.floor(Math.log10((to - from) / 4)));
    const wide = (to - from) / step > 12 ? step * 5 : (to - from) / step > 6 ? step * 2 : step;
    for (let t = Math.ceil(from / wide) * wide; t < to; t += wide) {
      const x = xOf(t);
      pen.globalAlpha = 0.12;
      pen.fillRect(x, axisHeight, 1, height);
      pen.globalAlpha = 0.8;
      pen.fillText(time(t), x + 3, 14);
    }
    pen.globalAlpha = 1;
  };

  const drawMemory = (ink) => {
    for (const [rank, top] of Object.entries(memoryTops)) {
      const points = data.memory[rank];
      const most = points.reduce((a, p) => Math.max(a, p[1]), 1);
      const y = (bytes) => top + memoryHeight - 4 - bytes / most * (memoryHeight - 18);
      pen.globalAlpha = 0.35;
      pen.fillStyle = "#577590";
      fillClipped(points, y);
      pen.globalAlpha = 1;
      pen.fillStyle = ink;
      pen.fillText(`rank ${rank}: memory, at most ${size(most)}`, 4, top + 12);
    }
  };

  // The steps of memory in use, as bars from point to point.
  const fillClipped = (points, y) => {
    for (let i = 0; i < points.length; ++i) {
      const begin = Math.max(xOf(points[i][0]), nameWidth);
      const end = Math.min(xOf(i + 1 < points.length ? points[i + 1][0] : data.time), width);
      if (end > begin) pen.fillRect(begin, y(points[i][1]), Math.max(end - begin, 0.5), y(0) - y(points[i][1]));
    }
  };

  const drawLane = (lane, ink) => {
    pen.fillStyle = ink;
    pen.globalAlpha = 0.9;
    pen.fillText(`rank ${lane.rank} ${lane.name}`, 4, lane.top + 13);
    pen.globalAlpha = 1;
    const c = lane.columns;
    const pixel = (to - from) / (width - nameWidth);
    lane.rows.forEach((row, depth) => {
      const y = lane.top + headHeight + depth * rowHeight;
      for (let k = firstAfter(lane, row, from, 0); k < row.length;) {
        const i = row[k];
        if (c.begin[i] >= to) break;
        const x = Math.max(xOf(c.begin[i]), nameWidth);
        const right = Math.min(xOf(c.begin[i] + c.time[i]), width);
        const wide = Math.max(right - x, 0.7);
        const kind = texts[c.kind[i]];
        pen.globalAlpha = matches && !matches.get(lane)[i] ? 0.12 : kind === "work" ? 0.7 : 1;
        pen.fillStyle = colors[kind] || "#888";
        pen.fillRect(x, y, wide, rowHeight - 2);
        ++drawn;
        if (selected && selected.lane === lane && selected.event === i) {
          pen.strokeStyle = "#d00";
          pen.lineWidth = 2;
          pen.strokeRect(x, y, wide, rowHeight - 2);
        }
        if (wide > 40) {
          pen.save();
          pen.beginPath();
          pen.rect(x, y, wide, rowHeight);
          pen.clip();
          pen.fillStyle = "#fff";
          pen.fillText(texts[c.name[i]], x + 3, y + 12);
          pen.restore();
        }
        // What begins in the same pixel cannot be told apart.
        const next = c.begin[i] + Math.max(c.time[i], pixel);
        k = wide <= 1 ? Math.max(k + 1, firstAfter(lane, row, next, k + 1)) : k + 1;
      }
    });
    pen.globalAlpha = 1;
  };

  const draw = () => {
    const start = performance.now();
    pending = false;
    const ratio = window.devicePixelRatio || 1;
    width = canvas.clientWidth || 1000;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = height + "px";
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "11px system-ui, sans-serif";
    const ink = getComputedStyle(document.body).color;
    drawn = 0;
    drawAxis(ink);
    drawMemory(ink);
    for (const lane of lanes) drawLane(lane, ink);
    drawTime = performance.now() - start;
  };
  const redraw = () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(draw);
  };

  const show = (begin, end) => {
    const least = 50, span = Math.min(Math.max(end - begin, least), Math.max(data.time, least));
    const first = Math.min(Math.max(begin, 0), Math.max(data.time, least) - span);
    from = first;
    to = first + span;
    redraw();
  };
  const zoom = (factor, around = (from + to) / 2) =>
    show(around - (around - from) / factor, around + (to - around) / factor);

  const setFilter = (text) => {
    filter = text.trim().toLowerCase();
    found = 0;
    matches = null;
    if (filter) {
      const hits = texts.map((t) => t.toLowerCase().includes(filter));
      const setHits = data.lineSets.map((set) => set.some((t) => hits[t]));
      matches = new Map();
      for (const lane of lanes) {
        const c = lane.columns, of = new Uint8Array(lane.count);
        for (let i = 0; i < lane.count; ++i) {
          of[i] = hits[c.name[i]] || hits[c.kind[i]] || hits[c.line[i]] || setHits[c.lines[i]] ? 1 : 0;
          found += of[i];
        }
        matches.set(lane, of);
      }
    }
    byId("found").textContent = filter ? `${found} found` : "";
    redraw();
  };

  const eventAt = (x, y) => {
    for (const lane of lanes) {
      const depth = Math.floor((y - lane.top - headHeight) / rowHeight);
      if (y < lane.top + headHeight || depth >= lane.rows.length) continue;
      const row = lane.rows[depth], c = lane.columns, t = tOf(x);
      const slack = (to - from) / (width - nameWidth);
      const k = firstAfter(lane, row, t - slack, 0);
      if (k < row.length && c.begin[row[k]] <= t + slack) return { lane, event: row[k] };
    }
    return null;
  };

  const describe = ({ lane, event: i }) => {
    const c = lane.columns, kind = texts[c.kind[i]];
    const out = [`${texts[c.name[i]]}   (${kind}, rank ${lane.rank}, ${lane.name})`,
      `${time(c.time[i])} from ${time(c.begin[i])} on`];
    if (c.bytes[i]) {
      let line = `${size(c.bytes[i])}`;
      if (["kernel", "routine", "copy", "exchange"].includes(kind) && c.time[i]) {
        line += `, ${(c.bytes[i] / c.time[i]).toFixed(2)} GB/s`;
        if (data.bandwidth && kind !== "exchange") {
          line += `, ${percent(1e9 * c.bytes[i] / c.time[i] / data.bandwidth)} of the machine's bandwidth`;
        }
      }
      out.push(line);
    }
    if (c.flops[i]) out.push(`${c.flops[i].toExponential(2)} operations, ${(c.flops[i] / c.time[i]).toFixed(2)} G/s`);
    if (kind === "evaluation" || kind === "compile") out.push(`${c.number[i]} ${texts[c.name[i]] === "part of an evaluation" ? "(number of the run)" : "recorded operations"}`);
    const lines = data.lineSets[c.lines[i]].map((t) => texts[t]);
    if (lines.length) out.push("lines: " + places(lines.slice(0, 12)) + (lines.length > 12 ? " ..." : ""));
    if (c.line[i]) out.push("wanted by: " + shortPlace(texts[c.line[i]]));
    return out.join("\n");
  };
  const select = (event) => {
    selected = event;
    byId("details").textContent = event ? describe(event) : "";
    redraw();
  };

  // The mouse and the keys.
  let drag = null;
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
      const by = (e.deltaX || e.deltaY) / (width - nameWidth) * (to - from);
      show(from + by, to + by);
    } else {
      zoom(Math.exp(-e.deltaY * 0.002), tOf(e.offsetX));
    }
  }, { passive: false });
  canvas.addEventListener("mousedown", (e) => { drag = { x: e.offsetX, from, to, moved: false }; });
  window.addEventListener("mousemove", (e) => {
    if (!drag) return;
    const x = e.clientX - canvas.getBoundingClientRect().left;
    if (Math.abs(x - drag.x) > 2) drag.moved = true;
    const by = (drag.x - x) / (width - nameWidth) * (drag.to - drag.from);
    if (drag.moved) show(drag.from + by, drag.to + by);
  });
  window.addEventListener("mouseup", (e) => {
    if (drag && !drag.moved && e.target === canvas) select(eventAt(e.offsetX, e.offsetY));
    drag = null;
  });
  canvas.addEventListener("keydown", (e) => {
    const by = (to - from) / 4;
    const act = { w: () => zoom(1.5), s: () => zoom(1 / 1.5), a: () => show(from - by, to - by), d: () => show(from + by, to + by) }[e.key];
    if (act) act();
  });
  byId("in").onclick = () => zoom(2);
  byId("out").onclick = () => zoom(0.5);
  byId("fit").onclick = () => show(0, data.time);
  byId("filter").addEventListener("input", (e) => setFilter(e.target.value));
  window.addEventListener("resize", redraw);

  // The rest of the page.
  const table = (head, rows, numbers) => {
    const cell = (name, value, k) => {
      const made = element(name, numbers.includes(k) ? { className: "number" } : {});
      made.append(value instanceof Node ? value : String(value));
      return made;
    };
    return element("table", {}, element("tr", {}, ...head.map((h, k) => cell("th", h, k))),
      ...rows.map((row) => element("tr", {}, ...row.map((v, k) => cell("td", v, k)))));
  };
  const fill = (id, content, otherwise) => byId(id).append(content || element("p", { textContent: otherwise }));

  const events = lanes.reduce((sum, lane) => sum + lane.count, 0);
  byId("summary").textContent = `${time(data.time)}, ${events} events, ${data.hosts.length} ` +
    (data.hosts.length === 1 ? "rank" : "ranks") +
    (data.bandwidth ? `; this machine copies ${(data.bandwidth / 1e9).toFixed(1)} GB/s` : "") +
    (data.dropped ? `; ${data.dropped} later events were not kept (FUSEAU_PROFILE_EVENTS)` : "");
  const whole = Object.values(data.shares).reduce((a, b) => a + b, 0) || 1;
  for (const [name, ns] of Object.entries(data.shares)) {
    const bar = element("span", { textContent: `${name} ${percent(ns / whole)}`, title: `${name}: ${time(ns)}` });
    bar.style.width = 100 * ns / whole + "%";
    bar.style.background = shareColors[name] || colors[name] || "#888";
    byId("shares").append(bar);
  }
  for (const row of data.lines) {
    const source = element("pre");
    for (const [number, text] of row.source) {
      const mine = number === row.line;
      const line = `${mine ? ">" : " "} ${String(number).padStart(5)}  ${text}\n`;
      source.append(mine ? element("b", { textContent: line }) : line);
    }
    const bar = element("span", { className: "bar" });
    bar.style.width = 200 * row.share + "px";
    byId("lines").append(element("div", { className: "cost" },
      element("div", { title: row.place }, bar,
        ` ${percent(row.share)}  ${time(row.time)}  ${shortPlace(row.place)}`), source));
  }
  if (!data.lines.length) fill("lines", null, "No line of the program made work.");
  fill("kernels", data.kernels.length && table(
    ["name", "kind", "calls", "time", "bytes", "GB/s", "of the bandwidth", "lines"],
    data.kernels.slice(0, 100).map((k) => [k.name, k.kind, k.calls, time(k.time), size(k.bytes),
      k.time ? (k.bytes / k.time).toFixed(1) : "", data.bandwidth && k.time ? percent(1e9 * k.bytes / k.time / data.bandwidth) : "",
      places(k.lines)]), [2, 3, 4, 5, 6]), "No kernel ran.");
  fill("path", data.pathSums.length && table(["rank", "what the end waited for", "time", "share"],
    data.pathSums.map((p) => [p.rank, p.what, time(p.time), percent(p.time / data.time)]), [0, 2, 3]), "Nothing was computed.");
  fill("traffic", data.traffic.length && table(["from rank", "to rank", "bytes", "messages"],
    data.traffic.map(([a, b, bytes, count]) => [a, b, size(bytes), count]), [0, 1, 2, 3]), "Ranks exchanged nothing.");
  fill("compiles", data.compiles.length && table(["at", "rank", "operations", "time", "stages", "lines"],
    data.compiles.slice(0, 300).map((c) => [time(c.begin), c.rank, c.operations, time(c.time),
      c.stages.map(([name, ns, bytes]) => `${name} ${time(ns)}${bytes ? ` (${size(bytes)})` : ""}`).join(", "),
      places(c.lines)]), [0, 1, 2, 3]), "Nothing was compiled.");

  // For tests: what is shown, and the same acts as by mouse.
  window.fuseauProfile = {
    state: () => ({ from, to, events, found, drawn, drawTime, lanes: lanes.map((l) => `rank ${l.rank} ${l.name}`),
      details: byId("details").textContent }),
    zoom, show, setFilter, draw, eventAt,
    select: (lane, event) => select({ lane: lanes[lane], event }),
  };
  draw();
})();
