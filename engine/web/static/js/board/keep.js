// Keeping a wish: sending it, showing it at once, and offering to take it back.
import { send, toast } from "../send.js";
import { changesOf, fill, isChange } from "./wishes.js";

export function makeKeeper({ board, model, drawing, wishes, texts, say }) {
  const undos = []; // what takes back each move that stands, the last one at the end

  const troubleText = ({ status, body }) => status === 0 ? texts.offline : [body.title, ...(body.lines ?? [])].filter(Boolean).join(" · ") || texts.failed;

  /** Shows an entry as if the server had said yes already; returns how to go back. */
  function showAlready(entry, wish) {
    const before = { ...entry };
    const after = { ...entry, r: wish.room, s: wish.from, e: wish.to, b: wish.from, f: wish.to, id: `${entry.n}-${wish.room}` };
    const swap = (gone, come) => {
      model.replace(gone.id, come);
      drawing.drawRow(gone.r);
      if (come.r !== gone.r) drawing.drawRow(come.r);
      board.querySelector(`[data-id="${come.id}"]`)?.classList.toggle("saving", come === after);
    };
    swap(before, after);
    return () => { if (model.get(after.id)) swap(after, before); };
  }

  async function post(number, changes) {
    return send("POST", `/board/loans/${number}/move`, { day: board.dataset.first, ...changes });
  }

  /** Moves or resizes; returns whether it was kept. */
  async function keep(wish) {
    const { entry } = wish;
    if (!isChange(wish)) return false;
    if (wishes.clashOf(wish)) {
      toast(wishes.describe(wish), { bad: true });
      say(`${wishes.describe(wish)} ${texts.stays}`);
      return false;
    }
    const goBack = showAlready(entry, wish);
    const answer = await post(entry.n, changesOf(wish));
    if (!answer.ok) {
      goBack();
      toast(troubleText(answer), { bad: true });
      return false;
    }
    const moved = model.get(`${entry.n}-${wish.room}`);
    if (moved) { moved.v = answer.body.version; board.querySelector(`[data-id="${moved.id}"]`)?.classList.remove("saving"); }
    say(texts.kept);
    const undo = () => { undos.splice(undos.indexOf(undo), 1); return takeBack(wish, answer.body.version); };
    undos.push(undo);
    toast(fill(texts.moved, { number: entry.n }), { label: texts.undo, action: undo, about: `move-${entry.n}` });
    return true;
  }

  /** Takes back the last move that stands; says so where there is none. */
  function takeBackLast() {
    if (undos.length) undos.at(-1)();
    else say(texts.nothing_to_undo);
  }

  async function takeBack({ entry, room, from, to }, version) {
    const isMoved = from !== entry.b || to !== entry.f;
    const [seen_start, seen_end] = isMoved ? [from, to] : [entry.s, entry.e];
    const changes = { room, version, seen_start, seen_end };
    if (isMoved) Object.assign(changes, { start: entry.b, end: entry.f });
    if (room !== entry.r) changes.to_room = entry.r;
    const answer = await post(entry.n, changes);
    toast(answer.ok ? texts.undone : troubleText(answer), { bad: !answer.ok, seconds: 4, about: `move-${entry.n}` });
    if (answer.ok) say(texts.undone);
  }

  return { keep, takeBackLast, troubleText };
}
