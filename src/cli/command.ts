import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import type { Config, Needs } from "../config.ts";
import { SETTINGS } from "../settings.ts";
import type { Flags, Variable } from "../settings.ts";

/** Adds the flags that replace variables; the help names the variable of each. */
export function withSettings(command: Command, variables: readonly Variable[]): Command {
  for (const { variable, flag, placeholder, description } of SETTINGS) {
    if (variables.includes(variable)) {
      command.option(`--${flag} <${placeholder}>`, `${description} (${variable})`);
    }
  }
  return command;
}

/** The settings that matter to a command that only asks the database. */
export const DATABASE_SETTINGS = ["DATABASE_URL"] as const satisfies readonly Variable[];
/** The settings of a command that works with the cluster and with Git as well. */
export const ALL_SETTINGS = SETTINGS.map(({ variable }) => variable);

/**
 * The configuration of a command that was called.
 * @throws ConfigurationError
 */
export async function configOf(command: Command, needs: Needs): Promise<Config> {
  const { loadConfig } = await import("../config.ts");
  return loadConfig(needs, flagsOf(command));
}

function flagsOf(command: Command): Flags {
  const given: Record<string, unknown> = command.opts();
  const flags: Partial<Record<Variable, string>> = {};
  for (const { variable, flag } of SETTINGS) {
    const value = given[flag.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase())];
    if (typeof value === "string") flags[variable] = value;
  }
  return flags;
}

export interface FabricName {
  readonly namespace: string;
  readonly name: string;
}

/** Reads NS/NAME. @throws InvalidArgumentError */
export function parseFabricName(text: string): FabricName {
  const [namespace, name, ...rest] = text.split("/");
  if (!namespace || !name || rest.length > 0) {
    throw new InvalidArgumentError("give the Fabric as namespace/name.");
  }
  return { namespace, name };
}

export interface ResourceName {
  readonly kind: string;
  /** Undefined where it was not given; '' is the core group. */
  readonly group: string | undefined;
  /** Undefined where it was not given. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Reads KIND/NAME or KIND/NAMESPACE/NAME, where KIND may be KIND.GROUP. @throws InvalidArgumentError */
export function parseResourceName(text: string): ResourceName {
  const [kind, ...rest] = text.split("/");
  const [first, second] = rest;
  if (!kind || !first || second === "" || rest.length > 2) {
    throw new InvalidArgumentError("give the resource as KIND/NAME or KIND/NAMESPACE/NAME.");
  }
  const dot = kind.indexOf(".");
  const group = dot < 0 ? undefined : kind.slice(dot + 1);
  return {
    kind: dot < 0 ? kind : kind.slice(0, dot),
    group,
    namespace: second === undefined ? undefined : first,
    name: second ?? first,
  };
}

/** Reads a whole number. @throws InvalidArgumentError */
export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("give a whole number.");
  return Number(text);
}
