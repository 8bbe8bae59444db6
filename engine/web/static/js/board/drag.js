// The pointer: dragging entries and their ends, dragging over free time, a long press on touch screens.
import { DAY, snap } from "./scale.js";
import { isChange } from "./wishes.js";

const THRESHOLD = 5, EDGE = 7, PRESS_MS = 350, SCROLL_ZONE = 36;

export function listenToPointer({ board, model, drawing, wishes, keeper, mayBook, place, open }) {
  const scroller = document.getElementById("board-scroll");
  const days = Number(board.dataset.days);
  let drag = null;

  const minuteAt = (lane, x) => {
    const box = lane.getBoundingClientRect();
    return drawing.scale.minute((x - box.left) / box.width);
  };

  function begin(event) {
    if (event.button !== 0 || drag) return;
    const element = event.target.closest(".entry"), lane = event.target.closest(".lane");
    if (!lane) return;
    const row = lane.parentElement, room = Number(row.dataset.room);
    const entry = element ? model.get(element.dataset.id) : null;
    if (entry && !entry.m || !entry && !mayBook) return;
    const grip = entry ? gripOf(element, event.clientX) : "new";
    drag = {
      entry, grip, room, lane, element, touch: event.pointerType === "touch", active: false, id: event.pointerId,
      x: event.clientX, y: event.clientY, at: minuteAt(lane, event.clientX), wish: null, frame: 0, press: 0,
    };
    if (drag.touch) drag.press = setTimeout(() => activate(), PRESS_MS);
  }

  function gripOf(element, x) {
    const box = element.getBoundingClientRect();
    const edge = Math.min(EDGE, box.width / 4);
    if (x - box.left < edge && !element.classList.contains("from-before")) return "start";
    if (box.right - x < edge && !element.classList.contains("goes-on")) return "end";
    return "body";
  }

  function activate() {
    drag.active = true;
    drag.element?.classList.add("lifted");
    board.classList.add("dragging");
    try { scroller.setPointerCapture(drag.id); } catch { /* the finger is gone already */ }
    step();
  }

  function wishAt(x, y) {
    const { entry, grip, at, lane } = drag;
    const minute = minuteAt(lane, x);
    if (grip === "new") {
      const [from, to] = minute < at ? [minute, at] : [at, minute];
      const start = Math.max(0, snap(from - 7));
      return { kind: "create", entry: null, room: drag.room, from: start, to: Math.max(start + 15, snap(to + 7)) };
    }
    if (grip === "start") return { kind: "resize", entry, room: entry.r, from: Math.min(snap(minute), entry.f - 15), to: entry.f };
    if (grip === "end") return { kind: "resize", entry, room: entry.r, from: entry.b, to: Math.max(snap(minute), entry.b + 15) };
    const row = document.elementFromPoint(x, y)?.closest?.(".board-row");
    if (row) drag.room = Number(row.dataset.room);
    const shift = snap(minute - at);
    const from = Math.min(days * DAY - 15, Math.max(15 - (entry.f - entry.b), entry.b + shift));
    return { kind: "move", entry, room: drag.room, from, to: from + entry.f - entry.b };
  }

  function step() {
    drag.frame = 0;
    const wish = wishAt(drag.lastX ?? drag.x, drag.lastY ?? drag.y);
    const before = drag.wish;
    if (!before || before.room !== wish.room || before.from !== wish.from || before.to !== wish.to) {
      drag.wish = wish;
      wishes.show(wish);
    }
    if (scrollNearEdges()) drag.frame = requestAnimationFrame(step);
  }

  function scrollNearEdges() {
    const box = scroller.getBoundingClientRect(), { lastX: x = drag.x, lastY: y = drag.y } = drag;
    const left = box.left + drag.lane.offsetLeft;
    const dx = x > box.right - SCROLL_ZONE ? 12 : x < left + SCROLL_ZONE && x > left - 60 ? -12 : 0;
    const dy = y > box.bottom - SCROLL_ZONE ? 10 : y < box.top + SCROLL_ZONE + 40 ? -10 : 0;
    const before = [scroller.scrollLeft, scroller.scrollTop];
    if (dx || dy) scroller.scrollBy(dx, dy);
    return before[0] !== scroller.scrollLeft || before[1] !== scroller.scrollTop;
  }

  function move(event) {
    if (!drag || event.pointerId !== drag.id) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > THRESHOLD;
    if (!drag.active) {
      if (!far) return;
      if (drag.touch) { clearTimeout(drag.press); drag = null; return; } // a swipe: it scrolls
      activate();
    }
    Object.assign(drag, { lastX: event.clientX, lastY: event.clientY });
    if (!drag.frame) drag.frame = requestAnimationFrame(step);
  }

  function end(event) {
    if (!drag || event.pointerId !== drag.id) return;
    const { active, wish, grip, entry, room, at } = drag;
    const isTap = !active && grip === "new";
    if (active) step();
    const last = active ? drag.wish : wish;
    release(active);
    if (isTap) place(wishes.placing(room, at));
    else if (active && grip === "new") open(last);
    else if (active && last && isChange(last)) keeper.keep(last);
    else if (active && entry) wishes.hide();
  }

  function release(wasActive) {
    if (!drag) return;
    clearTimeout(drag.press);
    cancelAnimationFrame(drag.frame);
    drag.element?.classList.remove("lifted");
    board.classList.remove("dragging");
    if (wasActive) addEventListener("click", stop, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", stop, { capture: true }));
    wishes.hide();
    drag = null;
  }

  const stop = (event) => { event.preventDefault(); event.stopPropagation(); };

  scroller.addEventListener("pointerdown", begin);
  scroller.addEventListener("pointermove", move);
  scroller.addEventListener("pointerup", end);
  scroller.addEventListener("pointercancel", () => drag && release(false));
  scroller.addEventListener("touchmove", (event) => { if (drag?.active) event.preventDefault(); }, { passive: false });
  scroller.addEventListener("contextmenu", (event) => { if (drag?.touch) event.preventDefault(); });
  scroller.addEventListener("dragstart", (event) => event.preventDefault());
  addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) release(drag.active); });
}
