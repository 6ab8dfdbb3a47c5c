/** What `explain` prints of one resource. Pure. */
import { describeKey } from "../core/identity.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { pointer } from "../core/pointer.ts";
import type { DeadLetter, ResourceStory } from "../core/ports.ts";
import type { ResourceEvent, ResourceRow } from "../core/row.ts";
import { readSyncMetadata } from "../core/sync-metadata.ts";
import { isNotCompared } from "../core/unknown.ts";
import { referencesSection } from "./explain-references.ts";
import { properties, shortened, table } from "./table.ts";
import { ago, shortCommit } from "./words.ts";

/** Fields of both sides that are printed before the rest is only counted: a page or two on a terminal. */
const MAX_FIELDS = 80;

export function explainText(story: ResourceStory, fabric: string, now: number): string {
  const { row } = story;
  return [
    `${describeKey(row)}  (${row.apiVersion})\nFabric ${fabric}\n\n`,
    properties(facts(row, now)),
    driftSection(row, now),
    ignoredSection(row),
    sidesSection(row),
    referencesSection(story.references),
    refusedSection(story.deadLetters, now),
    historySection(story.events, now),
  ].join("");
}

function facts(row: ResourceRow, now: number): [string, string][] {
  const since = row.stateChangeReason === "" ? "" : `: ${row.stateChangeReason}`;
  const drift = row.driftSince === null ? "" : ` since ${ago(row.driftSince, now)}`;
  const severity = row.driftSeverity === "none" ? "" : `, severity ${row.driftSeverity}, score ${row.driftScore}`;
  const reason = typeof row.driftDetails["reason"] === "string" ? `: ${row.driftDetails["reason"]}` : "";
  const facts: [string, string][] = [
    ["state", `${row.resourceState} since ${ago(row.lastStateChange, now)}${since}`],
    ["drift", `${driftWord(row)}${drift}${severity}${reason}`],
    ["checked", row.lastDriftCheck === null ? "never" : `last ${ago(row.lastDriftCheck, now)}`],
    ["git", gitFact(row, now)],
    ["cluster", clusterFact(row, now)],
  ];
  if (row.deletionRequestedAt !== null) facts.push(["deletion", `requested ${ago(row.deletionRequestedAt, now)}`]);
  if (row.conflictStatus !== "none") facts.push(["conflict", row.conflictStatus]);
  if (row.lastSyncError !== "") facts.push(["last error", row.lastSyncError]);
  return facts;
}

/** What is unknown only until a comparison is done is told as that. */
function driftWord({ driftStatus, driftDetails }: ResourceRow): string {
  return isNotCompared(driftStatus, driftDetails) ? "not compared yet" : driftStatus.replaceAll("_", " ");
}

function gitFact(row: ResourceRow, now: number): string {
  if (row.desiredSpec === null) return "does not declare it";
  const { author, at: madeAt } = readSyncMetadata(row.syncMetadata).blame;
  const when = madeAt === "" ? "" : ` ${ago(madeAt, now)}`;
  const made = author === "" ? "" : `, made by ${nameOf(author)}${when}`;
  const at = `commit ${shortCommit(row.desiredCommit)}, taken in ${ago(row.desiredUpdated, now)}${made}`;
  return `${row.desiredFilePath}:${row.desiredLine}, ${at}`;
}

function clusterFact(row: ResourceRow, now: number): string {
  if (row.actualSpec === null) return "does not have it";
  const version = `generation ${row.actualGeneration}, resourceVersion ${row.actualResourceVersion}`;
  return `${version}, changed ${ago(row.actualUpdated, now)}`;
}

interface DriftedPath {
  readonly path: string;
  readonly desired: string;
  readonly actual: string;
  readonly where: string;
  readonly by: string;
}

function driftSection(row: ResourceRow, now: number): string {
  const paths = row.driftDetails["paths"];
  if (!Array.isArray(paths) || paths.length === 0) return "";
  const rows = paths.filter(isJsonObject).map((path) => driftedPath(path, row, now));
  const truncated = row.driftDetails["truncated"] === true ? "More paths differ than were recorded.\n" : "";
  const columns = table<DriftedPath>(
    [
      { title: "DRIFTED PATH", value: ({ path }) => path, max: 36 },
      { title: "GIT", value: ({ desired }) => desired, max: 16 },
      { title: "CLUSTER", value: ({ actual }) => actual, max: 16 },
      { title: "CHANGED BY", value: ({ by }) => by, max: 24 },
    ],
    rows,
  );
  const places = new Set(rows.map(({ where }) => where));
  return `\n${columns}${truncated}${[...places].map((where) => `declared at ${where}\n`).join("")}`;
}

/** What the Fabric's rules kept from counting; also of a row in sync. */
function ignoredSection(row: ResourceRow): string {
  const ignored = row.driftDetails["ignored"];
  if (!Array.isArray(ignored) || ignored.length === 0) return "";
  const more = row.driftDetails["ignoredTruncated"] === true ? "  and more than were recorded\n" : "";
  return `\nIgnored by the Fabric's rules:\n${ignored.map((path) => `  ${String(path)}\n`).join("")}${more}`;
}

function driftedPath(path: JsonObject, row: ResourceRow, now: number): DriftedPath {
  const text = (name: string): string => {
    const value = path[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  const file = text("file") === "" ? row.desiredFilePath : text("file");
  const line = text("line") === "" ? row.desiredLine : text("line");
  const commit = text("commit") === "" ? row.desiredCommit : text("commit");
  const at = text("at") === "" ? "" : `, ${ago(text("at"), now)}`;
  return {
    path: text("path"),
    desired: valueText(path["desired"]),
    actual: valueText(path["actual"]),
    where: `${file}:${line}${text("column") === "" ? "" : `:${text("column")}`} (${shortCommit(commit)})`,
    by: `${path["candidate"] === true && text("manager") !== "" ? "perhaps " : ""}${text("manager")}${at}`,
  };
}

interface Field {
  readonly mark: string;
  readonly path: string;
  readonly git: string;
  readonly cluster: string;
}

function sidesSection(row: ResourceRow): string {
  const git = leavesOf(row.desiredSpec);
  const cluster = leavesOf(row.actualSpec);
  const paths = [...new Set([...git.keys(), ...cluster.keys()])];
  if (paths.length === 0) return "";
  const fields = paths.map((path): Field => {
    const [wanted, found] = [git.get(path), cluster.get(path)];
    const mark = wanted === found ? "" : wanted === undefined ? "+" : found === undefined ? "-" : "~";
    return { mark, path, git: wanted ?? "", cluster: found ?? "" };
  });
  const shown = fields.slice(0, MAX_FIELDS);
  const rest = fields.length - shown.length;
  const columns = table<Field>(
    [
      { title: "FIELD", value: ({ path }) => path, max: 50 },
      { title: "GIT", value: (field) => field.git, max: 20 },
      { title: "CLUSTER", value: (field) => field.cluster, max: 20 },
      { title: " ", value: ({ mark }) => (mark === "" ? " " : mark) },
    ],
    shown,
  );
  return `\n${columns}${rest > 0 ? `and ${rest} more fields; --json has them all\n` : ""}`;
}

/** Every leaf of a value by its JSON pointer; empty lists and objects are leaves. */
function leavesOf(value: JsonValue): Map<string, string> {
  const leaves = new Map<string, string>();
  const walk = (item: JsonValue, path: readonly (string | number)[]): void => {
    if (Array.isArray(item) && item.length > 0) item.forEach((one, index) => walk(one, [...path, index]));
    else if (isJsonObject(item) && Object.keys(item).length > 0) {
      for (const [key, one] of Object.entries(item)) walk(one, [...path, key]);
    } else leaves.set(pointer(path), item === null ? "null" : valueText(item));
  };
  // null: this side does not exist. Paths are those of the whole object, as drift tells them.
  if (value !== null) walk(value, ["spec"]);
  return leaves;
}

function valueText(value: JsonValue | undefined): string {
  // A recorded null stands for "not there".
  if (value === undefined || value === null) return "";
  return typeof value === "string" && value !== "" ? value : JSON.stringify(value);
}

function refusedSection(letters: readonly DeadLetter[], now: number): string {
  return letters
    .map(({ side, sqlstate, constraint, column, message, attempts, lastFailedAt }) => {
      const named = [sqlstate, constraint, column].filter((part) => part !== "").join(", ");
      return `\nRefused by the database: ${side} side, ${attempts}×, last ${ago(lastFailedAt, now)}\n  ${named}\n  ${shortened(message, 96)}\n`;
    })
    .join("");
}

function nameOf(author: string): string {
  return author.replace(/ <[^>]*>$/, "");
}

/** A manager, or an author without the address; how it was seen where neither is known. */
function by({ actor, trigger }: ResourceEvent): string {
  return nameOf(actor) || trigger;
}

/** How much the drift mattered after the change. */
function score({ driftSeverity, driftScore }: ResourceEvent): string {
  return driftSeverity === "none" ? "" : `${driftSeverity} ${driftScore}`;
}

function historySection(events: readonly ResourceEvent[], now: number): string {
  if (events.length === 0) return "\nNo history.\n";
  const change = (before: string, after: string): string => (before === after ? after : `${before} → ${after}`);
  return `\n${table<ResourceEvent>(
    [
      { title: "WHEN", value: ({ at }) => ago(at, now) },
      { title: "SIDE", value: ({ side }) => side },
      { title: "EVENT", value: ({ eventType }) => eventType },
      { title: "STATE", value: (event) => change(event.stateBefore, event.stateAfter), max: 22 },
      { title: "DRIFT", value: (event) => change(event.driftBefore, event.driftAfter), max: 20 },
      { title: "SCORE", value: score, align: "right" },
      { title: "BY", value: by, max: 18 },
      { title: "AT", value: (event) => shortCommit(event.commit) || event.resourceVersion, max: 10 },
    ],
    events,
  )}`;
}
