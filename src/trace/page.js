"use strict";
// D: { people: [[name, kind, number, site, osThread, column]], threads: [name], columns, lost,
//      rows: [[nanoseconds, osThread, who, state, other, tie, words, holder, [mark, ..]]] }; nobody is -1.
const AWAY = 0, FRESH = 1, READY = 2, RUNNING = 3, WAITING = 4, RETURN = 4;
const STATES = ["", "has not begun", "is ready", "runs", "waits"], LINES = ["", "fresh", "ready", "run", "waiting"];
const TIES = ["spawn", "wake", "cancel", "drive", "drive"];
const EDGE = 18, TIMES = 78, HALF = 6, MARGIN = 40;
const $ = id => document.getElementById(id);
const esc = text => String(text).replace(/[&<>"']/g, c => "&#" + c.charCodeAt(0) + ";");
const letters = text => [...text].length;
const name = who => who < 0 ? "nobody" : D.people[who][0];

function span(ns) {
  const units = [["s", 1e9], ["ms", 1e6], ["µs", 1e3]];
  for (const [unit, size] of units) if (ns >= size) return +(ns / size).toPrecision(4) + " " + unit;
  return ns + " ns";
}
const moment = ns => (ns / 1e9).toFixed(ns % 1e6 ? 6 : 3) + " s";

// Colours: roots are grey, the others take turns.
const colours = (() => { let next = 0; return D.people.map(p => p[1] === "root" ? 0 : 1 + next++ % 7); })();
const column = who => who < 0 ? -1 : D.people[who][5];

// Stretches of columns and of OS threads, once for all.
const rows = D.rows, stretches = [], holds = [];
(() => {
  const open = [], held = [];
  const close = (list, entry, r) => { if (entry) { entry.to = r; list.push(entry); } };
  rows.forEach((row, r) => {
    const [, thread, who, state, , , words, holder] = row;
    const c = column(who);
    if (c >= 0 && !(open[c] && open[c].who === who && open[c].state === state)) {
      close(stretches, open[c], r);
      open[c] = state === AWAY ? null : { column: c, who, state, from: r, words };
    }
    if ((held[thread] ? held[thread].who : -1) !== holder) {
      close(holds, held[thread], r);
      held[thread] = holder < 0 ? null : { thread, who: holder, from: r };
    }
  });
  open.forEach(entry => close(stretches, entry, rows.length));
  held.forEach(entry => close(holds, entry, rows.length));
})();

// Places from left to right.
const heldAt = [], middles = [];
let marksAt, width;
(() => {
  let x = EDGE + TIMES + 12;
  const longest = D.threads.map(letters);
  rows.forEach(row => { if (row[7] >= 0) longest[row[1]] = Math.max(longest[row[1]], letters(name(row[7]))); });
  for (const most of longest) { const w = Math.min(180, Math.max(76, most * 7 + 20)); heldAt.push([x, w]); x += w + 14; }
  const widths = Array(D.columns).fill(70);
  D.people.forEach(p => { if (p[5] >= 0) widths[p[5]] = Math.max(widths[p[5]], Math.min(300, letters(p[0]) * 8 + 24)); });
  rows.forEach(row => {
    const c = column(row[2]);
    if (c < 0) return;
    const at = row[4] < 0 ? c : Math.min(c, column(row[4]));
    if (at >= 0) widths[at] = Math.max(widths[at], Math.min(300, letters(row[6]) * 7 + 34));
  });
  for (const w of widths) { middles.push(x + 16); x += w; }
  marksAt = x + 12;
  const mark = rows.reduce((most, row) => row[8].reduce((most, mark) => Math.max(most, letters(mark)), most), 4);
  width = marksAt + Math.min(900, mark * 7 + 30) + EDGE;
})();

// Places from top to bottom: a row each, or by time.
let step = 24, scale = 0, byTime = false, hits = [], hit = -1, pattern = "";
const last = rows.length ? rows[rows.length - 1][0] : 0;
const y = r => 16 + (byTime ? (r < rows.length ? rows[r][0] : last) * scale : r * step);
const height = () => Math.max(60, y(rows.length) + 40);
function rowAt(at) {
  let low = 0, high = rows.length;
  while (low < high) { const mid = (low + high) >> 1; if (y(mid) < at) low = mid + 1; else high = mid; }
  return low;
}

function heads() {
  let out = `<text class="time" x="${EDGE + TIMES}" y="22">time</text>`;
  D.threads.forEach((name, t) => { const [x, w] = heldAt[t]; out += `<text class="head" text-anchor="middle" x="${x + w / 2}" y="22">${esc(name)}</text>`; });
  const seen = [];
  D.people.forEach((p, who) => {
    if (p[5] < 0 || seen[p[5]]) return;
    seen[p[5]] = true;
    const x = middles[p[5]];
    out += `<g data-p="${who}"><circle cx="${x}" cy="18" r="5" fill="var(--c${colours[who]})"/><text class="name" x="${x + 11}" y="22">${esc(p[0])}</text></g>`;
  });
  out += `<text class="head" x="${marksAt}" y="22">marks</text>`;
  $("heads").innerHTML = `<svg width="${width}" height="34">${out}</svg>`;
}

function draw() {
  const view = $("view"), top = Math.max(0, view.scrollTop - 300), bottom = view.scrollTop + view.clientHeight + 300;
  $("page").style.height = height() + "px";
  $("page").style.width = width + "px";
  const first = Math.max(0, rowAt(top) - 1), end = Math.min(rows.length, rowAt(bottom) + 1), room = byTime || step >= 13;
  const inside = s => s.to >= first && s.from <= end;
  let ground = "", bars = "", words = "", told = null, free = -1e9, ruled = first < rows.length ? rows[first][0] : 0;
  for (let r = first; r < end; r++) {
    const [at, thread, who, , other, tie, text, holder, marks] = rows[r], py = y(r);
    const clear = room && (!byTime || py - free >= 13);
    if (pattern && found(r)) ground += `<rect class="${hits[hit] === r ? "here" : "found"}" x="4" y="${py - 10}" width="${width - 8}" height="20" rx="4"/>`;
    if (moment(at) !== told && clear) {
      if (r > 0 && at - ruled >= 1e5) { ground += `<path class="rule" d="M${EDGE + TIMES + 6} ${py - 12}H${width - EDGE}"/>`; ruled = at; }
      ground += `<text class="time" x="${EDGE + TIMES}" y="${py + 4}">${moment(at)}</text>`;
      told = moment(at);
    }
    if (who < 0 && holder < 0 && text && clear) {
      const [x, w] = heldAt[thread];
      ground += `<rect class="band" x="${x}" y="${py - 9}" width="${width - EDGE - x}" height="18"/>`;
      words += `<text class="idle" x="${x + w / 2}" y="${py + 4}">${esc(text)}</text>`;
    }
    const c = column(who), o = column(other);
    if (c >= 0 && o >= 0 && o !== c) {
      const [from, to] = tie === RETURN ? [c, o] : [o, c], right = from < to ? 1 : -1;
      const begin = middles[from] + right * HALF, tip = middles[to] - right * HALF, back = tip - right * 8, kind = TIES[tie];
      words += `<g data-r="${r}"><path class="wide" d="M${begin} ${py}H${tip}"/><path class="tie" stroke="var(--${kind})" d="M${begin} ${py}H${back}"/><path fill="var(--${kind})" d="M${tip} ${py}L${back} ${py - 4}V${py + 4}Z"/></g>`;
      const left = Math.min(from, to), next = middles[left + 1] || middles[left] + 60;
      if (clear && step >= 18) words += `<text class="onto" fill="var(--${kind})" style="fill:var(--${kind})" x="${(middles[left] + next) / 2}" y="${py - 5}">${esc(text)}</text>`;
    } else if (c >= 0 && text && clear) {
      words += `<text class="words" data-r="${r}" x="${middles[c] + 12}" y="${py + 4}">${esc(text)}</text>`;
    }
    marks.forEach((mark, line) => {
      const h = column(holder), my = py + line * 12, colour = `var(--c${holder < 0 ? 0 : colours[holder]})`;
      if (h >= 0) ground += `<path class="lead" stroke="${colour}" d="M${middles[h] + HALF + 4} ${my}H${marksAt - 4}"/>`;
      words += `<g data-r="${r}"><circle fill="${colour}" cx="${marksAt + 3}" cy="${my}" r="3.5"/>` + (clear ? `<text x="${marksAt + 13}" y="${my + 4}">${esc(mark)}</text>` : "") + "</g>";
    });
    if (clear) free = py;
  }
  holds.forEach((s, i) => {
    if (!inside(s)) return;
    const [x, w] = heldAt[s.thread], from = y(s.from) - (byTime ? 0 : Math.min(10, step * .4)), handed = s.to < rows.length && rows[s.to][7] >= 0 ? step / 2 : 0;
    const tall = Math.max(byTime ? 1 : 3, y(s.to) - from - (byTime ? 0 : handed)), colour = `var(--c${colours[s.who]})`;
    bars += `<rect class="held" data-h="${i}" fill="${colour}" stroke="${colour}" x="${x}" y="${from}" width="${w}" height="${tall}" rx="${Math.min(4, tall / 2)}"/>`;
    if (tall >= 13) words += `<text class="who" x="${x + w / 2}" y="${Math.min(Math.max(from, top) + 100, from + tall / 2) + 4}">${esc(name(s.who))}</text>`;
  });
  stretches.forEach((s, i) => {
    if (!inside(s)) return;
    const x = middles[s.column], colour = `var(--c${colours[s.who]})`, from = y(s.from), to = y(s.to);
    if (s.state === RUNNING) {
      const over = byTime ? 0 : Math.min(10, step * .4), tall = Math.max(byTime ? 2 : 4, to - from + over);
      bars += `<rect data-s="${i}" fill="${colour}" x="${x - HALF}" y="${from - over}" width="${HALF * 2}" height="${tall}" rx="${Math.min(HALF, tall / 2)}"/>`;
    } else {
      ground += `<path class="${LINES[s.state]}" stroke="${colour}" d="M${x} ${from}V${to}"/>`;
      bars += `<path class="wide" data-s="${i}" d="M${x} ${from}V${to}"/>`;
    }
  });
  const high = Math.min(height(), bottom) - top;
  $("page").innerHTML = `<svg width="${width}" height="${high}" viewBox="0 ${top} ${width} ${high}" style="top:${top}px">${ground}${bars}${words}</svg>`;
}

// What the pointer rests on, in words.
function person(who) {
  const [n, kind, number, site] = D.people[who];
  return `<b>${esc(n)}</b><span>${esc(kind)} ${number}${site ? ", spawned at " + esc(site) : ""}</span>`;
}
function about(target) {
  const at = target.closest("[data-s],[data-h],[data-r],[data-p]");
  if (!at) return "";
  const { s, h, r, p } = at.dataset;
  if (p !== undefined) return person(+p);
  if (r !== undefined) {
    const [when, , who, , other, tie, text, holder, marks] = rows[+r];
    if (marks.length && !text) return `<b>${marks.map(esc).join("<br>")}</b><span>by ${esc(name(holder))} at ${moment(when)}</span>`;
    if (other < 0) return person(who) + `${esc(text)}<span>at ${moment(when)}</span>`;
    const [from, to] = tie === RETURN ? [who, other] : [other, who];
    return `<b>${esc(name(from))} → ${esc(name(to))}</b>${esc(text)}<span>at ${moment(when)}</span>`;
  }
  const it = s !== undefined ? stretches[+s] : holds[+h];
  const begin = rows[it.from][0], end = it.to < rows.length ? rows[it.to][0] : last;
  const what = s === undefined ? "holds " + esc(D.threads[it.thread]) : STATES[it.state] + (it.state === WAITING ? ": " + esc(it.words) : "");
  const ender = s !== undefined && it.state === WAITING && it.to < rows.length && rows[it.to][4] >= 0 ? `<span>until ${esc(name(rows[it.to][4]))} ${esc(rows[it.to][6])} it</span>` : "";
  return person(it.who) + what + `<span>${span(end - begin)}: ${moment(begin)} to ${moment(end)}</span>` + ender;
}
function tip(event) {
  const text = about(event.target), box = $("tip");
  box.style.display = text ? "block" : "none";
  if (!text) return;
  box.innerHTML = text;
  box.style.left = Math.max(8, Math.min(event.clientX + 16, innerWidth - box.offsetWidth - 12)) + "px";
  box.style.top = Math.max(8, Math.min(event.clientY + 16, innerHeight - box.offsetHeight - 12)) + "px";
}

// Search: who takes part, words and marks.
function found(r) {
  const [, , who, , other, , text, , marks] = rows[r];
  return (who >= 0 && name(who).toLowerCase().includes(pattern)) || (other >= 0 && name(other).toLowerCase().includes(pattern))
    || text.toLowerCase().includes(pattern) || marks.some(mark => mark.toLowerCase().includes(pattern));
}
function search(by) {
  const wanted = $("search").value.trim().toLowerCase();
  if (wanted !== pattern) {
    pattern = wanted; hit = -1; hits = [];
    if (pattern) rows.forEach((_, r) => { if (found(r)) hits.push(r); });
    by = 1;
  }
  if (hits.length) { hit = (hit + by + hits.length) % hits.length; $("view").scrollTop = y(hits[hit]) - $("view").clientHeight / 3; }
  $("hits").textContent = pattern ? (hits.length ? hit + 1 + " of " + hits.length : "nothing") : "";
  draw();
}

// Zoom, around the moment at `anchor` pixels below the top.
function zoom(factor, anchor = $("view").clientHeight / 2) {
  const view = $("view"), old = view.scrollTop + anchor - 16;
  if (byTime) scale *= factor; else { factor = Math.min(60, Math.max(3, step * factor)) / step; step *= factor; }
  draw();
  view.scrollTop = old * factor + 16 - anchor;
  draw();
}
function fit() {
  if (byTime) scale = Math.max(1, $("view").clientHeight - 100) / Math.max(1, last);
  else step = 24;
  draw();
}

$("search").addEventListener("input", () => search(0));
$("search").addEventListener("keydown", event => { if (event.key === "Enter") search(event.shiftKey ? -1 : 1); });
$("in").onclick = () => zoom(1.4);
$("out").onclick = () => zoom(1 / 1.4);
$("fit").onclick = fit;
$("axis").onchange = event => { byTime = event.target.value === "time"; fit(); };
$("view").addEventListener("scroll", draw, { passive: true });
$("view").addEventListener("wheel", event => {
  if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoom(Math.exp(-event.deltaY / 300), event.clientY - $("view").getBoundingClientRect().top); }
}, { passive: false });
$("page").addEventListener("pointermove", tip);
$("heads").addEventListener("pointermove", tip);
$("view").addEventListener("pointerleave", () => { $("tip").style.display = "none"; });
addEventListener("resize", draw);
addEventListener("keydown", event => {
  if (event.target.tagName === "INPUT") return;
  if (event.key === "/") { event.preventDefault(); $("search").focus(); }
  if (event.key === "+") zoom(1.4);
  if (event.key === "-") zoom(1 / 1.4);
});
const lost = D.lost ? `, ${D.lost} earlier ones are lost` : "";
$("note").textContent = rows.length ? `${rows.length} rows, ${span(last)}${lost}` : "nothing was recorded";
heads();
draw();
