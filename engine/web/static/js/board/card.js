// What an entry is about, beside it, while the pointer rests on it or it has the focus. The same is in its name, so
// screen readers need not know of it.

export function makeCard({ board, model, drawing, texts, wishes }) {
  const card = document.getElementById("card");
  card.setAttribute("aria-hidden", "true");
  let waiting = 0;

  function show(element) {
    const entry = model.get(element.dataset.id);
    if (!entry || board.classList.contains("dragging")) return;
    const line = (text, kind = "p") => Object.assign(document.createElement(kind), { textContent: text });
    const facts = [texts.statuses[entry.ls], entry.st === "accepted" ? "" : texts.states[entry.st], entry.ls === "meeting" ? "" : texts.homes[entry.hm]];
    card.replaceChildren(line(drawing.titleOf(entry), "b"), line(`${wishes.roomName(entry.r)} · ${wishes.when({ from: entry.s, to: entry.e })}`));
    if (entry.w && entry.t) card.append(line(entry.w));
    card.append(line([entry.n ? `#${entry.n}` : "", ...facts].filter(Boolean).join(" · "), "small"));
    card.hidden = false;
    const at = element.getBoundingClientRect(), size = card.getBoundingClientRect();
    const below = at.bottom + 6 + size.height < innerHeight;
    card.style.left = `${Math.max(8, Math.min(innerWidth - size.width - 8, at.left))}px`;
    card.style.top = `${below ? at.bottom + 6 : at.top - size.height - 6}px`;
  }

  function hide() {
    clearTimeout(waiting);
    card.hidden = true;
  }

  board.addEventListener("pointerover", (event) => {
    const element = event.target.closest(".entry");
    if (!element || event.pointerType === "touch") return;
    clearTimeout(waiting);
    waiting = setTimeout(() => show(element), card.hidden ? 250 : 0);
  });
  board.addEventListener("pointerout", (event) => { if (!event.relatedTarget?.closest?.(".entry")) hide(); });
  board.addEventListener("pointerdown", hide);
  board.addEventListener("focusin", (event) => { const element = event.target.closest(".entry:focus-visible"); if (element) show(element); });
  board.addEventListener("focusout", hide);
  document.getElementById("board-scroll").addEventListener("scroll", hide, { passive: true });
  return { hide };
}
