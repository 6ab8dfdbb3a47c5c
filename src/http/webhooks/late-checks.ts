import type { Check } from "./check.ts";

/** Bytes of bodies that are held: two of the longest, or hundreds as they are. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Their headers are 16 KiB each at most. */
const MOST_CHECKS = 256;

/** Deliveries that were refused before their Secret was read. They are held until it is, as far as there is room. */
export class LateChecks {
  #checks = 0;
  #bytes = 0;

  /** Whether there was room; a check that finds none is dropped. */
  hold(check: Check): boolean {
    const { bytes } = check;
    if (this.#checks >= MOST_CHECKS || this.#bytes + bytes > MOST_BYTES) {
      check.drop();
      return false;
    }
    this.#checks += 1;
    this.#bytes += bytes;
    void check.ended.then(() => {
      this.#checks -= 1;
      this.#bytes -= bytes;
    });
    return true;
  }
}
