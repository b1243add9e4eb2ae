import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SCRAM_ITERATIONS, SCRAM_SALT_LENGTH } from '../../../xmpp/sasl/sasl-limits.ts';
import { scramCredential } from '../../../xmpp/sasl/scram-keys.ts';
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
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
  const { iterations, salt, storedKey, serverKey } = fields;
  if (typeof iterations !== 'number' || !Number.isSafeInteger(iterations)) return undefined;
  if (typeof salt !== 'string' || typeof storedKey !== 'string') return undefined;
  if (typeof serverKey !== 'string' || iterations < 1) return undefined;
  return {
    iterations,
    salt: bytesOf(salt),
    storedKey: bytesOf(storedKey),
    serverKey: bytesOf(serverKey),
  };
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

const PASSWORD_FILE = 'gateway-password.json';
const DIRECTORY_MODE = 0o700;
