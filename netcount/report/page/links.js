// Texts in addresses, addresses of texts, and bytes as netcount/core/files.py reads them.

/** Bytes as a text; those that are no UTF-8 become surrogates, as in Python. */
export function decoded(bytes) {
  const reader = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const part = (from, to) => { try { return reader.decode(bytes.subarray(from, to)); } catch { return null; } };
  const whole = part(0, bytes.length);
  if (whole !== null) return whole;
  let text = "", from = 0;
  for (let at = 0; at < bytes.length; ) {
    const size = bytes[at] < 0x80 ? 1 : [2, 3, 4].find((size) => at + size <= bytes.length && part(at, at + size) !== null);
    if (size) { at += size; continue; }
    text += part(from, at) + String.fromCharCode(0xdc00 + bytes[at]);
    from = ++at;
  }
  return text + part(from, bytes.length);
}

/** The bytes of such a text. */
export function encoded(text) {
  return new Blob(text.split(/((?<![\uD800-\uDBFF])[\uDC80-\uDCFF])/).map((part, index) => (index % 2 ? new Uint8Array([part.charCodeAt(0) - 0xdc00]) : part)));
}

/** A text as it stands in an address: compressed, in letters that need no escape. */
export async function packed(text) {
  const bytes = new Uint8Array(await new Response(encoded(text).stream().pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer());
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The text of an address; an error where it holds none, or one of more than `most` bytes. */
export async function unpacked(letters, most) {
  try {
    const bytes = Uint8Array.from(atob(letters.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
    const pieces = [];
    let size = 0;
    for await (const piece of new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))) {
      size += piece.length;
      if (size > most) throw new RangeError();
      pieces.push(piece);
    }
    return decoded(new Uint8Array(await new Blob(pieces).arrayBuffer()));
  } catch (failure) {
    throw new Error(failure instanceof RangeError ? "the text in the address is too large for a prototxt" : "the address holds no text that can be read");
  }
}

/** Where the text itself is that a page of GitHub's shows; of a gist with several files its document, and `pick`, which takes one of it. */
export function rawAddress(given, base) {
  let address;
  try { address = new URL(given, base); } catch { throw new Error(`${given} is no address`); }
  if (address.protocol !== "https:" && address.origin !== new URL(base).origin) throw new Error(`${given}: only addresses that begin with https can be read`);
  const parts = address.pathname.split("/").filter(Boolean);
  if (address.hostname === "github.com" && ["blob", "raw", "blame"].includes(parts[2]) && parts.length > 4)
    return { address: `https://raw.githubusercontent.com/${[...parts.slice(0, 2), ...parts.slice(3)].join("/")}` };
  if (address.hostname === "gist.github.com" && parts.length) {
    const [id, version] = /^[0-9a-f]{20,}$/.test(parts[0]) ? parts : parts.slice(1), slug = /^#file-(.+)$/.exec(address.hash)?.[1];
    if (!id) throw new Error(`${given}: this is no gist`);
    const pick = ({ files }) => {
      const all = Object.values(files), named = (file) => file.filename.toLowerCase().replace(/[^a-z0-9_]+/g, "-") === slug;
      return (slug && all.find(named)) || all.find((file) => file.filename.endsWith(".prototxt")) || all[0];
    };
    return { address: `https://api.github.com/gists/${id}${/^[0-9a-f]{20,}$/.test(version ?? "") ? `/${version}` : ""}`, pick };
  }
  return { address: address.href };
}
