/**
 * What differs between Git and cluster without anybody drifting: what the API server, defaulting webhooks and controllers rewrite.
 * Phase one of drift knows no schema, so this table is all that it knows about kinds.
 */
import { isJsonObject, sameJson } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { pathTree } from "./path-tree.ts";
import type { PathTree } from "./path-tree.ts";
import { segmentsOf } from "./pointer.ts";
import { sameQuantity } from "./quantity.ts";

/** One path at which more than plain equality counts as equal. */
export interface PathRule {
  /** Equal although the values differ. `actual` is undefined where the cluster has nothing. */
  readonly same?: (desired: JsonValue, actual: JsonValue | undefined, where: Where) => boolean;
  /** The list's order does not matter. */
  readonly unordered?: true;
  /** The platform fills the field in where Git leaves it out: no addition of anybody's, inside of a list that is applied as a whole either. */
  readonly filledIn?: true;
  /** The normal form of a map's keys. */
  readonly mapKey?: (key: string) => string;
}
export interface Where {
  /** What Git declares beside the value. */
  readonly siblings: JsonObject;
  /** What the cluster has beside the value. */
  readonly actualSiblings: JsonObject;
}

export interface KindRules {
  /** Typed Go structs with `omitempty` drop `false`, `0` and `""`: declared zero and absent are the same. */
  readonly zeroIsAbsent: boolean;
  /** Kinds built into Kubernetes: lists with merge keys, quantities in their canonical form. */
  readonly builtIn: boolean;
  /** Rules from the object's root. */
  readonly paths: PathTree<PathRule>;
  /** Labels that a controller wipes and makes anew; what Git says there never counts. */
  readonly ownLabel: (name: string) => boolean;
}

const UNORDERED: PathRule = { unordered: true };
const MAC: PathRule = { same: (desired, actual) => bothTexts(desired, actual, plainMac) };
const SPEED: PathRule = {
  same: (desired, actual) => bothTexts(desired, actual, (text) => text.replace(/^SPEED_/, "")),
};

/**
 * The fabric platform's defaulting webhooks and hydration. Values they *add* need no rule where only what Git declares is compared, that is anywhere but
 * in lists that are applied as a whole.
 */
const FABRIC_RULES: Readonly<Record<string, Readonly<Record<string, PathRule>>>> = {
  "VPC.vpc.githedgehog.com": {
    "/spec/staticRoutes": UNORDERED,
    "/spec/subnets/*/dhcp/options/dnsServers": UNORDERED,
    "/spec/subnets/*/dhcp/options/timeServers": UNORDERED,
    "/spec/subnets/*/dhcp/options/advertisedRoutes": UNORDERED,
    "/spec/subnets/*/dhcp/static": { mapKey: plainMac },
    // The range is dropped where DHCP is off.
    "/spec/subnets/*/dhcp/range": {
      same: (_desired, actual, { siblings }) => actual === undefined && siblings["enable"] !== true,
    },
  },
  "Switch.wiring.githedgehog.com": {
    "/spec/boot/mac": MAC,
    "/spec/vlanNamespaces": UNORDERED,
    // The redundancy group is appended, then the list is sorted.
    "/spec/groups": { unordered: true, same: sameGroups },
    "/spec/portSpeeds/*": SPEED,
    "/spec/portGroupSpeeds/*": SPEED,
  },
  // Addresses of links between switches, and to gateways.
  "Connection.wiring.githedgehog.com": { "/spec/*/links/*/*/ip": { filledIn: true } },
  "VPCAttachment.vpc.githedgehog.com": {
    "/spec/subnet": { same: (desired, actual) => typeof desired === "string" && actual === `${desired}/default` },
  },
  "ExternalPeering.vpc.githedgehog.com": {
    "/spec/permit/vpc/subnets": UNORDERED,
    "/spec/permit/external/prefixes": UNORDERED,
  },
  "IPv4Namespace.vpc.githedgehog.com": { "/spec/subnets": UNORDERED },
  "Gateway.gateway.githedgehog.com": { "/spec/groups": UNORDERED, "/spec/vtepMAC": MAC },
};

const QUANTITY: PathRule = { same: sameAsQuantity };
/** Where built-in kinds hold quantities, by the path's end; prefixes are the places of a pod template. */
const QUANTITY_PATHS: readonly string[] = ["", "/spec/template", "/spec/jobTemplate/spec/template"]
  .flatMap((pod) => [`${pod}/spec/containers/*/resources`, `${pod}/spec/initContainers/*/resources`])
  .concat("/spec/resources", "/spec/volumeClaimTemplates/*/spec/resources")
  .flatMap((resources) => [`${resources}/limits/*`, `${resources}/requests/*`])
  .concat("/spec/capacity/*", "/spec/hard/*");

const compiled: ReadonlyMap<string, PathTree<PathRule>> = new Map(
  Object.entries(FABRIC_RULES).map(([kind, rules]) => [
    kind,
    pathTree(Object.entries(rules).map(([path, rule]) => [segmentsOf(path), rule] as const)),
  ]),
);
const NO_RULES: PathTree<PathRule> = pathTree<PathRule>([]);
const BUILT_IN: KindRules = {
  zeroIsAbsent: true,
  builtIn: true,
  paths: pathTree(QUANTITY_PATHS.map((path) => [segmentsOf(path), QUANTITY] as const)),
  ownLabel: () => false,
};
const UNKNOWN_KIND: KindRules = { zeroIsAbsent: false, builtIn: false, paths: NO_RULES, ownLabel: () => false };

/** The rules for a kind. */
export function rulesFor(apiGroup: string, kind: string): KindRules {
  if (!apiGroup.includes(".") || apiGroup.endsWith(".k8s.io")) return BUILT_IN;
  if (!apiGroup.endsWith("githedgehog.com")) return UNKNOWN_KIND;
  return {
    zeroIsAbsent: true,
    builtIn: false,
    paths: compiled.get(`${kind}.${apiGroup}`) ?? NO_RULES,
    ownLabel: isFabricLabel,
  };
}

/** `fabric.githedgehog.com/…` and `switch.fabric.githedgehog.com/…`. */
function isFabricLabel(name: string): boolean {
  const domain = name.slice(0, Math.max(0, name.indexOf("/")));
  return domain === "fabric.githedgehog.com" || domain.endsWith(".fabric.githedgehog.com");
}

function sameGroups(desired: JsonValue, actual: JsonValue | undefined, { actualSiblings }: Where): boolean {
  if (!Array.isArray(desired) || !Array.isArray(actual)) return false;
  const redundancy = actualSiblings["redundancy"];
  const appended = isJsonObject(redundancy) ? redundancy["group"] : undefined;
  const declared = appended === undefined || desired.includes(appended) ? desired : [...desired, appended];
  return sameJson(texts(declared), texts(actual));
}

/** Sorted; duplicates count. */
function texts(list: readonly JsonValue[]): JsonValue[] {
  return list.map((item) => JSON.stringify(item)).sort();
}

/** `0C-20-12-FF-00-00`, `0c20.12ff.0000` and `0c:20:12:ff:00:00` are one address. Other texts stay as they are. */
function plainMac(text: string): string {
  const digits = text.replace(/[-:.]/g, "").toLowerCase();
  return /^[0-9a-f]{12}$/.test(digits) ? digits : text;
}

function bothTexts(desired: JsonValue, actual: JsonValue | undefined, normal: (text: string) => string): boolean {
  return typeof desired === "string" && typeof actual === "string" && normal(desired) === normal(actual);
}

function sameAsQuantity(desired: JsonValue, actual: JsonValue | undefined): boolean {
  const isText = typeof desired === "string" || typeof desired === "number";
  return isText && (typeof actual === "string" || typeof actual === "number")
    ? sameQuantity(String(desired), String(actual))
    : false;
}
