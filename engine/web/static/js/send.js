// Speaking to the server from a module: JSON there and back, with the session's token.

/** Returns {ok, status, body}; status 0 means that nobody answered. */
export async function send(method, address, body) {
  const headers = { Accept: "application/json", "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const read = await answer.json().catch(() => ({}));
    if (answer.status === 401 && read.sign_in) location.assign(read.sign_in);
    return { ok: answer.ok, status: answer.status, body: read };
  } catch {
    return { ok: false, status: 0, body: {} };
  }
}

/**
 * Shows a short message at the edge of the page, with at most one thing to do about it. It takes the place of an earlier
 * one `about` the same, and stays while the pointer rests on it or it has the focus.
 */
export function toast(text, { bad = false, label = "", action = null, seconds = 8, about = "" } = {}) {
  const box = document.createElement("div");
  box.className = bad ? "toast bad" : "toast";
  box.dataset.about = about;
  box.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    button.addEventListener("click", () => { box.remove(); action(); });
    box.append(button);
  }
  const all = document.getElementById("toasts");
  if (about) for (const other of [...all.children]) if (other.dataset.about === about) other.remove();
  all.append(box);
  while (all.children.length > 3) all.firstElementChild.remove();
  let going = 0;
  const stay = () => clearTimeout(going);
  const leave = () => { stay(); if (!box.matches(":hover, :focus-within")) going = setTimeout(() => box.remove(), seconds * 1000); };
  for (const name of ["pointerenter", "focusin"]) box.addEventListener(name, stay);
  for (const name of ["pointerleave", "focusout"]) box.addEventListener(name, () => setTimeout(leave));
  leave();
  return box;
}
