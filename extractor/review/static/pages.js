// The list of the folder's pages, least certain first: shows and filters them, and moves through them.

import { create } from "./lines.js";

const STATES = { new: "", begun: "begun", done: "✓ done" };

export class PageList {
  pages = [];
  open = null;
  #listed = [];
  #rows = new Map();
  #active = null;

  /** chosen(name): a page is to be opened. */
  constructor(element, search, filter, { chosen, left }) {
    this.element = element;
    this.search = search;
    this.filter = filter;
    this.chosen = chosen;
    search.addEventListener("input", () => this.#render());
    filter.addEventListener("change", () => this.#render());
    search.addEventListener("keydown", (event) => this.#fromSearch(event));
    element.addEventListener("click", (event) => {
      const row = event.target.closest(".page");
      if (row !== null) chosen(row.dataset.name);
    });
    element.addEventListener("focus", () => this.#move(this.#active ?? this.open));
    element.addEventListener("keydown", (event) => (event.key === "Escape" ? left() : this.#key(event)));
  }

  get done() {
    return this.pages.filter((page) => page.state === "done").length;
  }

  get begun() {
    return this.pages.filter((page) => page.state === "begun").length;
  }

  /** Show pages as the server lists them. */
  show(pages) {
    this.pages = [...pages].sort((a, b) => (b.doubt ?? -1) - (a.doubt ?? -1));
    this.#render();
  }

  /** Note the state of a page; the order stays as it is. */
  setState(name, state) {
    const page = this.pages.find((one) => one.name === name);
    if (page === undefined || page.state === state) return;
    page.state = state;
    this.#rows.get(name)?.replaceWith(this.#row(page));
  }

  /** Mark a page as the one that is open. */
  setOpen(name) {
    this.#rows.get(this.open)?.removeAttribute("aria-current");
    this.open = name;
    this.#move(name);
    this.#rows.get(name)?.setAttribute("aria-current", "page");
  }

  /** The page a step from the open one in the list, or null at its ends. */
  beside(step) {
    const place = this.#listed.findIndex((page) => page.name === this.open);
    return this.#listed[place + step]?.name ?? null;
  }

  /** The first page to do after the open one, going round; null if there is none. */
  nextToDo() {
    const place = this.pages.findIndex((page) => page.name === this.open);
    const turned = [...this.pages.slice(place + 1), ...this.pages.slice(0, Math.max(place, 0))];
    return turned.find((page) => page.state !== "done" && page.problem === null)?.name ?? null;
  }

  #render() {
    const wanted = this.search.value.trim().toLowerCase();
    const states = { all: ["new", "begun", "done"], open: ["new", "begun"] }[this.filter.value] ?? [this.filter.value];
    this.#listed = this.pages.filter(
      (page) => states.includes(page.state) && page.shown.toLowerCase().includes(wanted),
    );
    this.#rows.clear();
    this.element.replaceChildren(...this.#listed.map((page) => this.#row(page)));
    if (this.#listed.length === 0) this.element.append(create("p", "quiet empty", "No page here fits."));
    if (this.#active !== null) this.#move(this.#active, false);
  }

  #row(page) {
    const row = create("div", `page ${page.state}`);
    row.id = `page-${this.pages.indexOf(page)}`;
    row.role = "option";
    row.dataset.name = page.name;
    row.title = page.shown;
    row.setAttribute("aria-selected", String(page.name === this.#active));
    if (page.name === this.open) row.setAttribute("aria-current", "page");
    const doubt = page.doubt === null ? "…" : `${Math.round(page.doubt * 100)} %`;
    const share = create("span", "doubt", page.problem === null ? doubt : "!");
    share.title = page.problem ?? "Share of the lines that the model expects to be wrong";
    share.style.setProperty("--share", `${(page.doubt ?? 0) * 100}%`);
    const cut = page.shown.lastIndexOf("/") + 1;
    const name = create("span", "name");
    name.append(create("span", "quiet", page.shown.slice(0, cut)), page.shown.slice(cut));
    row.append(share, name, create("span", "state", page.problem === null ? STATES[page.state] : "unreadable"));
    this.#rows.set(page.name, row);
    return row;
  }

  #move(name, scroll = true) {
    const chosen = this.#rows.get(name) ?? this.#rows.values().next().value;
    if (chosen === undefined) return;
    this.#rows.get(this.#active)?.setAttribute("aria-selected", "false");
    this.#active = chosen.dataset.name;
    chosen.setAttribute("aria-selected", "true");
    this.element.setAttribute("aria-activedescendant", chosen.id);
    if (scroll) chosen.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const place = this.#listed.findIndex((page) => page.name === this.#active);
    const last = this.#listed.length - 1;
    const places = {
      ArrowUp: place - 1, k: place - 1, ArrowDown: place + 1, j: place + 1, PageUp: place - 10, PageDown: place + 10,
      Home: 0, End: last,
    };
    if (event.key in places) this.#move(this.#listed[Math.max(0, Math.min(places[event.key], last))]?.name);
    else if (event.key === "Enter" && this.#active !== null) this.chosen(this.#active);
    else return;
    event.preventDefault();
  }

  #fromSearch(event) {
    if (event.key === "Enter" && this.#listed.length > 0) this.chosen(this.#listed[0].name);
    if (event.key === "ArrowDown") this.element.focus();
    if (event.key === "Escape") this.search.value = "", this.#render(), this.element.focus();
  }
}
