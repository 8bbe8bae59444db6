// Keeping a wish: sending it, showing it at once, and offering to take it back.
import { send, toast } from "../send.js";
import { changesOf, fill, isChange } from "./wishes.js";

export function makeKeeper({ board, model, drawing, wishes, texts, say, look }) {
  const undos = []; // what takes back each move that stands, the last one at the end
  let last = Promise.resolve(), begun = 0;

  /** Moves take turns, so that each goes from where the one before it ended, and the last one can be taken back. */
  function inTurn(action) {
    const turn = last.then(() => { begun++; return action(); });
    last = turn.catch(() => {});
    return turn;
  }

  /** What `read` answers while no move is on its way: an answer from before its end would show the booking where it was. */
  async function readAtRest(read) {
    for (;;) {
      await last;
      const before = begun, answer = await read();
      if (begun === before) return answer;
    }
  }

  const troubleText = ({ status, body }) => status === 0 ? texts.offline : [body.title, ...(body.lines ?? [])].filter(Boolean).join(" · ") || texts.failed;

  /** The times of an entry once a wish is granted: a start off the grid stays where only the end goes elsewhere, both where only the room does. */
  function timesOf({ entry, from, to }) {
    const isMoved = from !== entry.b || to !== entry.f;
    return { s: from === entry.b ? entry.s : from, e: isMoved ? to : entry.e };
  }

  /** Shows an entry as if the server had said yes already; returns how to go back. */
  function showAlready(entry, wish) {
    const before = { ...entry };
    const after = { ...entry, ...timesOf(wish), r: wish.room, b: wish.from, f: wish.to, id: `${entry.n}-${wish.room}` };
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
  const keep = (wish) => inTurn(() => keepNow({ ...wish, entry: model.get(wish.entry.id) ?? wish.entry }));

  async function keepNow(wish) {
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
      look([entry.n]);
      toast(troubleText(answer), { bad: true });
      return false;
    }
    const moved = model.get(`${entry.n}-${wish.room}`);
    if (moved) { moved.v = answer.body.version; board.querySelector(`[data-id="${moved.id}"]`)?.classList.remove("saving"); }
    say(texts.kept);
    const undo = () => takeBack(wish, answer.body.version);
    undos.push(undo);
    toast(fill(texts.moved, { number: entry.n }), { label: texts.undo, action: () => undoInTurn(() => undo), about: `move-${entry.n}` });
    return true;
  }

  /** Takes back the last move that stands; says so where there is none. */
  const takeBackLast = () => undoInTurn(() => undos.at(-1));

  const undoInTurn = (choose) => inTurn(() => {
    const undo = choose(), place = undos.indexOf(undo);
    if (place < 0) return say(texts.nothing_to_undo);
    undos.splice(place, 1);
    return undo();
  });

  async function takeBack({ entry, room, from, to }, version) {
    const isMoved = from !== entry.b || to !== entry.f;
    const { s: seen_start, e: seen_end } = timesOf({ entry, from, to });
    const changes = { room, version, seen_start, seen_end };
    if (isMoved) Object.assign(changes, { start: entry.b, end: entry.f });
    if (room !== entry.r) changes.to_room = entry.r;
    const answer = await post(entry.n, changes);
    toast(answer.ok ? texts.undone : troubleText(answer), { bad: !answer.ok, seconds: 4, about: `move-${entry.n}` });
    if (answer.ok) say(texts.undone);
  }

  return { keep, takeBackLast, readAtRest, troubleText };
}
