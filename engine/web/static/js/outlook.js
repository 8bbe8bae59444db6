// Puts events where their times are. The server says minutes; the style sheet turns them into places.
// Also: choosing somebody shows their calendar at once.

const FIRST = 7 * 60;
const LAST = 20 * 60;

function place(item) {
  const start = Number(item.dataset.start), end = Number(item.dataset.end);
  const from = Math.min(Math.max(start, FIRST), LAST - 15), to = Math.max(Math.min(end, LAST), from + 30);
  item.style.setProperty("--from", (from - FIRST) / 60);
  item.style.setProperty("--hours", (to - from) / 60);
  item.style.setProperty("--lane", item.dataset.lane);
  item.style.setProperty("--lanes", item.dataset.lanes);
}

function placeAll() {
  for (const item of document.querySelectorAll(".day-events > li")) place(item);
}

const calendar = document.querySelector(".outlook-sides");
if (calendar) {
  placeAll();
  document.querySelector(".outlook").dataset.placed = "";
  new MutationObserver(placeAll).observe(calendar, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-start", "data-end", "data-lane", "data-lanes"] });
}
document.getElementById("who")?.addEventListener("change", (event) => event.target.form.requestSubmit());
