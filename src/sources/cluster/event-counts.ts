import type { FabricLabels, Telemetry } from "../../core/telemetry.ts";

/** Counts a stream's events, and tells them by the chunk: one call for each was measured to take as long as the hash of its object. */
export class EventCounts {
  readonly #telemetry: Pick<Telemetry, "streamEvents">;
  readonly #labels: FabricLabels & { readonly kind: string };
  readonly #counts = new Map<string, number>();

  constructor(telemetry: Pick<Telemetry, "streamEvents">, labels: FabricLabels & { readonly kind: string }) {
    this.#telemetry = telemetry;
    this.#labels = labels;
  }

  add(type: string, events = 1): void {
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + events);
  }

  tell(): void {
    for (const [type, events] of this.#counts) this.#telemetry.streamEvents({ ...this.#labels, type }, events);
    this.#counts.clear();
  }
}
