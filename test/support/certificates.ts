import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";

/**
 * Certificates for test servers, without any tool of the system: Node can read X.509 but not make it, so the few DER structures that are
 * needed (RFC 5280, section 4.1) are written out here.
 */
export interface Authority {
  /** PEM of the authority's own certificate. */
  readonly ca: string;
  /** A certificate for these DNS names and IPv4 addresses, of a server unless it says otherwise. */
  issue(
    names: readonly string[],
    options?: { notAfter?: Date; of?: "server" | "client" },
  ): { readonly cert: string; readonly key: string };
}

const YEAR_MS = 365 * 24 * 3600 * 1000;
/** Clocks of containers may lag a little behind. */
const BACKDATE_MS = 3600 * 1000;

export function createAuthority(commonName: string): Authority {
  const authority = keyPair();
  const notAfter = new Date(Date.now() + YEAR_MS);
  const ca = certificate({
    issuer: commonName,
    subject: commonName,
    publicKey: authority.publicKey,
    signWith: authority.privateKey,
    notAfter,
    extensions: [extension(OID.basicConstraints, sequence(boolean(true)), true)],
  });
  return {
    ca,
    issue(names, options = {}) {
      const leaf = keyPair();
      const cert = certificate({
        issuer: commonName,
        subject: names[0] ?? "server",
        publicKey: leaf.publicKey,
        signWith: authority.privateKey,
        notAfter: options.notAfter ?? notAfter,
        extensions: [
          extension(OID.subjectAltName, sequence(...names.map(generalName))),
          extension(OID.extendedKeyUsage, sequence(oid(options.of === "client" ? OID.clientAuth : OID.serverAuth))),
        ],
      });
      return { cert, key: leaf.privateKey.export({ type: "pkcs8", format: "pem" }) as string };
    },
  };
}

/** Dotted identifiers as their DER bytes in hex. */
const OID = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  basicConstraints: "551d13",
  subjectAltName: "551d11",
  extendedKeyUsage: "551d25",
  serverAuth: "2b06010505070301",
  clientAuth: "2b06010505070302",
};

interface CertificateFields {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signWith: KeyObject;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}

function certificate(fields: CertificateFields): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  // A leading 01 keeps the number positive and free of superfluous zeros.
  const serial = tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)]));
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    serial,
    algorithm,
    distinguishedName(fields.issuer),
    sequence(time(new Date(Math.min(Date.now(), fields.notAfter.getTime()) - BACKDATE_MS)), time(fields.notAfter)),
    distinguishedName(fields.subject),
    fields.publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...fields.extensions)),
  );
  const der = sequence(body, algorithm, bitString(sign("sha256", body, fields.signWith)));
  return new X509Certificate(der).toString();
}

function keyPair(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" });
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length]), size, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, "hex"));
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]));
}

function bitString(content: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), content]));
}

/** UTCTime, right until 2049. */
function time(at: Date): Buffer {
  return tagged(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replaceAll(/[-:T]/g, "")}Z`));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid(OID.commonName), tagged(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), tagged(0x04, value));
}

function generalName(name: string): Buffer {
  const octets = /^\d+\.\d+\.\d+\.\d+$/.test(name) ? name.split(".").map(Number) : null;
  return octets === null ? tagged(0x82, Buffer.from(name)) : tagged(0x87, Buffer.from(octets));
}
