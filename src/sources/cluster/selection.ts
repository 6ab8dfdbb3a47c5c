import { DEVICE_STATE } from "../../core/device-state.ts";
import type { DiscoveredKind, Discovery } from "./discovery.ts";
import { formatScope } from "./scope.ts";

/** One entry of Fabric.spec.resources. */
export interface ResourceSelection {
  /** An API group; '' the core group; `*.suffix` every group below it; '*' all. */
  readonly group: string;
  /** The server's preferred one when absent. */
  readonly version?: string | undefined;
  /** Kinds, or '*'. */
  readonly kinds: readonly string[];
  /** All namespaces, and cluster-scoped objects, when absent or empty. */
  readonly namespaces?: readonly string[] | undefined;
  readonly labelSelector?: string | undefined;
}

/** One list/watch stream: what it asks the server for. */
export interface StreamSpec {
  /** Name of its cursor: `group/version/plural[?selector][@namespace]`, the core group as ''. */
  readonly scope: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** '' = all. */
  readonly namespace: string;
  /** '' = every object. */
  readonly labelSelector: string;
}

/** Something that was asked for and cannot be watched now. */
export interface Unmet {
  readonly scope: string;
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  /** `gone`: the server serves no such kind. `unknown`: its group could not be read. `refused`: the selection cannot be carried out. */
  readonly state: "gone" | "unknown" | "refused";
  readonly reason: string;
  readonly message: string;
}

export interface Selected {
  readonly streams: readonly StreamSpec[];
  readonly unmet: readonly Unmet[];
}

/**
 * Our own objects: the status of a Fabric is written from what was mirrored, and mirroring that would never come to rest. A DeviceState is what a
 * collector tells; our answer in its status is no part of its content.
 */
const OWN_GROUP = "fabricsync.dev";
const isOwn = (group: string, kind: string): boolean => group === OWN_GROUP && kind !== DEVICE_STATE.kind;

/**
 * The streams that a selection means on a server that serves these kinds. Each object is in at most one stream: a stream for all
 * namespaces replaces those for single ones, one without a label selector those with; two different selectors over the same
 * namespace of one kind are refused, because an object that leaves one of them would not be gone.
 */
export function selectStreams(selections: readonly ResourceSelection[], discovery: Discovery): Selected {
  const wanted = new Map<string, { kind: DiscoveredKind; terms: Term[] }>();
  const unmet: Unmet[] = [];
  for (const selection of selections) {
    const found = discovery.kinds.filter((kind) => selects(selection, kind));
    for (const kind of found.filter(isWatchable)) {
      const resource = `${kind.group}/${kind.plural}`;
      const entry = wanted.get(resource) ?? { kind, terms: [] };
      // Two entries that name different versions of one kind would write the same rows twice: the first one counts.
      wanted.set(resource, entry);
      entry.terms.push(...termsOf(selection, kind));
    }
    unmet.push(...missing(selection, found, discovery));
  }
  const streams: StreamSpec[] = [];
  for (const { kind, terms } of wanted.values()) {
    const result = disjoint(terms);
    if (result === null) unmet.push(overlap(kind));
    else streams.push(...result.map((term) => streamSpec(kind, term)));
  }
  return { streams, unmet };
}

/** Whether the entry asks for objects of this group and kind, in whatever version and scope. */
export function asksFor(selection: ResourceSelection, group: string, kind: string): boolean {
  if (isOwn(group, kind) || !matchesGroup(selection.group, group)) return false;
  return selection.kinds.includes("*") || selection.kinds.includes(kind);
}

interface Term {
  readonly namespace: string;
  readonly labelSelector: string;
}

function selects(selection: ResourceSelection, kind: DiscoveredKind): boolean {
  if (!asksFor(selection, kind.group, kind.kind)) return false;
  return selection.version === undefined ? kind.preferred : selection.version === kind.version;
}

function matchesGroup(pattern: string, group: string): boolean {
  if (pattern === "*") return true;
  return pattern.startsWith("*.") ? group.endsWith(pattern.slice(1)) : pattern === group;
}

function isWatchable(kind: DiscoveredKind): boolean {
  return kind.verbs.includes("list") && kind.verbs.includes("watch");
}

/** A cluster-scoped kind is in no namespace: an entry for some namespaces asks for none of it. */
function termsOf(selection: ResourceSelection, kind: DiscoveredKind): Term[] {
  const labelSelector = (selection.labelSelector ?? "").trim();
  const namespaces = selection.namespaces ?? [];
  if (namespaces.length === 0) return [{ namespace: "", labelSelector }];
  return kind.namespaced ? namespaces.map((namespace) => ({ namespace, labelSelector })) : [];
}

/** The terms without those that another one holds; null when two of the rest overlap. */
function disjoint(terms: readonly Term[]): Term[] | null {
  const unique = new Map(terms.map((term) => [`${term.namespace}\0${term.labelSelector}`, term]));
  const rest = [...unique.values()].filter(
    (term) => ![...unique.values()].some((other) => other !== term && holds(other, term)),
  );
  const byNamespace = new Set(rest.map((term) => term.namespace));
  const overlaps = byNamespace.size < rest.length || (byNamespace.has("") && rest.length > 1);
  return overlaps ? null : rest;
}

function holds(outer: Term, inner: Term): boolean {
  const namespace = outer.namespace === "" || outer.namespace === inner.namespace;
  return namespace && (outer.labelSelector === "" || outer.labelSelector === inner.labelSelector);
}

function streamSpec(kind: DiscoveredKind, { namespace, labelSelector }: Term): StreamSpec {
  const { group, version, plural, namespaced } = kind;
  const scope = scopeOf(group, version, plural, labelSelector, namespace);
  return { scope, group, version, kind: kind.kind, plural, namespaced, namespace, labelSelector };
}

function scopeOf(group: string, version: string, plural: string, labelSelector = "", namespace = ""): string {
  return formatScope({ group, version, plural, labelSelector, namespace });
}

/** What an entry names and the server does not serve. A kind without list and watch is said too when it was named. */
function missing(selection: ResourceSelection, found: readonly DiscoveredKind[], discovery: Discovery): Unmet[] {
  const broken = discovery.broken.find(({ group }) => matchesGroup(selection.group, group));
  const named = selection.kinds.includes("*") ? (found.length === 0 ? ["*"] : []) : selection.kinds;
  return named.flatMap((kind): Unmet[] => {
    const kinds = found.filter((one) => one.kind === kind);
    if (kinds.some(isWatchable)) return [];
    const { group } = selection;
    const base = { scope: scopeOf(group, selection.version ?? "*", kind), group, kind, plural: kinds[0]?.plural ?? "" };
    if (isOwn(group, kind)) {
      return [{ ...base, state: "refused", reason: "OwnKind", message: "a Fabric does not mirror Fabrics" }];
    }
    if (broken) return [{ ...base, state: "unknown", reason: "GroupUnavailable", message: broken.message }];
    const what = kind === "*" ? `no kind of group ${group}` : `no kind ${kind} of group '${group}'`;
    const message =
      kinds.length > 0
        ? `${kind} cannot be listed and watched`
        : `the API server serves ${what}${selection.version === undefined ? "" : ` in version ${selection.version}`}`;
    return [{ ...base, state: "gone", reason: kinds.length > 0 ? "NotWatchable" : "NotServed", message }];
  });
}

function overlap(kind: DiscoveredKind): Unmet {
  const { group, version, plural } = kind;
  return {
    scope: scopeOf(group, version, plural),
    group,
    kind: kind.kind,
    plural,
    state: "refused",
    reason: "SelectorsOverlap",
    message: `spec.resources selects ${kind.kind} twice in one namespace with different label selectors; make them one`,
  };
}
