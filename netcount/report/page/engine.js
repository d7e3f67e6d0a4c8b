// The worker of the public page: Pyodide, netcount in it, and what it answers.

import { loadPyodide } from "./pyodide/pyodide.mjs";

let loaded = 0, total = 0;
const waiting = [], load = self.fetch;

/** Every piece of the engine that arrives moves the bar. */
self.fetch = async (...asked) => {
  const answer = await load(...asked);
  if (!answer.ok || !answer.body) return answer;
  const counted = new TransformStream({ transform(piece, out) { loaded += piece.length; postMessage({ share: Math.min(1, loaded / total) }); out.enqueue(piece); } });
  return new Response(answer.body.pipeThrough(counted), { status: answer.status, headers: answer.headers });
};

async function begin(given) {
  total = given.bytes;
  const archives = Promise.all(given.archives.map(async (name) => (await fetch(name)).arrayBuffer()));
  const python = await loadPyodide({ indexURL: "./pyodide/" });
  for (const archive of await archives) python.unpackArchive(archive, "zip", { extractDir: given.folder });
  self.reply = python.runPython(given.begin);
  postMessage({ ready: true });
  waiting.splice(0).forEach(answer);
}

function answer({ id, way, content, names }) {
  postMessage({ id, answer: self.reply(way, content, JSON.stringify(names)) });
}

self.addEventListener("message", ({ data }) => {
  if (data.archives) begin(data).catch((failure) => postMessage({ failed: String(failure.message ?? failure).trim().split("\n").at(-1) }));
  else if (self.reply) answer(data);
  else waiting.push(data);
});
