// A text field that offers people while somebody types.
import { send } from "./send.js";

const WAIT_MS = 150;

/** Fill *list*, a <datalist>, with the people whose name or address holds what *field* says. */
export function offerPeople(field, list) {
  let typing = 0;
  field.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(async () => {
      const { ok, body } = await send("GET", `/people?q=${encodeURIComponent(field.value)}`);
      if (ok) list.replaceChildren(...body.people.map(({ name, address }) => new Option("", `${name} <${address}>`)));
    }, WAIT_MS);
  });
  field.addEventListener("focus", () => {
    field.select();
    field.addEventListener("mouseup", (event) => event.preventDefault(), { once: true }); // which would unselect it
  });
}
