import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Debian's, for which its package of slixmpp is. */
export const PYTHON = '/usr/bin/python3';

export const isSlixmppInstalled = spawnSync(PYTHON, ['-c', 'import slixmpp']).status === 0;

/** What `slixmpp-client.py` takes. */
export interface SlixmppOptions {
  readonly jid: string;
  readonly host: string;
  readonly port: number;
  /** PEM file: the certificate of the gateway. */
  readonly trust: string;
  readonly mechanism: string;
  readonly direct: boolean;
  readonly password?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Sent when logged in, to itself or to whom `to` names. */
  readonly text?: string;
  readonly to?: string;
  /** Sent back to whoever wrote. */
  readonly reply?: string;
}

/** What the client printed up to its end; its errors are shown where it printed nothing. */
export function runSlixmpp(
  options: SlixmppOptions,
  onLine: (line: unknown) => void = () => undefined,
): Promise<readonly unknown[]> {
  const script = fileURLToPath(new URL('./slixmpp-client.py', import.meta.url));
  const client = spawn(PYTHON, [script, JSON.stringify(options)]);
  const lines: unknown[] = [];
  let unfinished = '';
  let errors = '';
  client.stdout.on('data', (data) => {
    const parts = `${unfinished}${String(data)}`.split('\n');
    unfinished = parts.pop() ?? '';
    for (const part of parts) {
      const line: unknown = JSON.parse(part);
      lines.push(line);
      onLine(line);
    }
  });
  client.stderr.on('data', (data) => {
    errors += String(data);
  });
  return new Promise((resolve, reject) => {
    client.on('error', reject);
    client.on('close', () => {
      if (lines.length === 0) reject(new Error(errors));
      else resolve(lines);
    });
  });
}
