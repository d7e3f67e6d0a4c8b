// The public page: netcount answers in a worker of the page itself, and nothing of a text leaves it.
// Samples, files that are dropped or chosen, texts that are pasted and links open as tabs.

import { element, visible } from "./format.js";
import { save } from "./main.js";
import { add, boot, here, open, say, start } from "./live.js";
import { decoded, encoded, packed, rawAddress, unpacked } from "./links.js";

const byId = (id) => document.getElementById(id);
let engine = null, broken = "", next = 0;
const waiting = new Map(), early = [];

// The engine: what is asked before it is there waits for it.
const bar = element("progress", { max: 1, value: 0 });
const loading = element("label", { id: "loading" }, "netcount is loading ", bar);
byId("tools").prepend(loading);

function load() {
  engine = new Worker("engine.js", { type: "module" });
  engine.addEventListener("message", ({ data }) => {
    if (data.share !== undefined) bar.value = data.share;
    if (data.ready) { loading.remove(); document.documentElement.dataset.engine = ""; }
    if (data.failed) fail(data.failed);
    if (data.id !== undefined) { waiting.get(data.id).resolve(data); waiting.delete(data.id); }
  });
  engine.addEventListener("error", (event) => fail(event.message || "the engine cannot be loaded"));
  engine.postMessage(boot.engine);
  for (const message of early) engine.postMessage(message);
}
const send = (message) => (engine ? engine.postMessage(message) : early.push(message));

function fail(why) {
  broken = `netcount cannot run here: ${why}`;
  loading.replaceChildren(visible(broken));
  for (const { reject } of waiting.values()) reject(new Error(broken));
  waiting.clear();
}

function ask(way, content, names) {
  if (broken) return Promise.reject(new Error(broken));
  return new Promise((resolve, reject) => {
    waiting.set(next, { resolve, reject });
    send({ id: next++, way, content: JSON.stringify(content), names });
  }).then(({ answer }) => ({ status: 200, ...JSON.parse(answer) }));
}

/** Saving is downloading. */
function download({ text }) {
  const file = here(), { crlf } = file.given;
  save(file.name, "text/plain", encoded(crlf ? text.replaceAll("\n", "\r\n") : text));
  return { status: 200, stamp: "" };
}

// What can be opened.
function openText(name, text, more = {}) {
  if (text.length > boot.most) { say(`${name} is too large for a prototxt`); return; }
  if (text.includes("\0")) { say(`${name} holds zero bytes, so it is not a prototxt`); return; }
  add({ name, text, stamp: "", crlf: text.includes("\r\n"), ...more });
}
const openBytes = (name, bytes, more) => openText(name, decoded(bytes), more);

async function openFile(file) {
  if (file.size > boot.most) say(`${file.name} is too large for a prototxt`);
  else openBytes(file.name, new Uint8Array(await file.arrayBuffer()));
}

/** The address without what it says of a text. */
function plainAddress(hash = "") {
  history.replaceState(null, "", `${location.pathname}${hash ? `#${hash}` : ""}`);
}

async function openSample(name) {
  const answer = await fetch(`samples/${encodeURIComponent(name)}.json`);
  if (!answer.ok) throw new Error(`there is no sample ${name}`);
  const sample = await answer.json();
  openText(sample.name, sample.text, { data: sample.data });
}

async function openAddress(address) {
  const wanted = rawAddress(address, location.href);
  let answer = await fetch(wanted.address, { credentials: "omit", referrerPolicy: "no-referrer" });
  if (!answer.ok) throw new Error(`${wanted.address}: ${answer.status} ${answer.statusText}`);
  let name = decodeURIComponent(new URL(wanted.address).pathname.split("/").at(-1)) || "net.prototxt";
  if (wanted.pick) {
    const file = wanted.pick(await answer.json());
    name = file.filename;
    answer = await fetch(file.raw_url, { credentials: "omit", referrerPolicy: "no-referrer" });
  }
  openBytes(/\.\w+$/.test(name) ? name : `${name}.prototxt`, new Uint8Array(await answer.arrayBuffer()));
}

const told = (work) => work.catch((failure) => say(failure.message));

const samples = element("select", { id: "open", "aria-label": "Open" }, element("option", { value: "" }, "Open…"),
  element("option", { value: "file" }, "a file of yours"), element("option", { value: "new" }, "an empty text"),
  element("optgroup", { label: "Samples" }, ...boot.samples.map((name) => element("option", { value: `sample ${name}` }, name.replace(/\.prototxt$/, "")))));
const chooser = element("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files" });
const share = element("button", { type: "button", id: "share", title: "An address that holds the text" }, "Link");
byId("tools").prepend(samples, chooser, share);

samples.addEventListener("change", () => {
  const [kind, name] = samples.value.split(" ");
  samples.value = "";
  if (kind === "file") { chooser.click(); return; }
  plainAddress();
  if (kind === "new") { openText("net.prototxt", ""); here().editor.area.focus(); } else told(openSample(name));
});
async function openAll(files) {
  plainAddress();
  for (const file of files) await openFile(file);
}
chooser.addEventListener("change", () => { told(openAll([...chooser.files])); chooser.value = ""; });

addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
for (const end of ["dragleave", "drop"]) addEventListener(end, () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  const { files } = event.dataTransfer, text = event.dataTransfer.getData("text/plain");
  if (files.length) told(openAll([...files]));
  else if (text) { plainAddress(); openText("dropped.prototxt", text); }
});
addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text/plain");
  if (event.target.closest?.("input, textarea, dialog") || !text.trim()) return;
  event.preventDefault();
  plainAddress();
  openText("pasted.prototxt", text);
});

share.addEventListener("click", () => told((async () => {
  const file = here(), options = file.options.map((option) => `&option=${encodeURIComponent(option.join(" "))}`).join("");
  plainAddress(`text=${await packed(file.editor.text)}&name=${encodeURIComponent(file.name)}${options}`);
  const copied = await navigator.clipboard.writeText(location.href).then(() => true, () => false);
  say(copied ? "the link is copied; it holds the text" : "the address is a link that holds the text");
})()));

/** The text that the address names, in `#text=` or `?url=`; null where it names none. */
function addressed() {
  const parts = location.hash.slice(1).split("&").map((part) => part.split("="));
  const value = (name) => parts.find(([one]) => one === name)?.[1], url = new URLSearchParams(location.search).get("url");
  if (value("text") !== undefined) {
    const options = parts.filter(([one]) => one === "option").map(([, words]) => /^(\S*) (.*)$/s.exec(decodeURIComponent(words))?.slice(1)).filter(Boolean);
    return async () => openText(decodeURIComponent(value("name") ?? "") || "net.prototxt", await unpacked(value("text"), boot.most), { options });
  }
  return url ? () => openAddress(url) : null;
}

const first = addressed();
start({
  copies: true,
  gone: () => broken,
  post: async (way, content, names) => (way === "save" ? download(content) : ask(way, content, names)),
  follow() {},
}, Boolean(first));
byId("save").textContent = "Download";
if (first) first().catch((failure) => { open(0); say(failure.message); });
requestAnimationFrame(() => setTimeout(load)); // when the sample is on the screen
addEventListener("hashchange", () => { if (/(^#|&)text=/.test(location.hash)) told(addressed()()); });
