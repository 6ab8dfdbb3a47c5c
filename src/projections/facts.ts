import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { pointer } from "../core/pointer.ts";
import type { ResourceRow } from "../core/row.ts";
import type { DeviceFact, ObservedName, Projection, Refusal, SetName } from "./projection.ts";
import { SETS } from "./projection.ts";
import { Unreadable } from "./values.ts";

type Lists = { -readonly [Name in SetName]: Projection[Name][number][] };

/** Fields by which the rows of a set are told apart, beside the resource: the key of the set's table. */
export const SET_KEYS: { readonly [Name in SetName]: readonly (keyof Projection[Name][number])[] } = {
  interfaces: ["device", "name"],
  addresses: ["device", "vrf", "address", "interface"],
  neighbors: ["device", "interface", "protocol", "remoteChassisId", "remotePort"],
  arpEntries: ["device", "vrf", "address", "interface"],
  macEntries: ["device", "vlan", "mac", "interface"],
  routes: ["device", "vrf", "prefix", "protocol", "nextHop", "interface"],
  bgpSessions: ["device", "vrf", "neighbor"],
  links: ["deviceA", "interfaceA", "deviceB", "interfaceB"],
  ports: ["port", "nosName"],
  subnets: ["name"],
  leases: ["mac", "address"],
};

/** Collects what a projector finds: one child that cannot be read costs itself. */
export class Facts {
  readonly #devices = new Map<string, DeviceFact>();
  readonly #lists: Lists = {
    interfaces: [],
    addresses: [],
    neighbors: [],
    arpEntries: [],
    macEntries: [],
    routes: [],
    bgpSessions: [],
    links: [],
    ports: [],
    subnets: [],
    leases: [],
  };
  readonly #seen = new Set<string>();
  readonly #observed = new Set<ObservedName>();
  readonly #refused: Refusal[] = [];

  /** A device with what is known of it; said twice, the first counts. */
  device(name: string, sourceKind: string, precedence: number, more: Partial<DeviceFact> = {}): void {
    if (name === "" || this.#devices.has(name)) return;
    this.#devices.set(name, {
      role: "",
      site: "",
      vendor: "",
      model: "",
      profile: "",
      serialNumber: "",
      nos: "",
      nosVersion: "",
      managementAddress: "",
      chassisId: "",
      asn: null,
      inventory: {},
      ...more,
      name,
      sourceKind,
      precedence,
    });
  }

  /** These are told of, be they empty. */
  observe(...sets: ObservedName[]): void {
    for (const set of sets) this.#observed.add(set);
  }

  /** Adds what `read` makes of the value at `path`; refused by that path when it cannot be read, or has the key of another. */
  add<Name extends SetName>(set: Name, path: readonly (string | number)[], read: () => Projection[Name][number]): void {
    this.observe(set);
    this.attempt(path, () => {
      const row = read();
      const key = `${set}\0${SET_KEYS[set].map((field) => String(row[field])).join("\0")}`;
      if (this.#seen.has(key)) throw new Unreadable("23505", "", "the same entry is there twice");
      this.#seen.add(key);
      (this.#lists[set] as Projection[Name][number][]).push(row);
    });
  }

  /** Runs `read`; what cannot be read is refused by `path`. */
  attempt(path: readonly (string | number)[], read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const { sqlstate, column, message } = error;
      this.#refused.push({ path: pointer(path), sqlstate, column, message });
    }
  }

  done(): Projection {
    return {
      devices: [...this.#devices.values()],
      ...this.#lists,
      observed: ([...SETS, "bfdSessions"] as const).filter((name) => this.#observed.has(name)),
      refused: this.#refused,
    };
  }
}

/** Of what is not there any more: no rows in any set. */
export const NOTHING: Projection = (() => {
  const facts = new Facts();
  facts.observe(...SETS);
  return facts.done();
})();

/** What counts of a resource that both sides may have: the cluster's where the object is there, else Git's. */
export function specOf(row: ResourceRow): JsonObject {
  const spec = row.actualSpec ?? row.desiredSpec;
  return isJsonObject(spec ?? undefined) ? (spec as JsonObject) : {};
}

export function statusOf(row: ResourceRow): JsonObject | null {
  const status = row.actualStatus;
  return isJsonObject(status ?? undefined) ? (status as JsonObject) : null;
}

/** The object at a path; null when there is none. */
export function at(value: JsonValue | null | undefined, ...path: string[]): JsonObject | null {
  let found: JsonValue | undefined = value ?? undefined;
  for (const name of path) found = isJsonObject(found) ? found[name] : undefined;
  return isJsonObject(found) ? found : null;
}

export function textAt(object: JsonObject | null, name: string): string {
  const value = object?.[name];
  if (typeof value !== "string" || value.includes("\0") || !value.isWellFormed()) return "";
  return value;
}
