import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../src/host/free-port.ts';
import { gatewayCertificate } from '../../src/host/xmpp/gateway/gateway-certificate.ts';
import {
  dataDirectory,
  type ProsodyOptions,
  tlsFiles,
  writeConfiguration,
} from '../../test/host/xmpp/prosody-config.ts';

export interface ProsodyProcess {
  readonly componentPort: number;
  stop(): Promise<void>;
}

/** A Prosody of its own on loopback; resolves when it takes components. */
export async function startProsody(
  directory: string,
  options: ProsodyOptions,
): Promise<ProsodyProcess> {
  await mkdir(dataDirectory(directory), { recursive: true });
  for (const { domain } of options.hosts) {
    await gatewayCertificate(directory, domain, Date.now());
    const { certificate, key } = tlsFiles(directory, domain);
    await rename(join(directory, 'gateway.pem'), certificate);
    await rename(join(directory, 'gateway-key.pem'), key);
  }
  const ports = {
    client: await freePort(),
    clientDirectTls: await freePort(),
    component: await freePort(),
  };
  const quiet = { ...options, settings: { log: { info: '*console' }, ...options.settings } };
  const configuration = await writeConfiguration(directory, quiet, ports);
  const child = spawn('prosody', ['-F', '--config', configuration], { cwd: directory });
  let log = '';
  const ended = once(child, 'close');
  await new Promise<void>((resolve, reject) => {
    const read = (data: unknown) => {
      log += String(data);
      if (log.includes(`Activated service 'component' on [127.0.0.1]:${ports.component}`))
        resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', () => reject(new Error(`Prosody ended:\n${log}`)));
  });
  return {
    componentPort: ports.component,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
