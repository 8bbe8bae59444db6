// Booking from the board: a small dialog over the place that was chosen.
import { offerPeople } from "../people.js";
import { send, toast } from "../send.js";
import { DAY, clock } from "./scale.js";
import { fill } from "./wishes.js";

const STEP = 15, LONGEST = 24 * 60;

export function makeDialog({ board, wishes, keeper, texts, onClose }) {
  const dialog = document.getElementById("booking");
  const field = (name) => document.getElementById(`booking-${name}`);
  const form = field("form"), trouble = field("trouble"), who = field("who"), people = field("people");
  let wish = null, booked = null;

  function open(wanted) {
    wish = { ...wanted };
    booked = null;
    trouble.hidden = true;
    field("room").textContent = wishes.roomName(wish.room);
    fillTimes();
    showDay();
    wishes.show(wish);
    if (!dialog.open) dialog.showModal();
    field("name").focus();
  }

  function fillTimes() {
    options(field("start"), Math.floor(wish.from / LONGEST) * LONGEST, LONGEST, wish.from);
    options(field("end"), wish.from + STEP, LONGEST, wish.to);
  }

  function options(select, first, count, chosen) {
    select.replaceChildren();
    for (let minute = first; minute < first + count; minute += STEP) select.append(new Option(clock(minute), minute, false, minute === chosen));
  }

  function showDay() {
    field("day").textContent = wishes.when(wish);
    field("more").href = `/book?${formQuery()}`;
    wishes.show(wish);
    field("waits").hidden = !("waits" in board.querySelector(`.board-row[data-room="${wish.room}"]`).dataset);
    const isTaken = Boolean(wishes.clashOf(wish));
    trouble.hidden = !isTaken;
    if (isTaken) trouble.textContent = wishes.describe(wish);
  }

  /** What the full form begins with: for several rooms, things, notes, series. */
  function formQuery() {
    const [day, start] = wallClock(wish.from), [until, end] = wallClock(wish.to);
    return new URLSearchParams({ day, start, until, end, item: wish.room });
  }

  function wallClock(minute) {
    const day = new Date(`${board.dataset.first}T00:00Z`);
    day.setUTCDate(day.getUTCDate() + Math.floor(minute / DAY));
    return [day.toISOString().slice(0, 10), clock(minute)];
  }

  async function book() {
    if (form.classList.contains("htmx-request")) return; // pressed twice
    const order = { day: board.dataset.first, room: wish.room, start: wish.from, end: wish.to, title: field("name").value, private: field("private").checked, who: who?.value ?? "" };
    form.classList.add("htmx-request");
    const answer = await send("POST", "/board/loans", order);
    form.classList.remove("htmx-request");
    if (!answer.ok) {
      trouble.textContent = keeper.troubleText(answer);
      trouble.hidden = false;
      return;
    }
    field("name").value = "";
    const { number, status } = answer.body;
    booked = { number, room: wish.room };
    dialog.close();
    toast(fill(status === "pending_approval" ? texts.asked : texts.booked, { number }), { label: texts.open, action: () => location.assign(`/loans/${number}`) });
  }

  if (who) offerPeople(who, people);
  field("start").addEventListener("change", ({ target }) => {
    const length = wish.to - wish.from;
    wish.from = Number(target.value);
    wish.to = wish.from + length;
    fillTimes();
    showDay();
  });
  field("end").addEventListener("change", ({ target }) => { wish.to = Number(target.value); showDay(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); book(); });
  for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { wishes.hide(); onClose(booked); });
  return { open };
}
