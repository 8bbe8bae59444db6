// The booking form: people to choose from. Everything else is htmx.
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
