/**
 * A client is logged in at the gateway of a running peer, over TLS on loopback; its certificate is
 * revoked, and the record of that is durable before the answer. From the request, which is before
 * the answer, to the end of the client's connection. The reference is what the answer waits for.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { makeKey } from '../../sim/certificates/certificate-maker.ts';
import { toPem } from '../../src/host/links/link-credentials.ts';
import { openStoreFile } from '../../src/host/state/store-file.ts';
import { startOverlayOfTwo, type UserPeer } from '../../test/host/xmpp/overlay-of-two.ts';
import { selfSigned } from '../../test/xmpp/client-certificates/certificate-desk.ts';
import type { BenchResult } from '../bench-result.ts';
import { median } from './loopback-ring.ts';

export async function run(): Promise<BenchResult[]> {
  const overlay = await startOverlayOfTwo([]);
  try {
    const ends: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ends.push(await sessionEndMs(overlay.romeo, `Phone ${round}`));
    }
    const value = Math.max(...ends);
    const reference = await durableWriteMs();
    return [
      {
        name: 'end of a session over TLS after its certificate was revoked, the slowest of ten',
        value,
        unit: 'ms',
        referenceName: 'a durable write',
        reference,
        ratio: value / reference,
        bound: `value <= ${END_MS_MAX}`,
        isMet: value <= END_MS_MAX,
      },
    ];
  } finally {
    await overlay.stop();
  }
}

async function sessionEndMs({ host, gateway }: UserPeer, name: string): Promise<number> {
  const key = makeKey();
  const certificate = selfSigned({ key });
  const base64 = Buffer.from(certificate).toString('base64');
  await host.manageCertificates({ type: 'add', name, certificate: base64, mayManage: true });
  const socket = connect({
    ...gateway,
    cert: toPem(certificate),
    key: key.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ALPNProtocols: ['xmpp-client'],
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  let heard = '';
  socket.on('data', (data) => {
    heard += String(data);
  });
  const hears = async (text: string) => {
    while (!heard.includes(text)) await once(socket, 'data');
    heard = '';
  };
  socket.write(HEADER);
  await hears('EXTERNAL</mechanism>');
  socket.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
  await hears('<success');
  socket.write(`${HEADER}<iq type='set' id='b'><bind xmlns='${BIND}'/></iq>`);
  await hears('</jid>');
  const closed = once(socket, 'close');
  const before = performance.now();
  const revoked = host.manageCertificates({ type: 'revoke', which: { name } });
  const ended = closed.then(() => performance.now() - before);
  if ((await revoked)?.ok !== true) throw new Error('the certificate was not revoked');
  return ended;
}

async function durableWriteMs(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-bench-'));
  const store = await openStoreFile(directory, () => undefined);
  try {
    const times: number[] = [];
    for (let round = 0; round < WRITES; round++) {
      const before = performance.now();
      await store.write([{ key: 'one', value: Buffer.alloc(1_500) }]);
      times.push(performance.now() - before);
    }
    return median(times);
  } finally {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const ROUNDS = 10;
const WRITES = 50;
const END_MS_MAX = 1_000;
const HEADER =
  "<stream:stream to='montague.lit' version='1.0' xmlns='jabber:client' " +
  "xmlns:stream='http://etherx.jabber.org/streams'>";
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
