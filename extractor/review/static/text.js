// The clean text as extract() returns it: one element a line, so that it can be found from the page's lines and back.

import { create } from "./lines.js";

const LINES_IN_A_CHUNK = 100;

export class CleanText {
  #pieces = [];
  #marked = [];

  /** chosen(place): a line of the text was clicked, counted among the lines that are body. */
  constructor(element, facts, { chosen }) {
    this.element = element;
    this.facts = facts;
    element.addEventListener("click", (event) => {
      const piece = event.target.closest(".piece");
      if (piece !== null && getSelection().isCollapsed) chosen(this.#pieces.indexOf(piece));
    });
  }

  /** text: its lines, "" for a blank one. */
  show(text) {
    this.#pieces = [];
    const chunks = [];
    text.forEach((line, index) => {
      if (line === "") return;
      const piece = create("p", index > 0 && text[index - 1] === "" ? "piece gap" : "piece", line);
      piece.dir = "auto";
      if (this.#pieces.length % LINES_IN_A_CHUNK === 0) chunks.push(create("div", "chunk"));
      chunks.at(-1).append(piece);
      this.#pieces.push(piece);
    });
    this.#marked = [];
    this.element.replaceChildren(...chunks);
    if (chunks.length === 0) this.element.append(create("p", "quiet empty", "Nothing: no line is body."));
    const characters = text.reduce((sum, line) => sum + line.length + 1, -1);
    this.facts.textContent = `${Math.max(characters, 0).toLocaleString("en")} characters`;
  }

  /** Mark the lines of the text from first to last, counted among the lines that are body. */
  mark(first, last) {
    this.#marked.forEach((piece) => piece.classList.remove("marked"));
    this.#marked = this.#pieces.slice(first, last + 1);
    this.#marked.forEach((piece) => piece.classList.add("marked"));
    this.#marked[0]?.scrollIntoView({ block: "nearest" });
  }
}
