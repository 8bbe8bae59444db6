// A text field that offers people while somebody types: a combobox with a list below it, as ARIA describes one. What fits is
// found by the server, which folds accents: the browser's own list leaves out Noémie for "noemie".
import { send } from "./send.js";

const WAIT_MS = 150;

/** Fill *list*, a listbox, with the people whose name or address holds what *field* says, and let one of them be chosen. */
export function offerPeople(field, list) {
  let typing = 0, chosen = -1;

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    point(-1);
  }

  /** Mark the option that Enter takes. */
  function point(number) {
    chosen = number;
    for (const [place, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(place === chosen));
    const option = list.children[chosen];
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function take(option) {
    field.value = option.dataset.value;
    close();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function show(people) {
    list.replaceChildren(...people.map(({ name, address }, number) => {
      const option = Object.assign(document.createElement("li"), { id: `${list.id}-${number}` });
      option.setAttribute("role", "option");
      option.dataset.value = `${name} <${address}>`;
      option.append(Object.assign(document.createElement("b"), { textContent: name }), " ");
      option.append(Object.assign(document.createElement("small"), { textContent: address }));
      return option;
    }));
    close();
    if (!people.length) return;
    list.style.top = `${field.offsetTop + field.offsetHeight + 2}px`;
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    list.scrollIntoView({ block: "nearest" });
  }

  field.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(async () => {
      const words = field.value;
      const { ok, body } = await send("GET", `/people?q=${encodeURIComponent(words)}`);
      if (ok && words === field.value && document.activeElement === field) show(body.people);
    }, WAIT_MS);
  });
  field.addEventListener("keydown", (event) => {
    if (list.hidden || event.altKey || event.ctrlKey || event.metaKey) return;
    const count = list.children.length;
    if (event.key === "ArrowDown") point((chosen + 1) % count);
    else if (event.key === "ArrowUp") point((chosen < 1 ? count : chosen) - 1);
    else if (event.key === "Enter" && chosen >= 0) take(list.children[chosen]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation(); // Escape closes the list, and not the dialog around it
  });
  field.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // which would take the focus from the field
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const option = target.closest("[role=option]");
    if (option) take(option);
  });
  field.addEventListener("focus", () => {
    field.select();
    field.addEventListener("mouseup", (event) => event.preventDefault(), { once: true }); // which would unselect it
  });
}
