import { isIP, isIPv4 } from "node:net";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";

/** Why a child is refused; thrown by the readers below and caught by `Facts`. */
export class Unreadable extends Error {
  readonly sqlstate: string;
  readonly column: string;

  constructor(sqlstate: string, column: string, message: string) {
    super(message);
    this.sqlstate = sqlstate;
    this.column = column;
  }
}

/**
 * Longest text of a key (bytes): seven of them and the rest fit an index row of 2,704 bytes. Kubernetes names have 253, interface names 15 to 63.
 */
const KEY_LIMIT = 255;

/** The fields of one child, each read by its type; what is missing is '' or null, what is wrong is refused by its name. */
export class Fields {
  readonly #object: JsonObject;

  constructor(value: JsonValue | undefined) {
    if (!isJsonObject(value)) throw new Unreadable("22P02", "", "not an object");
    this.#object = value;
  }

  value(name: string): JsonValue | undefined {
    return this.#object[name];
  }

  text(name: string): string {
    const value = this.#object[name];
    if (value === undefined || value === null) return "";
    if (typeof value === "string") return storable(value, name);
    if (typeof value === "number") return String(value);
    throw new Unreadable("22P02", name, `${name} is not a text`);
  }

  /** Text that is part of a key. */
  key(name: string): string {
    return keyText(this.text(name), name);
  }

  requiredKey(name: string): string {
    const text = this.key(name);
    if (text === "") throw new Unreadable("23502", name, `${name} is missing`);
    return text;
  }

  flag(name: string): boolean | null {
    const value = this.#object[name];
    return typeof value === "boolean" ? value : null;
  }

  /** A whole number from `least` to `most`; null when it is not given. */
  whole(name: string, least: number, most: number): number | null {
    const value = this.#object[name];
    if (value === undefined || value === null) return null;
    const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number !== "number" || !Number.isInteger(number)) {
      throw new Unreadable("22P02", name, `${name} is not a whole number`);
    }
    if (number < least || number > most) {
      throw new Unreadable("22003", name, `${name} is not between ${least} and ${most}`);
    }
    return number;
  }

  object(name: string): JsonObject {
    const value = this.#object[name];
    return isJsonObject(value) ? value : {};
  }

  /** One of `words`, in whatever case and with - or _ or neither between its parts; `otherwise` when it is not given. */
  word<Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word {
    const text = this.text(name);
    if (text === "") return otherwise;
    const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_ ]/g, "");
    const found = words.find((word) => plain(word) === plain(text));
    if (found === undefined) throw new Unreadable("22P02", name, `${name} is none of ${words.join(", ")}`);
    return found;
  }

  time(name: string): string | null {
    const text = this.text(name);
    if (text === "") return null;
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) throw new Unreadable("22P02", name, `${name} is not a time`);
    return new Date(ms).toISOString();
  }
}

export function keyText(text: string, name: string): string {
  if (Buffer.byteLength(text) > KEY_LIMIT)
    throw new Unreadable("54000", name, `${name} is longer than ${KEY_LIMIT} bytes`);
  return storable(text, name);
}

/** Postgres holds no NUL and no half of a surrogate pair. */
function storable(text: string, name: string): string {
  if (text.includes("\0") || !text.isWellFormed()) {
    throw new Unreadable("22021", name, `${name} holds a character that cannot be stored`);
  }
  return text;
}

/** An address with its prefix length, in the one form in which equal ones are equal texts: `10.0.0.1/31`, `2001:db8::1`. */
export function address(text: string, name: string): string {
  const [host = "", length, ...rest] = text.split("/");
  const bits = bitsOf(host);
  const prefix = length === undefined ? bits : prefixLength(length, bits);
  if (bits === 0 || prefix === null || rest.length > 0) {
    throw new Unreadable("22P02", name, `${name} is not an IP address: ${quoted(text)}`);
  }
  const plain = canonicalHost(host);
  if (plain === "0.0.0.0") throw new Unreadable("23514", name, `${name} is nobody's address: ${quoted(text)}`);
  return prefix === bits ? plain : `${plain}/${prefix}`;
}

/** An address without a prefix length; '' stays ''. */
export function host(text: string, name: string): string {
  return text === "" ? "" : (address(text, name).split("/")[0] ?? "");
}

/** A network, canonical; bits beyond the prefix length must be zero. */
export function network(text: string, name: string): string {
  const [base = "", length, ...rest] = text.split("/");
  const bits = bitsOf(base);
  const prefix = length === undefined ? bits : prefixLength(length, bits);
  if (bits === 0 || prefix === null || rest.length > 0) {
    throw new Unreadable("22P02", name, `${name} is not a network: ${quoted(text)}`);
  }
  if (!hasZeroTail(base, bits, prefix)) {
    throw new Unreadable("22P02", name, `${name} has bits set to the right of its prefix length: ${quoted(text)}`);
  }
  const plain = canonicalHost(base);
  if (plain === "255.255.255.255") throw new Unreadable("23514", name, `${name} is nobody's route: ${quoted(text)}`);
  return `${plain}/${prefix}`;
}

/** A MAC address in the form `0c:20:12:fe:00:01`, of any usual spelling. */
export function mac(text: string, name: string): string {
  const digits = text.toLowerCase().replaceAll(/[-:.]/g, "");
  if (!/^[0-9a-f]{12}$/.test(digits) || digits === "000000000000") {
    throw new Unreadable("22P02", name, `${name} is not a MAC address: ${quoted(text)}`);
  }
  return digits.replaceAll(/(..)(?=.)/g, "$1:");
}

/** A MAC address that merely describes: as it was told where it is none. */
export function looseMac(text: string): string {
  const digits = text.toLowerCase().replaceAll(/[-:.]/g, "");
  return /^[0-9a-f]{12}$/.test(digits) ? digits.replaceAll(/(..)(?=.)/g, "$1:") : text;
}

/** `100G`, `SPEED_25GB`, `1000` (Mbit/s) as Mbit/s; 0 when it is not told or not understood. */
export function speedMbps(value: JsonValue | undefined): number {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 ? value : 0;
  const match = /^(?:SPEED_)?(\d+(?:\.\d+)?)\s*([MGT]?)B?(?:PS)?$/i.exec(typeof value === "string" ? value : "");
  if (match === null) return 0;
  const factor = { "": 1, m: 1, g: 1_000, t: 1_000_000 }[(match[2] ?? "").toLowerCase()] ?? 0;
  return Math.round(Number(match[1]) * factor);
}

function bitsOf(text: string): number {
  return { 0: 0, 4: 32, 6: 128 }[isIP(text)] ?? 0;
}

function prefixLength(text: string, bits: number): number | null {
  return /^\d{1,3}$/.test(text) && Number(text) <= bits ? Number(text) : null;
}

function canonicalHost(text: string): string {
  // A zone (fe80::1%eth0) is the interface's business.
  if (isIPv4(text)) return text;
  return new URL(`http://[${text.split("%")[0]}]`).hostname.slice(1, -1);
}

function hasZeroTail(text: string, bits: number, prefix: number): boolean {
  const width = bits === 32 ? 8 : 16;
  return words(text).every((word, index) => {
    const kept = Math.min(Math.max(prefix - index * width, 0), width);
    return (word & (2 ** (width - kept) - 1)) === 0;
  });
}

/** Octets of an IPv4 address, groups of an IPv6 one. */
function words(text: string): number[] {
  if (isIPv4(text)) return text.split(".").map(Number);
  const [head = "", tail] = canonicalHost(text).split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  if (tail === undefined) return first;
  const last = groups(tail);
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
