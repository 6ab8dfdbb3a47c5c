import { FabricSyncError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import { SMALL_REQUEST_MS, isStatus, objectBody } from "./kube-api.ts";
import type { KubeApi } from "./kube-api.ts";

/** The decoded `data` of one Secret, as text. It is used at once and not kept. */
export type SecretData = Readonly<Record<string, string>>;

/** Reads Secrets of one namespace, one at a time, when they are needed: the only verb is `get`, and rotation needs no event. */
export class SecretReader {
  readonly #api: KubeApi;
  readonly #namespace: string;

  constructor(api: KubeApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  /**
   * @throws FabricSyncError `SecretNotFound` or `SecretForbidden` (policy `wait`: a Secret may be made without the Fabric
   * being touched), or what the client throws.
   */
  async read(name: string, signal: AbortSignal): Promise<SecretData> {
    const where = `Secret ${this.#namespace}/${name}`;
    const path = `/api/v1/namespaces/${this.#namespace}/secrets/${encodeURIComponent(name)}`;
    try {
      const secret = objectBody(await this.#api.request("GET", path, { signal, timeoutMs: SMALL_REQUEST_MS }), where);
      const data = isJsonObject(secret["data"]) ? secret["data"] : {};
      return Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, typeof value === "string" ? decoded(value) : ""]),
      );
    } catch (error) {
      if (isStatus(error, 404)) throw trouble("SecretNotFound", `${where} does not exist; create it`);
      if (isStatus(error, 403)) {
        throw trouble(
          "SecretForbidden",
          `${where} may not be read; grant get on secrets in namespace ${this.#namespace}`,
        );
      }
      throw error;
    }
  }

  /** One value. @throws FabricSyncError `SecretKeyMissing` beside what {@link read} throws. */
  async readKey(name: string, key: string, signal: AbortSignal): Promise<string> {
    const value = (await this.read(name, signal))[key];
    if (value !== undefined && value !== "") return value;
    throw trouble("SecretKeyMissing", `Secret ${this.#namespace}/${name} has no ${key}; add it to its data`);
  }
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

function trouble(code: string, message: string): FabricSyncError {
  return new FabricSyncError(code, "wait", message);
}
