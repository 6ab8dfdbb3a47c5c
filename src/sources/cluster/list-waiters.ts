interface Waiter {
  /** The number of the list that will do. */
  readonly need: number;
  readonly done: PromiseWithResolvers<void>;
}

/** Who waits for a complete list of what is there now: one that was begun before they asked does not count. */
export class ListWaiters {
  #waiters: Waiter[] = [];
  /** Lists begun so far, by their requests. */
  #begun = 0;

  get waiting(): boolean {
    return this.#waiters.length > 0;
  }

  /** Resolves when the next list that begins is in the table. */
  next(): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiters.push({ need: this.#begun + 1, done });
    return done.promise;
  }

  /** A list begins. */
  begun(): void {
    this.#begun += 1;
  }

  /** Takes out those for whom the list that was begun last will do; they are told when it is in the table. */
  take(): ListWaiters {
    const taken = new ListWaiters();
    taken.#waiters = this.#waiters.filter(({ need }) => need <= this.#begun);
    this.#waiters = this.#waiters.filter(({ need }) => need > this.#begun);
    return taken;
  }

  resolve(): void {
    for (const { done } of this.#waiters.splice(0)) done.resolve();
  }

  reject(error: unknown): void {
    for (const { done } of this.#waiters.splice(0)) done.reject(error);
  }
}
