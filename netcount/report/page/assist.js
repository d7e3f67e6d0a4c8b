// What can stand where the caret is, and what a word means: from Caffe's schema, the layer types and the net's own blobs.

import { LINE, TOP } from "./editor.js";
import { element, visible } from "./format.js";

const PIECE = /#.*|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[A-Za-z_][\w.]*|[{}<>]|[^\s]/g;
const MOST = 12;

/** Where an offset of a text is: the messages around it, the field before it, the word at it, whether it is in a string. */
export function placeAt(text, offset) {
  const stack = [];
  let name = "", field = "", last = "", quoted = false, start = offset, comment = false;
  for (const match of text.slice(0, offset).matchAll(PIECE)) {
    const [piece] = match, end = match.index + piece.length;
    quoted = comment = false;
    if (piece[0] === "#") { comment = end === offset; continue; }
    if (piece === "{" || piece === "<") { stack.push(name); name = field = ""; }
    else if (piece === "}" || piece === ">") { stack.pop(); name = field = ""; }
    else if (piece === ":") field = name;
    else if (/^["']/.test(piece)) {
      quoted = end === offset && (piece.length === 1 || piece.at(-1) !== piece[0]);
      if (quoted) start = match.index + 1;
      else if (end < offset) field = "";
    } else if (/^[A-Za-z_]/.test(piece)) {
      if (end === offset) start = match.index;
      else if (field) field = "";
      if (!field) name = piece;
    } else if (field && end < offset) field = /^[\s\d.+-]/.test(piece) ? (/\s/.test(text[end] ?? "") ? "" : field) : field;
    last = piece;
  }
  return { stack, field, quoted, comment, start, word: text.slice(start, offset), last };
}

export class Assist {
  constructor(editor, words) {
    Object.assign(this, { editor, words, chosen: 0, choices: [] });
    const { area, host } = editor, id = `choices-${Assist.count = (Assist.count ?? 0) + 1}`;
    this.list = element("ul", { class: "choices", role: "listbox", id, "aria-label": "What can stand here", hidden: true });
    this.tip = element("div", { class: "tip", role: "tooltip", hidden: true });
    host.append(this.list, this.tip);
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", id);
    area.addEventListener("input", (event) => (event.inputType === "insertText" || event.inputType === "deleteContentBackward") && !this.filling ? this.open(false) : this.close());
    area.addEventListener("keydown", (event) => this.key(event), true);
    area.addEventListener("blur", () => { this.close(); this.tip.hidden = true; });
    area.addEventListener("click", () => this.close());
    area.addEventListener("mousemove", (event) => this.hover(event));
    area.addEventListener("mouseleave", () => { this.tip.hidden = true; });
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const item = event.target.closest("li");
      if (item) this.take(this.choices[[...this.list.children].indexOf(item)]);
    });
  }

  /** The message type that a place is in; undefined where the schema does not know it. */
  messageOf(stack) {
    return stack.reduce((type, name) => {
      const field = this.words.messages[type]?.[name];
      return field?.[0] === "message" ? field[1] : undefined;
    }, this.words.root);
  }

  /** What can stand at a place: [text, what is written, what it is]. */
  choicesAt(place) {
    const message = this.messageOf(place.stack), fields = this.words.messages[message];
    if (!fields || place.comment) return [];
    if (!place.field) {
      if (place.quoted) return [];
      return Object.entries(fields).map(([name, [kind, type, repeated, preset, meaning]]) =>
        [name, kind === "message" ? `${name} {` : `${name}: `, meaning || (kind === "message" || kind === "enum" ? type : kind)]);
    }
    const [kind, type] = fields[place.field] ?? [];
    if (kind === "enum" && !place.quoted) return (this.words.enums[type] ?? []).map((value) => [value, value, ""]);
    if (kind === "bool" && !place.quoted) return [["true", "true", ""], ["false", "false", ""]];
    if (!place.quoted) return [];
    if (message === this.words.layer && place.field === "type") return Object.entries(this.words.types).map(([name, about]) => [name, name, about]);
    if (["bottom", "top"].includes(place.field)) {
      const before = this.editor.text.slice(0, place.start);
      const names = new Set([...before.matchAll(/\b(?:top|input):\s*(?:"([^"\n]*)"|'([^'\n]*)')/g)].map((match) => match[1] ?? match[2]));
      return [...names].reverse().map((name) => [name, name, ""]);
    }
    return [];
  }

  open(asked) {
    const { area } = this.editor, place = placeAt(this.editor.text, area.selectionStart), word = place.word.toLowerCase();
    const fits = !asked && !word && !place.quoted ? [] : this.choicesAt(place);
    const rank = ([name]) => (name.toLowerCase().startsWith(word) ? 0 : name.toLowerCase().includes(word) ? 1 : 2);
    this.choices = fits.filter((one) => rank(one) < 2).sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
    if (!this.choices.length || (!asked && this.choices.some(([name]) => name === place.word))) { this.close(); return; }
    Object.assign(this, { place, chosen: 0 });
    this.list.replaceChildren(...this.choices.map(([name, , about], number) =>
      element("li", { role: "option", id: `${this.list.id}-${number}`, "aria-selected": String(number === 0) }, element("b", {}, visible(name)), about ? ` ${visible(about)}` : "")));
    this.put(this.list, place.start);
    this.mark(0);
  }

  close() {
    this.list.hidden = true;
    this.editor.area.removeAttribute("aria-activedescendant");
  }

  mark(number) {
    this.chosen = number;
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === number)));
    this.list.children[number].scrollIntoView({ block: "nearest" });
    this.editor.area.setAttribute("aria-activedescendant", this.list.children[number].id);
  }

  take([, written]) {
    const { area } = this.editor, { start } = this.place, end = area.selectionStart;
    const after = /^\s*[:{]/.test(this.editor.text.slice(end)) ? written.replace(/\s*[:{]\s*$/, "") : written;
    this.filling = true;
    this.editor.replace(start, end, after);
    this.filling = false;
    this.close();
  }

  key(event) {
    const stop = () => { event.preventDefault(); event.stopImmediatePropagation(); };
    if (event.key === " " && event.ctrlKey) { stop(); this.open(true); return; }
    if (event.key === "F1") { stop(); this.explain(this.editor.area.selectionStart); return; }
    if (event.key === "Escape" && !this.tip.hidden) this.tip.hidden = true;
    if (this.list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { stop(); this.mark((this.chosen + step + this.choices.length) % this.choices.length); }
    else if (event.key === "Enter" || event.key === "Tab") { stop(); this.take(this.choices[this.chosen]); }
    else if (event.key === "Escape") { stop(); this.close(); }
    else if (/^(Arrow|Home|End|Page)/.test(event.key)) this.close();
  }

  /** Show something under an offset of the text. */
  put(box, offset) {
    const { editor } = this, before = editor.text.slice(0, offset), line = editor.reveal(before.split("\n").length);
    if (!line) return;
    let column = offset - before.lastIndexOf("\n") - 1, left = 62;
    const walk = document.createTreeWalker(line.firstChild, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      if (column <= node.length) {
        const range = document.createRange();
        range.setStart(node, column);
        range.setEnd(node, column);
        left = range.getBoundingClientRect().left - editor.host.getBoundingClientRect().left;
        break;
      }
      column -= node.length;
    }
    box.hidden = false;
    const scroller = editor.host.parentElement, below = line.offsetTop + LINE;
    box.style.left = `${Math.max(0, Math.min(left, scroller.scrollLeft + scroller.clientWidth - box.offsetWidth - 6))}px`;
    const over = below + box.offsetHeight > scroller.scrollTop + scroller.clientHeight && line.offsetTop - box.offsetHeight > scroller.scrollTop;
    box.style.top = `${over ? line.offsetTop - box.offsetHeight : below}px`;
  }

  /** What the word at an offset is, in a line; nothing where the schema says nothing. */
  meaning(offset) {
    const { text } = this.editor, end = offset + /^[\w.]*/.exec(text.slice(offset))[0].length;
    const place = placeAt(text, end), message = this.messageOf(place.stack), fields = this.words.messages[message];
    if (!place.word || place.comment || !fields) return null;
    if (place.quoted) {
      const about = message === this.words.layer && place.field === "type" ? this.words.types[place.word] : undefined;
      return about ? [place.start, `${place.word}: ${about}`] : null;
    }
    if (place.field) return null;
    const field = fields[place.word];
    if (!field) return null;
    const [kind, type, repeated, preset, meaning] = field;
    const facts = [`${place.word}: ${kind === "message" || kind === "enum" ? type : kind}${repeated ? ", repeated" : ""}`];
    if (meaning) facts.push(meaning);
    if (preset !== null && !repeated && kind !== "message") facts.push(`default ${kind === "string" ? JSON.stringify(preset) : preset}`);
    if (kind === "enum") facts.push(`one of ${this.words.enums[type].join(", ")}`);
    return [place.start, facts.join(" · ")];
  }

  explain(offset) {
    const told = this.meaning(offset);
    this.tip.hidden = !told;
    if (!told) return;
    this.tip.textContent = visible(told[1]);
    this.put(this.tip, told[0]);
  }

  hover(event) {
    const { editor } = this, box = editor.mirror.getBoundingClientRect(), number = Math.floor((event.clientY - box.top - TOP) / LINE);
    const line = editor.shown.get(number)?.line, at = `${number} ${event.clientX}`;
    if (at === this.at) return;
    this.at = at;
    if (!line || !this.list.hidden) { this.tip.hidden = true; return; }
    let start = editor.offset(number + 1, 1);
    const walk = document.createTreeWalker(line.firstChild, NodeFilter.SHOW_TEXT), range = document.createRange();
    for (let node = walk.nextNode(); node; start += node.length, node = walk.nextNode()) {
      range.selectNodeContents(node);
      const around = range.getBoundingClientRect();
      if (event.clientX < around.left || event.clientX >= around.right) continue;
      let offset = start + Math.floor(((event.clientX - around.left) / around.width) * node.length);
      while (offset > start && /[\w.]/.test(editor.text[offset - 1])) offset--;
      this.explain(offset);
      return;
    }
    this.tip.hidden = true;
  }
}
