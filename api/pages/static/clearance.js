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
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => source?.close());
  listen();
}

// After an act, the focus is where its outcome is told.
(document.querySelector("#problems") ?? document.querySelector("#said"))?.focus();
