// The booking form: people to choose from, and a list that stays where it is. Everything else is htmx.
import { offerPeople } from "./people.js";

const who = document.getElementById("book-who");
if (who) offerPeople(who, document.getElementById("book-people-found"));

// What was chosen just before it was saved would be looked at while it is being saved: the answer to that would come over
// what the saving has to say.
let isSaving = false;
document.addEventListener("htmx:before:request", (event) => {
  if (event.target.id === "book-form") isSaving = true;
  else if (event.target.id === "book-look" && isSaving) event.preventDefault();
});
document.addEventListener("htmx:finally:request", (event) => { if (event.target.id === "book-form") isSaving = false; });

// The list is asked for anew with each choice; it stays where one was. With other words it begins anew.
let seenAt = 0;
document.addEventListener("scroll", ({ target }) => { if (target.id === "book-scroll") seenAt = target.scrollTop; }, true);
document.getElementById("book-q").addEventListener("input", () => { seenAt = 0; });
document.addEventListener("htmx:after:swap", () => {
  const list = document.getElementById("book-scroll");
  if (list) list.scrollTop = seenAt;
});

// A part of the list is gone to within the list; the page follows only where it has to.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".book-jumps a");
  const part = link && document.querySelector(link.getAttribute("href"));
  if (!part) return;
  event.preventDefault();
  part.parentElement.scrollTop = part.offsetTop - part.parentElement.offsetTop;
  const first = part.querySelector("label");
  first.scrollIntoView({ block: "nearest" });
  first.querySelector("input").focus({ preventScroll: true });
});
