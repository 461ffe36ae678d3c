// What a script can add. Every page works without it.
"use strict";

const rows = () => [...document.querySelectorAll("[data-row]")];
const typing = (element) => /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

// j and k walk through a list, Enter is the link's own; other keys lead to a field.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const search = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (search) { event.preventDefault(); search.closest("details")?.setAttribute("open", ""); search.focus(); search.select?.(); return; }
  const step = { j: 1, k: -1 }[event.key];
  const all = rows();
  if (!step || !all.length) return;
  const here = all.indexOf(document.activeElement);
  const next = all[Math.min(all.length - 1, Math.max(0, here < 0 ? 0 : here + step))];
  next.focus();
  next.closest("li")?.scrollIntoView({ block: "nearest" });
});

// Ids can be copied.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const words = button.firstChild;
    await navigator.clipboard.writeText(button.dataset.copy);
    words.data = "Copied";
    setTimeout(() => { words.data = "Copy"; }, 1500);
  });
}

// Relative times stay true.
const STEPS = [[86400, "day"], [3600, "hour"], [60, "minute"]];
function relative(at) {
  const seconds = (at - Date.now()) / 1000, far = Math.abs(seconds);
  const [size, unit] = STEPS.find(([size]) => far >= size) ?? [];
  if (!unit) return seconds > 0 ? "in a moment" : "just now";
  const many = Math.floor(far / size), said = `${many} ${unit}${many === 1 ? "" : "s"}`;
  return seconds > 0 ? `in ${said}` : `${said} ago`;
}
setInterval(() => {
  for (const time of document.querySelectorAll("time[title]")) {
    const at = Date.parse(time.dateTime);
    if (Math.abs(at - Date.now()) < 60 * 86400e3) time.textContent = relative(at);
  }
}, 20000);

// What others do is told, and nothing moves under the hand. A page that is hidden does not listen.
const live = document.querySelector("[data-live]");
if (live) {
  const news = document.querySelector(".news"), told = new Set();
  let source, seen;
  const listen = () => {
    if (document.hidden) { source?.close(); source = undefined; return; }
    if (source) return;
    const address = new URL(live.dataset.live, location.href);
    if (seen) address.searchParams.set("after", seen);
    source = new EventSource(address);
    source.addEventListener("changed", (event) => {
      seen = event.lastEventId;
      news.hidden = false;
      told.add(JSON.parse(event.data).said);
      news.querySelector("span").textContent = `Changed: ${[...told].slice(-3).join("; ")}.`;
    });
    // Numbers and drawings, each where it stands: `name` is a text, `name@attribute` a shape.
    source.addEventListener("now", (event) => {
      for (const [name, value] of Object.entries(JSON.parse(event.data))) {
        const attribute = name.split("@")[1];
        for (const one of document.querySelectorAll(`[data-now="${CSS.escape(name)}"]`)) {
          if (attribute) one.setAttribute(attribute, value); else one.textContent = value;
        }
      }
    });
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => source?.close());
  listen();
}

// A form is looked at by the server while it is filled in; only what stands beside it changes.
const asked = document.querySelector("[data-check]");
if (asked) {
  const part = asked.getAttribute("data-check");  // a field of the form is called dataset
  let waiting, turn = 0;
  const look = async (address) => {
    const mine = ++turn, body = new URLSearchParams(new FormData(asked));
    asked.querySelector(part).setAttribute("aria-busy", "true");
    const answer = await fetch(address, { method: "POST", body, headers: { "X-Part": "1" } }).catch(() => null);
    const text = await answer?.text(), seen = asked.querySelector(part);
    const found = text && new DOMParser().parseFromString(text, "text/html").querySelector(part);
    if (mine !== turn) return;
    seen.removeAttribute("aria-busy");
    if (found) seen.replaceWith(found);
  };
  const check = asked.querySelector("[data-part]").formAction;
  asked.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, 700, check); });
  for (const button of asked.querySelectorAll("[data-part]")) {
    button.addEventListener("click", (event) => { event.preventDefault(); clearTimeout(waiting); look(button.formAction); });
  }
  asked.querySelector("[data-resend]").addEventListener("change", () => asked.requestSubmit(asked.querySelector("button")));
}

// An export is watched where it is told.
for (const place of document.querySelectorAll("[data-progress]")) {
  const source = new EventSource(place.dataset.progress);
  source.addEventListener("progress", (event) => {
    const { progress: p, state } = JSON.parse(event.data), bar = place.querySelector("progress");
    if (bar && p.shards.total) { bar.max = p.shards.total; bar.value = p.shards.done; }
    const told = place.querySelector("[data-of]");
    if (told) told.textContent = p.shards.done.toLocaleString("en").replaceAll(",", "\u202f");
    if (state !== "running") source.close();
  });
  addEventListener("pagehide", () => source.close());
}

// After an act, the focus is where its outcome is told.
(document.querySelector("#problems") ?? document.querySelector("#said"))?.focus();
