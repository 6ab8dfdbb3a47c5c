import type { FabricStatus } from "../../../src/api/status.ts";
import { NAMESPACE } from "./rig.ts";
import { NEVER, THREE } from "./surfaces.ts";
import type { Surfaces, Telling } from "./surfaces.ts";

/** Every surface by its name: how it is read, and what it says. */
export const TELLERS: Readonly<Record<string, (at: Surfaces) => Promise<Telling>>> = {
  "the columns of a row": (at) =>
    at.rows("resource_state, drift_status, state_change_reason, drift_details ->> 'code'"),
  "the state and its reason": (at) => at.rows("resource_state, state_change_reason"),
  "the drift and its reason": (at) => at.rows("drift_status, drift_details ->> 'reason'"),
  "the view applied": (at) => at.rows("a.in_cluster, a.reason", "JOIN fabric_sync.applied a USING (resource_id)"),
  "the view fabrics": figuresOfView,
  "the view drifts, beside the view fabrics": async (at) => {
    const names = await at.rig.sql("SELECT name FROM fabric_sync.drifts WHERE fabric IN ('three', 'never')");
    // None of them is a drift: which of them it is not is told by fabrics alone.
    expect(names).toEqual([]);
    return figuresOfView(at);
  },
  explain: (at) =>
    at.each(async (kind) => {
      const text = await at.run("explain", `${NAMESPACE}/${THREE}`, `${kind}/one`);
      return /^ {2}drift .*$/m.exec(text)?.[0] ?? "";
    }),
  "explain --json": (at) =>
    at.each(async (kind) => {
      const text = await at.run("explain", `${NAMESPACE}/${THREE}`, `${kind}/one`, "--json");
      const { row } = JSON.parse(text) as { row: { driftStatus: string; driftDetails: { code?: string } } };
      return `${row.driftStatus} ${row.driftDetails.code ?? ""}`;
    }),
  "status of all": async (at) => {
    const lines = (await at.run("status")).split("\n").map((line) => line.split(/ {2,}/));
    const [title = []] = lines;
    const of = (name: string): Record<string, string> =>
      Object.fromEntries(
        (lines.find(([first]) => first === `${NAMESPACE}/${name}`) ?? []).map((cell, at) => [title[at] ?? "", cell]),
      );
    const { "IN SYNC": inSync = "", UNKNOWN: unknown = "" } = of(THREE);
    const [sure = "", later = ""] = unknown.split(" (");
    return {
      ...{ inSync: `${inSync} in sync`, unknown: `${sure} unknown`, notCompared: later },
      never: JSON.stringify(of(NEVER)),
    };
  },
  "status of one": async (at) => {
    const text = await at.run("status", `${NAMESPACE}/${THREE}`);
    return {
      inSync: /\d+ in sync/.exec(text)?.[0] ?? "",
      unknown: / unknown .*$/m.exec(text)?.[0] ?? "",
      notCompared: / not compared .*$/m.exec(text)?.[0] ?? "",
      never: await at.run("status", `${NAMESPACE}/${NEVER}`),
    };
  },
  landed: async (at) => {
    const lines = (await at.run("landed", `${NAMESPACE}/${THREE}`, at.commit)).split("\n");
    return at.each((kind) => Promise.resolve(afterName(lines, kind)));
  },
  verify: async (at) => {
    const text = await at.run("verify", `${NAMESPACE}/${THREE}`);
    return {
      inSync: /every row that was compared is right/.exec(text)?.[0] ?? "",
      unknown: /not compared: \S+hiddens: (.*)$/m.exec(text)?.[1] ?? "",
      notCompared: /not compared: \S+slows: (.*)$/m.exec(text)?.[1] ?? "",
      never: await at.run("verify", `${NAMESPACE}/${NEVER}`),
    };
  },
  "the Fabric's figures": async (at) => {
    const [three, never] = await Promise.all([at.status(THREE), at.status(NEVER)]);
    const told = (code: string): string =>
      JSON.stringify(three.drift?.unknownReasons?.find(({ reason }) => reason === code) ?? "");
    const figures = byFigure({ ...three.drift }, "inSync", "unknown", "notCompared");
    return {
      inSync: figures.inSync,
      unknown: `${figures.unknown} ${told("KindNotWatched")}`,
      notCompared: `${figures.notCompared} ${told("KindNotListed")}`,
      never: JSON.stringify(never.drift ?? "no figures"),
    };
  },
  "the Fabric's conditions": async (at) => {
    const [three, never] = await Promise.all([at.status(THREE), at.status(NEVER)]);
    const message = (status: FabricStatus, of: string): string =>
      status.conditions?.find(({ type }) => type === of)?.message ?? "";
    const landed = message(three, "Landed");
    return {
      inSync: /1 of 3 objects are in the cluster/.exec(landed)?.[0] ?? "",
      unknown: /1 object could not be determined/.exec(landed)?.[0] ?? "",
      notCompared: /1 object not compared yet/.exec(landed)?.[0] ?? "",
      never: message(never, "Landed"),
    };
  },
  "kubectl get fab -o wide": async (at) => {
    const table = await at.rig.plane.kubectl(["get", "fabrics.fabricsync.dev", "-n", NAMESPACE, "-o", "wide"]);
    const [title = "", ...lines] = table.split("\n");
    // Empty cells are blank: they are found where their title stands.
    const cell = (name: string, column: string): string => {
      const line = lines.find((one) => one.startsWith(`${name} `)) ?? "";
      const from = title.indexOf(column);
      return line.slice(from, from + column.length).trim();
    };
    const [inSync, unknown, notCompared] = ["IN SYNC", "UNKNOWN", "NOT COMPARED"];
    const of = (column: string): string => `${column} ${cell(THREE, column)}`;
    const never = [inSync, unknown, notCompared].map((column) => cell(NEVER, column)).join("|");
    return { inSync: of(inSync), unknown: of(unknown), notCompared: of(notCompared), never: `blank: ${never}` };
  },
  metrics: async (at) => {
    const text = await (await at.rig.operator.get("/metrics")).text();
    const series = text.split("\n").filter((line) => line.startsWith("fabric_sync_fabric_drift{"));
    const of = (fabric: string, drift: string): string =>
      series.find((line) => line.includes(`fabric="${fabric}"`) && line.includes(`drift="${drift}"`)) ?? "";
    const never = series.filter((line) => line.includes(`fabric="${NEVER}"`));
    return {
      ...{ inSync: of(THREE, "in_sync"), unknown: of(THREE, "unknown"), notCompared: of(THREE, "not_compared") },
      never: `no series: ${never.length}`,
    };
  },
};

/** What a line says beside the name of its object. */
function afterName(lines: readonly string[], kind: string): string {
  const line = lines.find((one) => one.startsWith(`${kind}.`)) ?? "";
  return line.slice(line.search(/ {2}/)).trim();
}

async function figuresOfView(at: Surfaces): Promise<Telling> {
  const [three, never] = await Promise.all([THREE, NEVER].map((name) => at.figures(name)));
  return { ...byFigure(three ?? {}, "in_sync", "unknown", "not_compared"), never: JSON.stringify(never) };
}

function byFigure(
  figures: Readonly<Record<string, unknown>>,
  ...[inSync, unknown, notCompared]: [string, string, string]
) {
  const of = (name: string): string => `${name}=${JSON.stringify(figures[name])}`;
  return { inSync: of(inSync), unknown: of(unknown), notCompared: of(notCompared) };
}
