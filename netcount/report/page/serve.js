// The page of `netcount serve`: the server that gave the page answers, and tells what happens to the files.

import { start } from "./live.js";

const headers = { "X-Netcount": "1", "Content-Type": "application/json" };

start({
  gone: () => "netcount serve has ended",
  async post(way, content) {
    const answer = await fetch(`/${way}`, { method: "POST", headers, body: JSON.stringify(content) });
    return { status: answer.status, ...(await answer.json()) };
  },
  follow(news, end) {
    const events = new EventSource("/events");
    events.addEventListener("message", (event) => { const said = JSON.parse(event.data); news(said.file, said); });
    events.addEventListener("end", () => { events.close(); end(); });
    events.addEventListener("error", end);
  },
});
