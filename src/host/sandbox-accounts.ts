import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { SocketAddress } from './socket-address.ts';
import { setLocalPassword } from './xmpp/gateway/password-file.ts';

/** An account of the sandbox that any XMPP client can log in to. */
export interface SandboxAccount {
  readonly jid: string;
  readonly password: string;
  /** Where the client connects: STARTTLS or direct TLS. */
  readonly gateway: SocketAddress;
  /** PEM: what the client trusts. */
  readonly certificateFile: string;
}

/** Who has the sandbox's peer of this number, from 1. The first two are ready for clients. */
export function sandboxUser(number: number): string {
  return PEOPLE[number - 1] ?? `user-${number}@${USER_DOMAIN}`;
}

/** Where clients of the peer of this number log in; undefined: nowhere. */
export function sandboxGateway(
  number: number,
  first: SocketAddress | undefined,
): SocketAddress | undefined {
  if (first === undefined || number > PEOPLE.length) return undefined;
  return { host: first.host, port: first.port === 0 ? 0 : first.port + number - 1 };
}

/** Sets a password that clients log in with, and returns it. */
export async function sandboxPassword(stateDirectory: string): Promise<string> {
  const password = randomBytes(PASSWORD_BYTES).toString('base64url');
  await setLocalPassword(stateDirectory, password);
  return password;
}

/** Of the peer with this state directory. */
export function gatewayCertificateFile(stateDirectory: string): string {
  return join(stateDirectory, 'gateway.pem');
}

const PEOPLE = ['romeo@montague.lit', 'juliet@capulet.lit'];
const USER_DOMAIN = 'sandbox.example';
const PASSWORD_BYTES = 9;
