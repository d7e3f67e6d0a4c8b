// The page that edits: texts go to what answers for them (serve.js, site.js), figures and mistakes come back.

import { element, human, percent, visible } from "./format.js";
import { panelAgain, replaceText, show, showNothing, tab } from "./main.js";
import { Editor } from "./editor.js";
import { Assist } from "./assist.js";
import { changesView } from "./table.js";

const byId = (id) => document.getElementById(id);
const plain = (text) => text.replace(/\r\n?/g, "\n");
export const boot = JSON.parse(byId("data").textContent);
let current = 0, connected = true, note = "", source;
const post = (way, content) => source.post(way, content, files.map((file) => file.name));

/** The figures of a text, which come without it. */
function figures(data, text) {
  data.view.text = text;
  return data;
}

/** A file of the page: its name and text, what it had been (`base`), its figures where they are known already, and with which options (`counted`). */
function fileOf(given, index) {
  const file = { index, name: given.name, base: { text: plain(given.text), stamp: given.stamp }, options: given.options ?? [], counted: given.options ?? [], problems: [],
    data: given.data ? figures(given.data, plain(given.text)) : null, right: Boolean(given.data), waiting: null, given };
  const editor = new Editor(file.base.text, given.name, () => { note = ""; unscaled(file); ask(file); state(); });
  return Object.assign(file, { editor, assist: new Assist(editor, boot.words) });
}
const files = boot.files.map(fileOf);
export const here = () => files[current];
export const unsaved = (file) => file.editor.text !== file.base.text;

// What the page has more than that of a file.
const saveButton = element("button", { id: "save", type: "button" }, "Save");
const stateText = element("output", { id: "state", "aria-live": "polite" });
byId("tools").prepend(stateText, saveButton);
const fileTabs = element("nav", { id: "files", role: "tablist", "aria-label": "Files" });
const chips = element("div", { id: "options", "aria-label": "Options in use" });
byId("tabs").before(fileTabs, chips);
const budget = element("div", { id: "budget", role: "group", tabindex: "0", "aria-label": "Limits of netcount.toml" });
const widths = element("input", { type: "range", min: 0.1, max: 2, step: 0.05, value: 1, "aria-label": "Width" });
const sizes = element("input", { type: "range", min: 16, step: 1, "aria-label": "Resolution" });
const [widthText, sizeText, scaled, put] = [element("output"), element("output"), element("output", { id: "scaled", "aria-live": "polite" }), element("button", { type: "button", disabled: true }, "Put into the text")];
const scales = element("details", { id: "scales" }, element("summary", {}, "Width and resolution"), element("div", {},
  element("label", {}, "Width ", widths), widthText, element("label", {}, "Resolution ", sizes), sizeText, scaled, put));
byId("tabs").before(budget, scales);
const changes = boot.diff ? element("details", { id: "diff", open: true }, element("summary", {}, `What ${visible(boot.files[1].name)} changes of ${visible(boot.files[0].name)}`)) : null;
const changed = element("div");
if (changes) { changes.append(changed); byId("middle").prepend(changes); }
const pane = byId("pane-text"), banner = element("div", { id: "banner", role: "alert" }), scroller = element("div", { id: "scroller" }), faults = element("div", { id: "problems", "aria-live": "polite" });
pane.removeAttribute("tabindex");
pane.replaceChildren(banner, scroller, faults);
scroller.addEventListener("scroll", () => here().editor.seen(), { passive: true });
new ResizeObserver(() => here()?.editor.seen()).observe(scroller);
byId("keys").querySelector("dl").append(element("dt", {}, "s, Ctrl-S"), element("dd", {}, "save the file"), element("dt", {}, "Esc, then Tab"), element("dd", {}, "leave the text"),
  element("dt", {}, "Ctrl-Space"), element("dd", {}, "what can stand at the caret"), element("dt", {}, "F1"), element("dd", {}, "what the word at the caret means"));

/** Ask about a file's text; while an answer is on its way, the last text waits. */
async function ask(file) {
  if (file.asking) { file.again = true; return; }
  file.asking = true;
  do {
    file.again = false;
    const { text } = file.editor, options = [...file.options];
    let answer;
    try {
      answer = await post("answer", { file: file.index, text, options, partial: !file.right });
      connected = true;
    } catch {
      connected = false;
      break;
    }
    if (answer.error) { answer.errors = [{ place: null, message: answer.error, fixes: [] }]; answer.data = null; }
    file.problems = answer.errors;
    if (answer.data) file.budget = answer.budget;
    file.answered = text;
    if (answer.data) {
      file.data = figures(answer.data, text);
      file.counted = options;
      file.right = !answer.errors.length;
    }
    if (file === here()) draw(Boolean(answer.data));
    if (changes && answer.data) compare();
  } while (file.again);
  file.asking = false;
  state();
  requestAnimationFrame(() => setTimeout(() => reasons(file))); // once that is painted
}

/** How the figures of a file come about, which takes as long as all else: asked when nobody waits for that. */
async function reasons(file) {
  const { data, counted: options } = file;
  if (!connected || file.asking || !data || data.formulas) return;
  const answer = await post("reasons", { file: file.index, text: data.view.text, options }).catch(() => null);
  if (!answer || answer.error) return;
  Object.assign(data, { rules: answer.rules, formulas: answer.formulas, fields: answer.fields });
  if (file === here() && file.data === data) panelAgain();
}

/** Show a file: its last good picture, and the mistakes of its text. */
function draw(again) {
  const file = here();
  document.body.classList.toggle("no-picture", !file.data);
  if (file.data && again) { show(file.data, !file.shown); file.shown = true; }
  if (!file.data) {
    showNothing();
    if (file.answered !== undefined) tab("text");
    byId("net").textContent = visible(file.name);
    byId("facts").textContent = file.answered === undefined ? "" : "cannot be read";
    if (file.answered !== undefined || source.copies) document.documentElement.dataset.ready = "";
  }
  file.editor.mark(file.problems, file.answered);
  const old = file.data && file.problems.length && file.right;
  document.body.classList.toggle("old-picture", Boolean(old));
  faults.replaceChildren(...(file.problems.length
    ? [element("p", {}, `${file.problems.length === 1 ? "1 mistake" : `${file.problems.length} mistakes`}${old ? "; the picture is of the last text that was right" : ""}`),
       element("ul", {}, ...file.problems.map((problem) => problemItem(file, problem)))] : []));
  budget.replaceChildren(...(file.budget ?? []).map(limitBar));
  if (again) original();
  chips.replaceChildren(...file.options.map((option, number) => {
    const button = element("button", { type: "button", "aria-label": `Without ${option.join(" ")}` }, `${visible(option.join(" "))} ×`);
    button.addEventListener("click", () => { file.options.splice(number, 1); file.right = false; ask(file); });
    return button;
  }));
}

function limitBar({ text, share, passed, level, about }) {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${Math.min(100, 100 * share)}%`;
  return element("span", { class: passed ? "limit" : `limit over ${level}`, title: visible(about) }, fill, element("span", {}, `${passed ? "" : "over: "}${visible(text)}`));
}

/** The sliders as the text is; the side of the images is that of the first blob that has one. */
function original() {
  const file = here(), row = file.data?.view.analysis.layers.find((layer) => layer.tops[0]?.shape.length === 4);
  file.side = row ? row.tops[0].shape.slice(2) : null;
  sizes.disabled = !file.side;
  if (file.side) { sizes.min = Math.min(16, file.side[0]); sizes.max = 2 * file.side[0]; sizes.value = file.side[0]; }
  widths.value = 1;
  slid();
}

function slid() {
  const { side } = here(), same = !side || Number(sizes.value) === side[0];
  const high = Number(sizes.value), wide = side && !same ? Math.max(1, Math.round((high * side[1]) / side[0])) : 0;
  widthText.textContent = `×${Number(widths.value).toFixed(2)}`;
  sizeText.textContent = !side ? "" : same ? side.join("×") : `${high}×${wide}`;
  if (Number(widths.value) === 1 && same) { unscaled(here()); return; }
  put.disabled = true;
  here().scaled = null;
  rescale({ width: widths.value, resolution: same ? null : `${high}x${wide}` });
}

/** What the second text changes of the first, as `netcount compare` tells it; the last one that can be told stays. */
async function compare() {
  compare.again = true;
  if (compare.asking) return;
  compare.asking = true;
  while (compare.again) {
    compare.again = false;
    const nets = files.map((file) => ({ file: file.index, text: file.editor.text, options: file.options }));
    const answer = await post("compare", { nets }).catch(() => ({}));
    if (answer.parts) changed.replaceChildren(...changesView(answer.parts, toLayer));
  }
  compare.asking = false;
}

/** What leads to a layer, in the file that has it. */
const toLayer = (sign, line) => () => {
  open(sign === "-" ? 0 : 1);
  const file = here(), layer = file.data?.view.layers.findIndex((one) => one.line === line) ?? -1;
  if (layer >= 0) file.editor.choose(layer);
};

/** No other size of the net is wished for any more: the sliders are back, or the text has gone on. */
function unscaled(file) {
  file.wish = file.scaled = null;
  if (file !== here()) return;
  put.disabled = true;
  scaled.textContent = "";
}

/** What the net would be; of several wishes the last one counts. */
async function rescale(wish) {
  const file = here();
  file.wish = wish;
  if (file.rescaling) return;
  file.rescaling = true;
  let asked;
  do {
    asked = file.wish;
    const { text } = file.editor, answer = await post("rescale", { file: file.index, text, options: file.options, ...asked }).catch(() => ({ error: source.gone() }));
    if (file !== here() || file.wish !== asked) continue;
    scaled.textContent = answer.error ? visible(answer.error)
      : ["params", "madds"].map((name) => `${human(answer.now[name])} ${name} (${percent(answer.now[name], answer.before[name])})`).join(", ");
    file.scaled = answer.error ? null : answer.text;
    put.disabled = !file.scaled;
  } while (file.wish && file.wish !== asked);
  file.rescaling = false;
}

function problemItem(file, { place, message, fixes }) {
  const item = element("li");
  if (place?.line) {
    const anchor = element("a", { href: "#" }, `line ${place.line}`);
    anchor.addEventListener("click", (event) => { event.preventDefault(); tab("text"); file.editor.go(place.line, file.answered.split("\n")); });
    item.append(anchor, ": ");
  }
  item.append(visible(message));
  for (const fix of fixes) item.append(" ", fixButton(file, fix));
  return item;
}

function fixButton(file, { title, edit, options }) {
  const button = element("button", { type: "button", class: "fix" }, visible(title));
  const apply = (chosen) => {
    file.options = [...file.options.filter(([option, value]) => !chosen.some(([o, v]) => o === option && v.split("=")[0] === value.split("=")[0])), ...chosen];
    ask(file);
  };
  button.addEventListener("click", () => {
    if (edit) {
      if (file.answered !== file.editor.text) return; // the text has gone on
      const start = file.editor.offset(edit.line, edit.column);
      file.editor.replace(start, file.editor.offset(edit.line, edit.column + edit.length), edit.by);
      return;
    }
    const open = options.findIndex(([, value]) => blank(value));
    if (open < 0) { apply(options); return; }
    const [option, value] = options[open], at = value.lastIndexOf("=") + 1;
    const input = element("input", { "aria-label": `${option} ${value.slice(0, at)}`, placeholder: value.slice(at) });
    const form = element("form", { class: "fix" }, element("label", {}, visible(`${option} ${value.slice(0, at)}`), input), element("button", {}, "Apply"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input.value.trim()) apply(options.map((one, number) => (number === open ? [option, value.slice(0, at) + input.value.trim()] : one)));
    });
    button.replaceWith(form);
    input.focus();
  });
  return button;
}

/** Whether a value has words in capitals that only the user knows: N,C,H,W. */
const blank = (value) => /(^|=)[A-Z]+(,[A-Z\d]+)*$/.test(value) && !/^(TEST|TRAIN)$/.test(value);

function state() {
  const file = here(), changed = unsaved(file);
  saveButton.disabled = !changed && !source.copies;
  stateText.textContent = !connected ? `${source.gone()}; the text is still here` : note || (changed ? "not saved" : "");
  document.title = `${files.some(unsaved) ? "● " : ""}${visible(file.name)} · netcount`;
  [...fileTabs.children].forEach((button, index) => {
    button.textContent = `${visible(files[index].name)}${unsaved(files[index]) ? " ●" : ""}`;
    button.setAttribute("aria-selected", String(index === current));
    button.tabIndex = index === current ? 0 : -1;
  });
  banner.replaceChildren(...(file.waiting ? question(file) : []));
}

/** The file has changed on the disk, and so has the text here. */
function question(file) {
  const { text, problem } = file.waiting;
  if (text === null) return [element("p", {}, `The file cannot be read any more: ${visible(problem)}. Saving writes it again.`)];
  const take = element("button", { type: "button" }, "Take the file's"), keep = element("button", { type: "button" }, "Keep this text");
  take.addEventListener("click", () => { const { waiting } = file; settled(file); file.editor.become(plain(waiting.text)); note = "the file's text; undo brings yours back"; state(); });
  keep.addEventListener("click", () => { settled(file); state(); });
  return [element("p", {}, "The file has changed on the disk, and so has the text here."), take, keep];
}

function settled(file) {
  file.base = { text: plain(file.waiting.text), stamp: file.waiting.stamp };
  file.waiting = null;
}

/** Another state of a file on the disk. */
function news(file, { text, stamp, problem }) {
  if (stamp === file.base.stamp) { file.waiting = null; state(); return; }
  if (text === null) {
    file.waiting = { text, problem };
    file.base = { ...file.base, stamp };
    file.base.text = "\u0000"; // nothing that a text can be: it is not saved
  } else if (plain(text) === file.editor.text || !unsaved(file)) {
    const same = plain(text) === file.editor.text;
    file.waiting = { text, stamp };
    settled(file);
    if (!same) {
      file.editor.become(plain(text));
      note = "read again, as the file has changed";
    }
  } else file.waiting = { text, stamp };
  state();
}

async function save() {
  const file = here(), { text } = file.editor;
  if (file.saving || (!unsaved(file) && !source.copies)) return;
  file.saving = true;
  try {
    const answer = await post("save", { file: file.index, text, stamp: file.base.stamp });
    connected = true;
    if (answer.status === 409) news(file, answer);
    else if (answer.error) note = answer.error;
    else {
      file.base = { text, stamp: answer.stamp };
      file.waiting = null;
      note = "saved";
    }
  } catch {
    connected = false;
  }
  file.saving = false;
  state();
}

export function open(index) {
  current = index;
  note = "";
  const file = here();
  scroller.replaceChildren(file.editor.host);
  scroller.scrollTop = 0;
  file.editor.seen();
  if (file.data) draw(true);
  else { draw(false); original(); ask(file); }
  state();
}

function addTab(index) {
  const button = element("button", { type: "button", role: "tab" });
  button.addEventListener("click", () => open(index));
  fileTabs.append(button);
}

/** Say something beside what can be saved. */
export function say(words) {
  note = visible(words);
  state();
}

/** Open another text: in a tab of its own, or in place of one that nobody has changed. */
export function add(given) {
  const { name } = given, same = files.findIndex((file) => file.name === name && file.given.text === given.text);
  const index = same >= 0 ? same : unsaved(here()) || here().options.length ? files.length : current;
  if (same < 0) {
    files[index] = fileOf(given, index);
    if (files.length === 2 && !fileTabs.children.length) addTab(0);
    if (index && !fileTabs.children[index]) addTab(index);
  }
  open(index);
}

replaceText((model, choose) => {
  here().editor.attach(model, choose);
  return here().editor;
});
if (files.length > 1) files.forEach((_, index) => addTab(index));
fileTabs.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  open((current + step + files.length) % files.length);
  fileTabs.children[current].focus();
});
for (const slider of [widths, sizes]) slider.addEventListener("input", slid);
put.addEventListener("click", () => { if (here().scaled) here().editor.become(plain(here().scaled)); });
saveButton.addEventListener("click", save);
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, dialog");
  const saves = event.key.toLowerCase() === "s" && !event.altKey && (event.ctrlKey || event.metaKey || !typing);
  if (!saves) return;
  event.preventDefault();
  save();
}, true);
addEventListener("beforeunload", (event) => { if (files.some(unsaved)) event.preventDefault(); });

/** Begin. given: `post`, which answers (answer, rescale, compare, save); `gone`, why it no longer does; `copies`, whether what was not changed
    can be saved too; `follow`, which is told what takes news of files and what takes that nothing more will come. closed: no file is opened yet. */
export function start(given, closed = false) {
  source = given;
  source.follow((index, said) => { connected = true; news(files[index], said); }, () => { connected = false; state(); });
  if (!closed) open(0);
}
