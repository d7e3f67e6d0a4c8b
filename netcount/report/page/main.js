// The page: its parts, what is selected, found, folded and coloured, the address and the keys.
// `show` may be called again, with another state of the net: what is chosen stays chosen.

import { element, exact, human, humanBytes, layerCount, percent, visible } from "./format.js";
import { GraphView } from "./graph.js";
import { MemoryView } from "./memory.js";
import { Model } from "./model.js";
import { TableView, changesView, messagesView, sharesView } from "./table.js";
import { TextView } from "./text.js";

const byId = (id) => document.getElementById(id);
/** What acts on the net that is shown. */
const ASKING = ["find", "color", "fold", "export"];
let model = null, blank = true, analysis, view, data, layers, table, text, graph, parts = [], selected = null, hits = null, waiting = new Map();
let makeText = (model, choose) => new TextView(model, fresh("text"), choose);

const addressOf = (layer) => {
  const { name, line } = layers[layer];
  const twice = model.byName.get(name) !== layer;
  return `layer=${encodeURIComponent(name)}${twice ? `&line=${line}` : ""}`;
};
const others = () => location.hash.slice(1).split("&").filter((part) => part && !/^(layer|line)=/.test(part));
const link = (layer) => `#${addressOf(layer)}`;

function select(layer, scroll = true) {
  selected = layer;
  showLayer(layer);
  for (const part of parts) part.select(layer, scroll);
  keepAddress(layer);
}

function keepAddress(layer) {
  const address = [...(layer === null ? [] : [addressOf(layer)]), ...others()].join("&");
  if (location.protocol === "about:") return; // in a notebook's frame, which has no address
  if (address !== location.hash.slice(1)) history.replaceState(null, "", `${location.pathname}${location.search}${address ? `#${address}` : ""}`);
}
const choose = (layer) => select(layer);

/** What shows the text instead of lines: a function of the model and of what chooses a layer. */
export function replaceText(make) { makeText = make; }

/** An empty element in place of one that held an earlier state, with its listeners gone. */
function fresh(id) {
  const old = byId(id), made = old.cloneNode(false);
  old.replaceWith(made);
  return made;
}

/** Show the layer's panel again, as more is known of the net. */
export function panelAgain() { if (model) showLayer(selected); }

/** Show no net, as there is none of a text, or none yet: what asks about a net rests. */
export function showNothing() {
  blank = true;
  for (const id of ASKING) byId(id).disabled = true;
  byId("tab-messages").textContent = "Messages";
}

/** Go to a line of the text. */
export function toLine(line) { tab("text"); text.show(line); }

function showLayer(layer) {
  const panel = byId("layer");
  panel.hidden = layer === null;
  if (layer === null) { panel.replaceChildren(); return; }
  const one = layers[layer], row = model.row(layer), close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => select(null));
  const list = element("dl");
  const add = (title, ...what) => list.append(element("dt", {}, title), element("dd", {}, ...what));
  const links = (indices) => indices.flatMap((index, i) => [...(i ? [", "] : []), element("a", { href: link(index), "data-go": index }, visible(layers[index].name))]);
  if (one.message) add("wrong", element("span", { class: "wrong" }, visible(one.message)));
  const { above, below } = model.neighbours(layer);
  if (above.length) add("reads from", ...links(above));
  if (below.length) add("read by", ...links(below));
  const block = model.blockOf.get(layer);
  if (block !== undefined) {
    const button = element("button", { type: "button" }, model.folded.has(block) ? "unfold" : "fold");
    button.addEventListener("click", () => fold(layer));
    add("block", `${visible(block)} `, button);
  }
  if (row) {
    const shapes = (blobs, texts) => blobs.map((blob, at) => `${visible(blob.blob)} ${texts[at]}`).join(", ");
    if (row.bottoms.length) add("bottoms", shapes(row.bottoms, data.shapes[one.row][0]));
    if (row.tops.length) add("tops", shapes(row.tops, data.shapes[one.row][1]));
    for (const blob of row.blobs) add(blob.role, blob.shape.join("×") + (blob.shared_with ? ` (of ${visible(blob.shared_with)})` : ""));
    const [rule, params, madds] = data.formulas?.[one.row] ?? [-1, exact(row.params), exact(row.madds)];
    add("params", params === "0" ? exact(row.params) : params);
    add("madds", madds === "0" ? exact(row.madds) : `${madds} (${percent(row.madds, analysis.totals.madds)})`);
    const ops = Object.entries(row.ops).filter(([name, value]) => name !== "madds" && value);
    if (ops.length) add("other ops", ops.map(([name, value]) => `${exact(value)} ${name}`).join(", "));
    add("alive", humanBytes(data.live[one.row]));
    for (const field of data.fields?.[one.row] ?? []) add("sees", field);
    if (data.rules?.[rule]) add("rule", data.rules[rule]);
    if (row.note) add("note", row.note);
    const changed = data.changes?.layers[layer];
    if (changed) add("compared", changed.join(", "));
  } else if (!one.message) add("figures", "not known, as a layer before it is wrong");
  const lines = view.text.split("\n").slice(one.line - 1, one.end_line).map((line) => visible(line.replace(/\r$/, "").replaceAll("\t", "    ")));
  panel.replaceChildren(close, element("h2", {}, `${visible(one.name) || "(unnamed)"} · ${visible(one.type)} · line ${one.line}`), list, element("pre", { tabindex: "0", "aria-label": "Its text" }, lines.join("\n")));
}

function redraw(scroll = true) {
  graph.render();
  graph.find(hits);
  graph.select(selected, scroll);
  const names = Object.keys(data.blocks);
  byId("fold").disabled = !names.length;
  byId("fold").textContent = names.length && names.every((name) => model.folded.has(name)) ? "Unfold blocks" : "Fold blocks";
}

function fold(layer) {
  const block = layer === null ? undefined : model.blockOf.get(layer);
  if (block === undefined) {
    const names = Object.keys(data.blocks);
    model.folded = new Set(names.every((name) => model.folded.has(name)) ? [] : names);
    redraw(false);
    settle();
  } else {
    if (!model.folded.delete(block)) model.folded.add(block);
    redraw();
  }
  if (selected !== null) showLayer(selected);
}

/** A size at which most can be read: the whole width, if that is not too small.  wide: of the pane, as it was before anything else was drawn. */
function settle(wide = graph.host.clientWidth) {
  graph.scale = Math.min(1, Math.max(0.45, wide / graph.size[0]));
  graph.resize();
  graph.host.scrollTo((graph.size[0] * graph.scale - wide) / 2, 0);
  graph.select(selected);
}

function colour(name, scroll = true) {
  model.color = name;
  byId("color").value = name;
  byId("legend").replaceChildren(...data.colors[name].map(([tone, words]) =>
    element("span", {}, ...(tone ? [element("svg", { viewBox: "0 0 14 11", "aria-hidden": "true" }, element("rect", { width: 14, height: 11, rx: 2, fill: model.fill(tone), stroke: tone === "broken" ? "#cf222e" : "#8c959f" }))] : []), words)));
  redraw(scroll);
}

function find(words) {
  hits = model.matching(words);
  graph.find(hits);
  table.find(hits);
  text.find(hits);
  byId("matches").textContent = hits === null ? "" : layerCount(hits.length);
}

const TABS = [["graph", "Graph", true], ["layers", "Layers"], ["memory", "Memory"], ["shares", "Kernels"], ["messages", "Messages"], ["changes", "Changes"], ["text", "Text", true]];
const tabs = byId("tabs");
for (const [name, title, narrow] of TABS) {
  const button = element("button", { type: "button", role: "tab", id: `tab-${name}`, "data-for": name, class: narrow ? "narrow" : null,
    "aria-controls": `pane-${name}` }, title);
  button.addEventListener("click", () => tab(name));
  tabs.append(button);
}
/** Fill a pane that has waited for it since the net was shown. */
function fill(name) {
  const make = waiting.get(name);
  waiting.delete(name);
  make?.();
}
export function tab(name) {
  document.body.dataset.tab = name;
  fill(name);
  const wide = getComputedStyle(byId(`tab-${name}`)).display === "none" ? "layers" : name;
  for (const button of tabs.children) {
    button.setAttribute("aria-selected", String(button.dataset.for === wide));
    button.tabIndex = button.dataset.for === wide ? 0 : -1;
  }
}
tabs.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const shown = [...tabs.children].filter((button) => button.offsetParent);
  const next = shown[(shown.indexOf(document.activeElement) + step + shown.length) % shown.length];
  next.focus();
  next.click();
  event.stopPropagation();
  event.preventDefault();
});

export function save(name, type, content) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const anchor = element("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function picture() {
  const [width, height] = graph.size;
  const scale = Math.min(2, 16000 / Math.max(width, height), Math.sqrt(1e8 / (width * height)));
  const image = new Image(), address = URL.createObjectURL(new Blob([graph.file()], { type: "image/svg+xml" }));
  image.src = address;
  await image.decode();
  const canvas = element("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

byId("export").addEventListener("change", async (event) => {
  const form = event.target.value, base = (analysis.net || "net").replace(/[^\w.-]+/g, "_").slice(0, 60);
  event.target.value = "";
  if (form === "svg") save(`${base}.svg`, "image/svg+xml", graph.file());
  if (form === "png") save(`${base}.png`, "image/png", await picture());
  if (form === "csv") save(`${base}.csv`, "text/csv", table.csv());
});

byId("color").addEventListener("change", (event) => colour(event.target.value));
byId("fold").addEventListener("click", () => fold(null));
document.addEventListener("fold", (event) => { if (model.blockOf.has(event.detail)) fold(event.detail); });
byId("find").addEventListener("input", (event) => find(event.target.value));
byId("find").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && hits?.length) {
    const at = hits.indexOf(selected);
    select(hits[(at + (event.shiftKey ? hits.length - 1 : 1)) % hits.length]);
  }
  if (event.key === "Escape") { event.target.value = ""; find(""); byId("graph").focus(); }
});
byId("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme ?? (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
});
byId("help").addEventListener("click", () => byId("keys").showModal());
for (const button of document.querySelectorAll("[data-zoom]"))
  button.addEventListener("click", () => ({ in: () => graph.zoom(graph.scale * 1.25), out: () => graph.zoom(graph.scale / 1.25), fit: () => graph.fit() })[button.dataset.zoom]());

document.addEventListener("click", (event) => {
  if (!model) return;
  const anchor = event.target.closest("a[data-go]");
  if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  select(Number(anchor.dataset.go));
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog") || blank) return;
  const near = selected === null ? null : model.neighbours(selected);
  const step = (list) => { if (list?.length) select(list[0]); };
  const act = {
    "/": () => byId("find").focus(), "?": () => byId("keys").showModal(), f: () => fold(selected), Escape: () => select(null),
    "+": () => graph.zoom(graph.scale * 1.25), "-": () => graph.zoom(graph.scale / 1.25), 0: () => graph.fit(),
    ArrowUp: near && (() => step(near.above)), ArrowDown: near && (() => step(near.below)),
    ArrowLeft: near && (() => select(Math.max(0, selected - 1))), ArrowRight: near && (() => select(Math.min(layers.length - 1, selected + 1))),
    Enter: () => { const box = event.target.closest?.("[data-box]"); if (box) box.dispatchEvent(new MouseEvent("click", { bubbles: true })); },
  }[event.key];
  if (!act || (event.key === "Enter" && !event.target.closest?.("[data-box]"))) return;
  event.preventDefault();
  act();
});

function fromAddress() {
  if (blank) return;
  const wanted = new Map(location.hash.slice(1).split("&").map((part) => part.split("=")));
  if (!wanted.has("layer")) return;
  let name;
  try { name = decodeURIComponent(wanted.get("layer") ?? ""); } catch { return; }
  const line = Number(wanted.get("line"));
  const index = line ? layers.findIndex((layer) => layer.name === name && layer.line === line) : model.byName.get(name) ?? -1;
  if (index >= 0) select(index);
}
addEventListener("hashchange", fromAddress);
addEventListener("beforeprint", () => { table?.complete(); for (const name of [...waiting.keys()]) fill(name); });
addEventListener("resize", () => model && tab(document.body.dataset.tab));

/** Where the layer that was chosen stands now: the one of its name, or, of a file in which as many layers are, the one in its place. */
function stays({ selected: at, layers: old, file }) {
  const { name } = old[at], same = file === analysis.file && old.length === layers.length;
  if (same && layers[at].name === name) return at;
  return model.byName.get(name) ?? (same ? at : null);
}

/** Show a state of the net (report/page/__init__.py `page_data`). anew: it is not the net that was shown before. */
export function show(given, anew = false) {
  const first = !model, before = model && !anew && { selected, layers, file: analysis.file, folded: model.folded };
  model = new Model(given);
  blank = false;
  for (const id of ASKING) byId(id).disabled = false;
  ({ analysis, view, data, layers } = model);
  if (before) {
    model.folded = new Set([...before.folded].filter((name) => name in data.blocks));
    selected = before.selected === null ? null : stays(before);
  } else selected = null;
  if (!first) model.color = byId("color").value;
  else byId("color").append(...Object.keys(data.colors).map((name) => element("option", { value: name }, name)));
  if (first || anew) {
    table = new TableView(fresh("pane-layers"), choose, link);
    graph = new GraphView(fresh("graph"), choose);
  }
  const wide = before ? 0 : graph.host.clientWidth || byId("pane-graph").parentElement.clientWidth; // where only one pane is in sight
  table.show(model);
  graph.model = model;
  text = makeText(model, choose);
  parts = [graph, table, text];
  waiting = new Map([
    ["memory", () => {
      const memory = new MemoryView(model, fresh("pane-memory"), choose);
      memory.select(selected);
      parts.push(memory);
    }],
    ["shares", () => sharesView(model, fresh("pane-shares"))],
  ]);
  fill(document.body.dataset.tab);
  byId("tab-changes").hidden = !data.changes;
  if (data.changes) byId("pane-changes").replaceChildren(...changesView(data.changes.report, (sign, line) => {
    const layer = sign === "-" ? -1 : layers.findIndex((one) => one.line === line);
    return layer < 0 ? null : () => select(layer);
  }));
  const messages = messagesView(model, fresh("pane-messages"), toLine);
  byId("tab-messages").textContent = `Messages${messages ? ` (${messages})` : ""}`;
  byId("net").textContent = visible(analysis.net) || "(unnamed net)";
  byId("facts").textContent = [...(data.changes?.facts ?? [visible(analysis.file)]), `phase ${analysis.phase}`, layerCount(layers.length), `${human(analysis.totals.params)} params`,
    `${human(analysis.totals.madds)} madds`, `peak ${humanBytes(model.peak)}`, ...(view.errors.length ? ["not finished"] : []), ...(analysis.complete ? [] : ["incomplete"])].join(" · ");
  if (before) {
    hits = model.matching(byId("find").value);
    colour(model.color, false);
    find(byId("find").value);
    showLayer(selected);
    for (const part of parts) if (part !== graph) part.select(selected, false);
    keepAddress(selected);
    return;
  }
  const writing = document.body.dataset.tab === "text" && byId("tab-text").offsetParent;
  if (!writing) tab("graph");
  hits = model.matching(byId("find").value);
  colour(model.color);
  find(byId("find").value);
  showLayer(null);
  settle(wide);
  fromAddress();
  if (view.errors.length && !writing) tab("messages");
  document.documentElement.dataset.ready = "";
}
