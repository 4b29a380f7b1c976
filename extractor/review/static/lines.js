// The list of a page's lines: shows them, knows which run of them is chosen, and moves it by keyboard and mouse.

export const LABELS = ["body", "header", "nav", "related-link"];
const DOUBTFUL = 0.6; // the model gives the label it chose a smaller probability than this
const LINES_IN_A_CHUNK = 100; // what is far from the screen is laid out by the chunk, when it comes near
const LINES_ON_A_SCREEN = 15;

/** What the model gives the label that the line has now. */
export function probability(line) {
  return line.probabilities[LABELS.indexOf(line.label)];
}

export function isDoubtful(line) {
  return line.label === line.predicted && probability(line) < DOUBTFUL;
}

export function create(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

export class LineList {
  lines = [];
  active = 0;
  #anchor = 0;
  #rows = [];
  #dragging = false;

  /** moved(): another line or run is chosen. cycled(index): the label of a line was clicked. */
  constructor(element, { moved, cycled }) {
    this.element = element;
    this.moved = moved;
    element.addEventListener("pointerdown", (event) => this.#press(event));
    element.addEventListener("pointerover", (event) => this.#drag(event));
    addEventListener("pointerup", () => { this.#dragging = false; });
    element.addEventListener("click", (event) => {
      if (event.target.classList.contains("tag")) cycled(this.#indexOf(event.target));
    });
  }

  /** First and last line of the chosen run. */
  get run() {
    return [Math.min(this.active, this.#anchor), Math.max(this.active, this.#anchor)];
  }

  show(lines, active) {
    this.lines = lines;
    this.#rows = lines.map(rowOf);
    const chunks = [];
    for (let first = 0; first < lines.length; first += LINES_IN_A_CHUNK) {
      const chunk = create("div", "chunk");
      chunk.role = "presentation";
      chunk.append(...this.#rows.slice(first, first + LINES_IN_A_CHUNK));
      chunks.push(chunk);
    }
    this.element.replaceChildren(...chunks);
    this.active = this.#anchor = 0;
    this.element.scrollTop = 0;
    if (lines.length > 0) this.moveTo(Math.min(active, lines.length - 1));
  }

  /** Choose a line; extend: the run from where it began to this line. */
  moveTo(index, extend = false) {
    if (this.lines.length === 0) return;
    const before = this.run;
    this.#rows[this.active].classList.remove("active");
    this.active = Math.max(0, Math.min(index, this.lines.length - 1));
    if (!extend) this.#anchor = this.active;
    const row = this.#rows[this.active];
    this.#choose(before, this.run);
    row.classList.add("active");
    this.element.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
    this.moved();
  }

  chooseAll() {
    this.moveTo(0);
    this.moveTo(this.lines.length - 1, true);
  }

  /** Give lines, from the first on, these labels. */
  relabel(first, labels) {
    labels.forEach((label, offset) => {
      this.lines[first + offset].label = label;
      mark(this.#rows[first + offset], this.lines[first + offset]);
    });
  }

  /** The next doubtful line after the active one, or before it (step -1), or -1. */
  doubtful(step) {
    for (let index = this.active + step; index >= 0 && index < this.lines.length; index += step) {
      if (isDoubtful(this.lines[index])) return index;
    }
    return -1;
  }

  /** Move as a key says; whether it is one that moves. */
  move(event) {
    const steps = {
      ArrowUp: -1, ArrowDown: 1, k: -1, j: 1, K: -1, J: 1, PageUp: -LINES_ON_A_SCREEN, PageDown: LINES_ON_A_SCREEN,
      Home: -this.lines.length, End: this.lines.length,
    };
    if (!(event.key in steps)) return false;
    this.moveTo(this.active + steps[event.key], event.shiftKey);
    return true;
  }

  #choose([oldFirst, oldLast], [first, last]) {
    for (let index = oldFirst; index <= oldLast; index++) {
      if (index < first || index > last) this.#rows[index].setAttribute("aria-selected", "false");
    }
    for (let index = first; index <= last; index++) this.#rows[index].setAttribute("aria-selected", "true");
  }

  #press(event) {
    const index = this.#indexOf(event.target);
    if (index < 0 || event.button !== 0) return;
    this.#dragging = event.pointerType === "mouse";
    this.moveTo(index, event.shiftKey);
  }

  #drag(event) {
    const index = this.#indexOf(event.target);
    if (this.#dragging && index >= 0 && index !== this.active) this.moveTo(index, true);
  }

  #indexOf(element) {
    const row = element.closest(".line");
    return row === null ? -1 : Number(row.dataset.index);
  }
}

function rowOf(line, index) {
  const row = create("div", "line");
  row.id = `line-${index}`;
  row.role = "option";
  row.dataset.index = index;
  row.setAttribute("aria-selected", "false");
  if (line.gap && index > 0) row.classList.add("gap");
  const text = create("span", "words", line.text);
  text.dir = "auto";
  if (line.more > 0) text.append(create("span", "quiet", ` … and ${line.more.toLocaleString("en")} more characters`));
  const tag = create("span", "tag");
  tag.title = "Click for the next label";
  row.append(create("span", "number", line.number), tag, create("span", "probability"), text);
  mark(row, line);
  return row;
}

/** Show the label of a line: by its name, a colour and a kind of border, and how probable the model thinks it. */
function mark(row, line) {
  const [, tag, chance] = row.children;
  row.classList.remove(...LABELS);
  row.classList.add(line.label);
  row.classList.toggle("doubtful", isDoubtful(line));
  row.classList.toggle("changed", line.label !== line.predicted);
  tag.textContent = line.label;
  const found = probability(line);
  chance.textContent = line.label === line.predicted ? found.toFixed(2) : `was ${line.predicted}`;
  chance.style.setProperty("--share", `${found * 100}%`);
}
