import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64 } from '../../../xmpp/sasl/base64.ts';
import {
  SCRAM_ITERATIONS,
  SCRAM_ITERATIONS_MAX,
  SCRAM_SALT_LENGTH,
} from '../../../xmpp/sasl/sasl-limits.ts';
import { HASH_LENGTH, scramCredential } from '../../../xmpp/sasl/scram-keys.ts';
import type { ScramCredential } from '../../../xmpp/xmpp-input.ts';
import { PrecisFault } from '../../../xmpp-address/precis-fault.ts';
import { writeSecret } from '../../state/state-directory.ts';

/** A password that cannot be set; the message says why. */
export class PasswordRefused extends Error {
  constructor(reason: string) {
    super(`this cannot be a password: ${reason}`);
    this.name = 'PasswordRefused';
  }
}

/**
 * Keeps what lets the local password be checked, not the password: only this user can read it, and
 * it is there whole or not at all. A peer that runs takes it in by itself.
 */
export async function setLocalPassword(stateDirectory: string, password: string): Promise<void> {
  const salt = new Uint8Array(randomBytes(SCRAM_SALT_LENGTH));
  const credential = scramCredential(password, salt, SCRAM_ITERATIONS);
  if (credential instanceof PrecisFault) throw new PasswordRefused(credential.reason);
  await mkdir(stateDirectory, { recursive: true, mode: DIRECTORY_MODE });
  await writeSecret(join(stateDirectory, PASSWORD_FILE), formatCredential(credential));
}

/** Tells when another password was set in a state directory, also by another process. */
export class PasswordFile {
  private readonly path: string;
  private version = '';

  constructor(stateDirectory: string) {
    this.path = join(stateDirectory, PASSWORD_FILE);
  }

  /** The credential if it is another than at the last call; undefined: nothing has changed. */
  async changed(): Promise<ScramCredential | undefined> {
    // A file that is replaced has another inode, however soon after the one before it came.
    const version = await versionOf(this.path);
    if (version === undefined || version === this.version) return undefined;
    const credential = parseCredential(await readFile(this.path, 'utf8'));
    if (credential !== undefined) this.version = version;
    return credential;
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs, size } = await stat(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function formatCredential({ salt, iterations, storedKey, serverKey }: ScramCredential): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const fields = {
    mechanism: 'SCRAM-SHA-256',
    iterations,
    salt: base64(salt),
    storedKey: base64(storedKey),
    serverKey: base64(serverKey),
  };
  return `${JSON.stringify(fields)}\n`;
}

function parseCredential(text: string): ScramCredential | undefined {
  const { iterations, ...keys } = fieldsOf(text);
  const [salt, storedKey, serverKey] = [keys.salt, keys.storedKey, keys.serverKey].map(bytesOf);
  if (typeof iterations !== 'number' || !Number.isSafeInteger(iterations)) return undefined;
  if (iterations < 1 || iterations > SCRAM_ITERATIONS_MAX) return undefined;
  if (storedKey?.length !== HASH_LENGTH || serverKey?.length !== HASH_LENGTH) return undefined;
  return salt === undefined || salt.length === 0
    ? undefined
    : { iterations, salt, storedKey, serverKey };
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function bytesOf(base64: unknown): Uint8Array | undefined {
  return typeof base64 === 'string' ? fromBase64(base64) : undefined;
}

const PASSWORD_FILE = 'gateway-password.json';
const DIRECTORY_MODE = 0o700;
