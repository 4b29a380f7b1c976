// The review of a folder: opens its pages, relabels their lines, takes that back, and saves it all as it happens.

import { CleanText } from "./text.js";
import { LABELS, LineList, probability } from "./lines.js";
import { PageList } from "./pages.js";
import { Saving, ServerError, ask } from "./saving.js";

const POLL = 700; // milliseconds between two looks at how far the server has judged the pages
const POLLS_BEFORE_OPENING = 6; // a large folder: begin with the least certain page so far
const LABEL_KEYS = { 1: "body", 2: "header", 3: "nav", 4: "related-link", b: "body", h: "header", n: "nav", l: "related-link" };

const by = (id) => document.getElementById(id);
const lines = new LineList(by("lines"), { moved: lineMoved, cycled: nextLabel });
const pages = new PageList(by("pages"), by("search"), by("filter"), { chosen: openPage, left: () => by("lines").focus() });
const text = new CleanText(by("text"), by("text-facts"), { chosen: bodyLineChosen });
let saving = null; // of the open page
let locked = true; // the open page cannot be corrected
let undone = [];
let made = [];
let placeTimer = 0;

// --- pages -----------------------------------------------------------------------------------------

async function start() {
  for (let polls = 1; ; polls++) {
    const answer = await ask("api/pages");
    by("folder").textContent = answer.folder;
    pages.show(answer.pages);
    countPages(answer);
    const wanted = pageInAddress() ?? answer.last.page;
    const known = answer.pages.some((page) => page.name === wanted);
    if (pages.open === null && known) await openPage(wanted, wanted === answer.last.page ? answer.last.line : 0);
    const ready = answer.finished || polls >= POLLS_BEFORE_OPENING;
    if (pages.open === null && ready) await openPage(pages.nextToDo() ?? pages.pages[0].name);
    if (answer.finished) return;
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

async function openPage(name, line = 0) {
  if (saving?.pending && !(await saving.flush())) return; // the alert says why
  try {
    const page = await ask(`api/page?name=${encodeURIComponent(name)}`);
    hideAlert();
    showPage(name, page, line);
  } catch (error) {
    showFailure(error);
  }
}

function showPage(name, page, line) {
  saving = new Saving(name, page.version, { saved: (answer) => pageSaved(name, answer), failed: showFailure });
  made = [];
  undone = [];
  locked = page.problem !== null;
  pages.setOpen(name);
  pages.setState(name, page.state);
  text.show(page.text);
  lines.show(page.lines, line);
  showFacts(name, page);
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  say(page.lines.length > 0 ? "" : "This page has no lines.");
  if (locked) showAlert(page.problem, "Load again", () => openPage(name, lines.active));
  document.body.dataset.view = "lines";
  by("lines").focus();
  lineMoved();
  notePlace();
}

function showFacts(name, page) {
  const shown = pages.pages.find((one) => one.name === name).shown;
  by("page-name").textContent = shown;
  document.title = `${shown} – review`;
  const doubtful = page.lines.filter((line) => probability(line) < 0.6 && line.label === line.predicted).length;
  by("page-facts").textContent =
    `${count(page.lines.length, "line")}, ${doubtful.toLocaleString("en")} doubtful · kind: ${page.kind} · ${page.format}, ${page.encoding}`;
}

function countPages(answer) {
  const all = pages.pages.length;
  const begun = pages.begun > 0 ? `, ${pages.begun.toLocaleString("en")} begun` : "";
  by("done-bar").value = all > 0 ? pages.done / all : 0;
  by("counts").textContent = `${pages.done.toLocaleString("en")} of ${count(all, "page")} done${begun}`;
  if (answer === undefined) return;
  const judged = answer.pages.filter((page) => page.doubt !== null || page.problem !== null).length;
  by("judged").textContent = answer.finished ? "least certain first" : `${judged.toLocaleString("en")} of ${all.toLocaleString("en")} judged …`;
}

function pageInAddress() {
  try {
    return location.hash.length > 1 ? decodeURIComponent(location.hash.slice(1)) : null;
  } catch {
    return null;
  }
}

// --- labels ----------------------------------------------------------------------------------------

function relabel(label, [first, last] = lines.run) {
  if (locked) return say("This page cannot be corrected; the message above says why.");
  if (lines.lines.length === 0) return say("This page has no lines.");
  const before = lines.lines.slice(first, last + 1).map((line) => line.label);
  if (before.every((one) => one === label)) {
    return say(`${runName(first, last)}: ${label} already.`);
  }
  made.push({ first, before, after: before.map(() => label) });
  undone = [];
  apply(first, made.at(-1).after, `${runName(first, last)}: ${label}`);
}

function nextLabel(index) {
  relabel(LABELS[(LABELS.indexOf(lines.lines[index].label) + 1) % LABELS.length], [index, index]);
}

function undo() {
  const step = made.pop();
  if (step === undefined) return say("Nothing to undo on this page.");
  undone.push(step);
  again(step.first, step.before, "Undone");
}

function redo() {
  const step = undone.pop();
  if (step === undefined) return say("Nothing to redo on this page.");
  made.push(step);
  again(step.first, step.after, "Done again");
}

function again(first, labels, what) {
  apply(first, labels, `${what}: ${runName(first, first + labels.length - 1)}`);
  lines.moveTo(first);
  lines.moveTo(first + labels.length - 1, true);
}

/** Show new labels and save them, as runs. */
function apply(first, labels, message) {
  lines.relabel(first, labels);
  const runs = [];
  labels.forEach((label, offset) => {
    if (runs.at(-1)?.[2] === label) runs.at(-1)[1] = first + offset;
    else runs.push([first + offset, first + offset, label]);
  });
  say(`${message}. Saving …`, message);
  lineMoved();
  saving.add(runs);
}

function pageSaved(name, answer) {
  pages.setState(name, answer.state);
  countPages();
  text.show(answer.text);
  hideAlert();
  const message = by("status").dataset.message;
  if (!saving.waiting) say(message ? `${message}. Saved.` : "Saved.", message);
  lineMoved();
}

async function finish() {
  if (saving === null || locked) return;
  const page = saving;
  say("Page done. Saving …", "Page done");
  if (!(await page.add([], true)) || page !== saving) return;
  const next = pages.nextToDo();
  if (next === null) say("All pages are done.");
  else await openPage(next);
}

// --- where one is ----------------------------------------------------------------------------------

function lineMoved() {
  const [first, last] = lines.run;
  const line = lines.lines[lines.active];
  document.querySelectorAll("button.label").forEach((button) => {
    button.setAttribute("aria-pressed", String(line !== undefined && first === last && button.dataset.label === line.label));
  });
  by("line-facts").textContent = line === undefined ? "" : lineFacts(line, first, last);
  const bodies = (end) => lines.lines.slice(0, end).filter((one) => one.label === "body").length;
  text.mark(bodies(first), bodies(last + 1) - 1);
  clearTimeout(placeTimer);
  placeTimer = setTimeout(notePlace, 400);
}

function lineFacts(line, first, last) {
  if (first !== last) return `${runName(first, last)} chosen`;
  const chances = LABELS.map((label, index) => `${label} ${line.probabilities[index].toFixed(2)}`).join(" · ");
  return `line ${line.number}: the model says ${line.predicted} (${chances})`;
}

function runName(first, last) {
  const number = (index) => lines.lines[index].number;
  return first === last ? `line ${number(first)}` : `${count(last - first + 1, "line")}, ${number(first)} to ${number(last)}`;
}

function bodyLineChosen(place) {
  let left = place;
  const index = lines.lines.findIndex((line) => line.label === "body" && left-- === 0);
  if (index < 0) return;
  document.body.dataset.view = "lines";
  by("lines").focus();
  lines.moveTo(index);
}

function doubtful(step) {
  const index = lines.doubtful(step);
  if (index >= 0) lines.moveTo(index);
  else say(step > 0 ? "No doubtful line further down." : "No doubtful line further up.");
}

function notePlace() {
  // a place that is lost costs a key press; what matters is saved with alerts
  if (saving !== null) ask("api/place", { name: saving.name, line: lines.active }).catch(() => {});
}

function besidePage(step) {
  const name = pages.beside(step);
  if (name === null) say(step > 0 ? "This is the last page of the list." : "This is the first page of the list.");
  else openPage(name);
}

// --- what is said ----------------------------------------------------------------------------------

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function say(message, short = "") {
  by("status").textContent = message;
  by("status").dataset.message = short;
}

function showFailure(error) {
  if (!(error instanceof ServerError)) throw error;
  say(saving?.pending ? "Not saved." : "");
  if (error.status === 409 && saving !== null) {
    const name = saving.name;
    showAlert(`Not saved: ${error.message}`, "Load again", () => { saving = null; openPage(name, lines.active); });
  } else if (saving?.pending) {
    showAlert(`Not saved: ${error.message}`, "Try again", () => saving.flush());
  } else {
    showAlert(error.message, "Close", hideAlert);
  }
}

function showAlert(message, action, act) {
  by("alert-text").textContent = message;
  by("alert-action").textContent = action;
  by("alert-action").onclick = act;
  by("alert").hidden = false;
}

function hideAlert() {
  by("alert").hidden = true;
}

// --- keys and buttons ------------------------------------------------------------------------------

const KEYS = {
  u: undo, r: redo, Enter: finish, "?": () => by("keys").showModal(),
  ".": () => doubtful(1), ",": () => doubtful(-1), "]": () => besidePage(1), "[": () => besidePage(-1),
  p: () => showView("pages", by("pages")), "/": () => showView("pages", by("search")),
  Escape: () => lines.moveTo(lines.active),
};

by("lines").addEventListener("keydown", (event) => {
  const act = event.ctrlKey || event.metaKey ? controlKey(event) : plainKey(event);
  if (act) event.preventDefault();
});

/** Whether the key was one of ours. */
function plainKey(event) {
  if (event.altKey) return false;
  if (lines.move(event)) return true;
  if (event.key in LABEL_KEYS) relabel(LABEL_KEYS[event.key]);
  else if (event.key in KEYS) KEYS[event.key]();
  else return false;
  return true;
}

function controlKey(event) {
  const key = event.key.toLowerCase();
  if (key === "z") event.shiftKey ? redo() : undo();
  else if (key === "y") redo();
  else if (key === "a") lines.chooseAll();
  else return false;
  return true;
}

function showView(name, focused) {
  document.body.dataset.view = name;
  focused.focus();
}

document.querySelectorAll("button.label").forEach((button) => {
  button.addEventListener("click", () => relabel(button.dataset.label));
});
document.querySelector(".tools").addEventListener("mousedown", (event) => event.preventDefault()); // the lines keep the keys
document.querySelectorAll("[data-show]").forEach((button) => {
  button.addEventListener("click", () => showView(button.dataset.show, by(button.dataset.show)));
});
by("undo").addEventListener("click", undo);
by("redo").addEventListener("click", redo);
by("next-doubtful").addEventListener("click", () => doubtful(1));
by("finish").addEventListener("click", finish);
by("show-keys").addEventListener("click", () => by("keys").showModal());
by("keys").addEventListener("close", () => by("lines").focus());
addEventListener("beforeunload", (event) => {
  if (saving?.pending) event.preventDefault();
});
start().catch(showFailure);
