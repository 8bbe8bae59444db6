// What every page needs: the stream of changes, toasts, menus that close, and forms that are sent once.
import { listen } from "./live.js";

if (document.body.dataset.live) listen(document.body.dataset.live);

document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// What opens below the edge of the window is brought into it.
document.addEventListener("toggle", ({ target }) => {
  if (target.matches("details.menu[open]")) target.querySelector(".menu-sheet").scrollIntoView({ block: "nearest" });
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// What somebody writes in an open menu stays: the piece around it is asked for anew once the menu is closed.
document.addEventListener("htmx:before:request", (event) => {
  const menu = event.target.dataset?.patient && event.target.querySelector("details.menu[open]");
  if (!menu) return;
  event.preventDefault();
  if (menu.dataset.awaited) return;
  menu.dataset.awaited = "yes";
  menu.addEventListener("toggle", () => {
    delete menu.dataset.awaited;
    document.body.dispatchEvent(new CustomEvent(event.target.dataset.patient));
  }, { once: true });
});

// Ctrl+K looks for a booking, on every page whose menu offers it.
document.addEventListener("keydown", (event) => {
  const entry = document.querySelector('.nav a[aria-keyshortcuts="Control+K"]');
  if (!entry || event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  const field = document.getElementById("loan-words");
  if (field) field.select();
  else location.assign(`${entry.href}#loan-words`);
});

// A page may be open for hours: what is printed tells when it was.
addEventListener("beforeprint", () => {
  const printed = document.getElementById("printed"), { lang } = document.documentElement;
  const form = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: printed.dataset.zone });
  printed.textContent = form.format();
});

// A second press of a button sends nothing while the first is on its way.
const sent = new Set();
const isPosted = (element) => element instanceof HTMLFormElement && element.getAttribute("method") === "post";

document.addEventListener(
  "submit",
  (event) => {
    if (!sent.has(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);
document.addEventListener("submit", (event) => {
  if (isPosted(event.target) && !event.defaultPrevented) sent.add(event.target);
});
document.addEventListener("htmx:before:request", (event) => {
  if (isPosted(event.target)) sent.add(event.target);
});
document.addEventListener("htmx:finally:request", (event) => sent.delete(event.target));
window.addEventListener("pageshow", () => sent.clear());
