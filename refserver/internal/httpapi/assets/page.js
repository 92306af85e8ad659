// Draws the page anew every two seconds: the server renders it, this swaps the main part. Opened details stay open, tables
// stay where they were scrolled to, the focus stays where it was, and nothing moves while the page is hidden or text in it
// is marked.
"use strict";
const table = (e) => e.closest("table")?.id ?? e.querySelector("table")?.id;
const row = (e) => e.closest("tr")?.firstElementChild?.textContent;
const key = (e) => `${table(e)}|${row(e)}`; // the same element in two drawings
const all = (main, what) => [...main.querySelectorAll(what)];
async function refresh() {
  const marked = getSelection();
  const main = document.getElementById("main");
  if (document.hidden || (marked && !marked.isCollapsed && main.contains(marked.anchorNode))) return;
  try {
    const answer = await fetch("/", { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    const open = new Set(all(main, "details[open]").map(key));
    for (const d of all(next, "details")) if (open.has(key(d))) d.open = true;
    const left = new Map(all(main, ".wide").map((w) => [key(w), [w.scrollLeft, w.scrollTop]]));
    const held = main.contains(document.activeElement) ? document.activeElement : null;
    main.replaceWith(next);
    for (const w of all(next, ".wide")) [w.scrollLeft, w.scrollTop] = left.get(key(w)) ?? [0, 0];
    if (held) all(next, held.tagName).find((e) => e.className === held.className && key(e) === key(held))?.focus({ preventScroll: true });
    document.title = "idlegrid";
  } catch {
    document.title = "idlegrid (no answer)";
  }
}
setInterval(refresh, 2000);
