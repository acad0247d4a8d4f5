// Whether the server can be reached, and how long to wait before the next try.

const FIRST_WAIT = 1000; // ms
const LONGEST_WAIT = 30_000;

/** The wait before try number `attempt` (from 0), doubled each time and scattered, so that not all browsers come at once. */
export const backoff = (attempt, chance = Math.random()) =>
  Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt) * (0.75 + 0.5 * chance);

/** Fires "change" when the connection is lost or back. */
export class Link extends EventTarget {
  lost = !navigator.onLine;

  constructor() {
    super();
    addEventListener("offline", () => this.set(true));
    addEventListener("online", () => this.set(false));
  }

  set(lost) {
    if (lost === this.lost) return;
    this.lost = lost;
    this.dispatchEvent(new Event("change"));
  }

  /** Wait before try number `attempt`; less long if the browser says that it is on line again. */
  wait(attempt) {
    return new Promise((resolve) => {
      const end = () => { clearTimeout(timer); removeEventListener("online", end); resolve(); };
      const timer = setTimeout(end, backoff(attempt));
      addEventListener("online", end);
    });
  }
}
