"use strict";

// How many stretches a rate is shown for: shorter ones would say little.
const mostStretches = 120;

const color = (name) => () =>
  getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

const units = [[1e-9, "ns"], [1e-6, "µs"], [1e-3, "ms"], [1, "s"], [60, "min"], [3600, "h"], [86400, "d"]];

function duration(seconds) {
  if (seconds == null) return "";
  if (seconds === 0) return "0";
  const [unit, name] = units.filter(([from]) => seconds >= from * 0.9999).pop() || units[0];
  return +(seconds / unit).toPrecision(3) + " " + name;
}

const count = (value) => (value == null ? "" : value.toLocaleString("en"));
const percent = (value) => (value == null ? "" : +value.toFixed(1) + "%");

// Steps between ticks that read well as times, in seconds.
const steps = [1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800,
  3600, 7200, 14400, 28800, 86400, 172800, 604800];

function axes(horizontal, vertical) {
  const axis = { stroke: color("faint"), grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("grid"), width: 1 } };
  return [
    { ...axis, values: (_, ticks) => ticks.map(horizontal) },
    { ...axis, size: 62, values: (_, ticks) => ticks.map(vertical) },
  ];
}

const timeAxes = (vertical) => {
  const [horizontal, upright] = axes(duration, vertical);
  return [{ ...horizontal, incrs: steps, space: 70 }, upright];
};

const line = (label, name, value) => ({
  label, value: (_, shown) => value(shown), stroke: color(name), width: 1.5, spanGaps: true, points: { show: false },
});

const charts = [];

function draw(id, data, options) {
  const place = document.getElementById(id);
  const chart = new uPlot({
    width: place.clientWidth, height: 240, cursor: { drag: { x: true, y: false } }, ...options,
  }, data, place);
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 240 })).observe(place);
  charts.push(chart);
}

// stretches joins points until there are few enough, and each has a second or a twentieth of the whole.
function stretches(points, width) {
  const least = Math.min(1 / width, points.length / 20);
  const joined = Math.max(1, Math.ceil(Math.max(least, points.length / mostStretches)));
  const all = [];
  for (let i = 0; i < points.length; i += joined) {
    const sum = { time: points[i].time, seconds: joined * width };
    for (const name of ["stored", "found", "missed", "connections", "resumed", "evicted", "expired", "removed"])
      sum[name] = points.slice(i, i + joined).reduce((total, point) => total + point[name], 0);
    all.push(sum);
  }
  return all;
}

function drawHeld() {
  const { points, begin } = report;
  draw("held", [points.map((p) => p.time - begin), points.map((p) => p.held)], {
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.08)] } },
    axes: timeAxes(count),
    series: [{ label: "time", value: (_, shown) => duration(shown) },
      { ...line("sessions held", "blue", count), fill: () => color("blue")() + "22", paths: uPlot.paths.stepped({ align: 1 }) }],
  });
}

function drawResumption(all) {
  let connections = 0, resumed = 0;
  const part = (some, whole) => (whole > 0 ? (100 * some) / whole : null);
  const data = [[], [], []];
  for (const one of all) {
    connections += one.connections;
    resumed += one.resumed;
    data[0].push(one.time - report.begin);
    data[1].push(part(one.resumed, one.connections));
    data[2].push(part(resumed, connections));
  }
  draw("resumption", data, {
    scales: { x: { time: false }, y: { range: [0, 104] } },
    axes: timeAxes(percent),
    series: [{ label: "time", value: (_, shown) => duration(shown) },
      { ...line("resumed", "green", percent), points: { show: true, size: 5, fill: color("green") } },
      { ...line("since the start", "faint", percent), dash: [4, 4] }],
  });
}

function drawOperations(all) {
  const rate = (name) => all.map((one) => one[name] / one.seconds);
  const perSecond = (value) => (value == null ? "" : +value.toPrecision(3) + "/s");
  draw("operations", [all.map((one) => one.time - report.begin), ...["stored", "found", "missed", "evicted", "expired", "removed"].map(rate)], {
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.08)] } },
    axes: timeAxes((value) => value + "/s"),
    series: [{ label: "time", value: (_, shown) => duration(shown) },
      line("stored", "blue", perSecond), line("found", "green", perSecond), line("missed", "red", perSecond),
      line("evicted", "amber", perSecond), line("expired", "violet", perSecond), line("removed", "faint", perSecond)],
  });
}

const palette = ["blue", "green", "amber", "violet", "red", "faint"];

// drawDistribution shows bars that are equally wide on a logarithmic scale; lists have a name and bars.
function drawDistribution(id, lists, unit) {
  const starts = [...new Set(lists.flatMap((one) => one.bars.map((bar) => bar.from * unit)))].sort((a, b) => a - b);
  const at = (bars) => {
    const known = new Map(bars.map((bar) => [bar.from * unit, bar.count]));
    return starts.map((start) => known.get(start) ?? 0);
  };
  const paths = lists.length > 1 ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.bars({ size: [0.9, 60], align: 1 });
  draw(id, [starts, ...lists.map((one) => at(one.bars))], {
    scales: { x: { time: false, distr: 3 }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.08)] } },
    axes: axes((value) => (value == null ? "" : duration(value)), count),
    series: [{ label: "from", value: (_, shown) => duration(shown) },
      ...lists.map((one, i) => ({ ...line(one.name, lists.length > 1 ? palette[i % palette.length] : "violet", count), paths,
        fill: lists.length > 1 ? undefined : () => color("violet")() + "55" }))],
  });
}

function drawAll() {
  const all = stretches(report.points, report.width);
  drawHeld();
  drawResumption(all);
  drawOperations(all);
  if (report.latencies.length > 0)
    drawDistribution("latency", report.latencies.map((one) => ({ name: one.operation, bars: one.bars })), 1e-9);
  if (report.life.count > 0) drawDistribution("life", [{ name: "sessions", bars: report.life.bars }], 1);
}

drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.redraw(false, true)));
document.documentElement.dataset.charts = charts.length;
