// Check webhooks of Accord. Nothing but Node.js (18 or newer) is needed.
//
// As a program it reads one message a line, {"headers": {...}, "body": "..."}, and says of each whether to believe it:
// WEBHOOK_SECRETS='whsec_...' node verify.js < messages.jsonl
"use strict";
const crypto = require("node:crypto");

const TOLERANCE_SECONDS = 300;
const SEEN = new Set(); // of message ids; in earnest a table with a unique column, written with what the message brings about

// Return why not to believe a message, or "" if it is genuine. `body` is a Buffer with the bytes as they came.
function refusalOf(headers, body, secrets, now, seen) {
  const named = lowerCase(headers);
  const message = named["webhook-id"] ?? "";
  const timestamp = named["webhook-timestamp"] ?? "";
  if (!message || !/^\d+$/.test(timestamp)) return "no id or timestamp";
  if (Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) return "too old";
  const signed = Buffer.concat([Buffer.from(`${message}.${timestamp}.`), body]);
  const given = (named["webhook-signature"] ?? "").split(" ");
  if (!secrets.some((secret) => given.some((each) => isSame(sign(signed, secret), each)))) return "wrong signature";
  if (seen.has(message)) return "seen before";
  seen.add(message);
  return "";
}

function sign(signed, secret) {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
  return "v1," + crypto.createHmac("sha256", key).update(signed).digest("base64");
}

// Check X-Lapin-Signature, for receivers written for RDV Service Public. It says nothing about when.
function isSignedAsRdv(body, header, secrets) {
  return secrets.some((secret) => isSame(crypto.createHmac("sha256", secret).update(body).digest("hex"), header));
}

function isSame(wanted, given) {
  const [one, other] = [Buffer.from(wanted), Buffer.from(given)];
  return one.length === other.length && crypto.timingSafeEqual(one, other);
}

function lowerCase(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

module.exports = { refusalOf, isSignedAsRdv };

if (require.main === module) {
  const known = process.env.WEBHOOK_SECRETS.split(",");
  const lines = require("node:readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const came = JSON.parse(line);
    const body = Buffer.from(came.body);
    let why = refusalOf(came.headers, body, known, Date.now() / 1000, SEEN);
    const lapin = lowerCase(came.headers)["x-lapin-signature"] ?? "";
    if (!why && !isSignedAsRdv(body, lapin, known)) why = "wrong X-Lapin-Signature";
    console.log(why ? `refused: ${why}` : "genuine");
  });
}
