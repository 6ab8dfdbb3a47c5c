import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { ResourceRow } from "../core/row.ts";
import { at, Facts, specOf, textAt } from "./facts.ts";
import type { Projection } from "./projection.ts";
import { keyText } from "./values.ts";

/**
 * SwitchProfile (wiring): what the operating system calls each port, in every way in which the port can be broken out. `E1/32` as 4x25G is
 * E1/32/1 to E1/32/4, called after the port's base name and the offset of each; `E1/32` itself is the first of them.
 */
export function projectSwitchProfile(row: ResourceRow): Projection {
  const facts = new Facts();
  facts.observe("ports");
  const spec = specOf(row);
  for (const [port, value] of Object.entries(at(spec, "ports") ?? {})) {
    if (!isJsonObject(value)) continue;
    const names = new Map<string, readonly [port: string, nosName: string]>();
    const call = (name: string, nosName: string): void => {
      if (nosName !== "") names.set(`${name}\0${nosName}`, [name, nosName]);
    };
    call(port, textAt(value, "nos"));
    const base = textAt(value, "baseNOSName");
    call(port, base);
    for (const offsets of breakoutsOf(spec, value)) {
      offsets.forEach((offset, index) => call(`${port}/${index + 1}`, plus(base, offset)));
    }
    for (const [name, nosName] of names.values()) {
      facts.add("ports", ["spec", "ports", port], () => ({
        profile: row.name,
        port: keyText(name, "port"),
        nosName: keyText(nosName, "nos"),
      }));
    }
  }
  return facts.done();
}

function breakoutsOf(spec: JsonObject, port: JsonObject): number[][] {
  const supported = at(spec, "portProfiles", textAt(port, "profile"), "breakout", "supported");
  return Object.values(supported ?? {}).map((mode) => {
    const offsets = at(mode)?.["offsets"];
    return Array.isArray(offsets) ? offsets.map(Number).filter(Number.isInteger) : [];
  });
}

/** `Ethernet124` and 2: `Ethernet126`. */
function plus(base: string, offset: number): string {
  const match = /^(.*?)(\d+)$/.exec(base);
  return match === null ? "" : `${match[1]}${Number(match[2]) + offset}`;
}
