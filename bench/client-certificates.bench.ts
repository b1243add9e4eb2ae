/**
 * 1,000 client certificates on one account: the list from the request to the bytes of the answer,
 * a login with one of them from the connection to the end of SASL (TLS itself apart), and the end
 * of a session from the request that revokes its certificate, with 500 other sessions.
 */

import { generateKeyPairSync, sign, verify } from 'node:crypto';
import {
  byFingerprint,
  CertificateDesk,
  SASLCERT,
  selfSigned,
} from '../test/xmpp/client-certificates/certificate-desk.ts';
import type { BenchResult } from './bench-result.ts';

export async function run(): Promise<BenchResult[]> {
  const desk = new CertificateDesk({ limits: { connectionsPerWindowMax: 10_000 } });
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificates = Array.from({ length: CERTIFICATES }, () => selfSigned({ key }));
  for (const [number, certificate] of certificates.entries()) {
    const base64 = Buffer.from(certificate).toString('base64');
    const name = `Device ${number}`;
    desk.manage({ type: 'add', name, certificate: base64, mayManage: true });
  }
  const orchard = desk.withPassword('orchard');
  const listMs = medianMs(() => {
    orchard.heard = '';
    orchard.says(`<iq type='get' id='list'><items xmlns='${SASLCERT}'/></iq>`);
    desk.input({ type: 'clientDrained', connection: orchard.connection, pendingBytes: 0 });
  });
  if (orchard.heard.split('<item>').length !== CERTIFICATES + 1) throw new Error('no whole list');
  const loginMs = medianMs((round) => {
    if (!desk.lets(certificateAt(certificates, round))) throw new Error('no login');
  });
  for (let number = 0; number < SESSIONS; number++) {
    desk.withCertificate(certificateAt(certificates, number), `session-${number}`);
  }
  const endMs = medianMs((round) => {
    const client = desk.withCertificate(certificateAt(certificates, SESSIONS + round), 'stolen');
    const before = performance.now();
    orchard.says(
      `<iq type='set' id='r'>${byFingerprint(certificateAt(certificates, SESSIONS + round))}</iq>`,
    );
    if (!client.isClosed) throw new Error('the session goes on');
    return performance.now() - before;
  });
  const signature = sign('sha256', certificateAt(certificates, 0), key.privateKey);
  const verifyMs = medianMs(() => {
    verify('sha256', certificateAt(certificates, 0), key.publicKey, signature);
  });
  return [
    result('the list of 1,000 client certificates', listMs, verifyMs, LIST_MS_MAX),
    result('login with one of 1,000 client certificates', loginMs, verifyMs, LOGIN_MS_MAX),
    result('end of a session whose certificate is revoked', endMs, verifyMs, END_MS_MAX),
  ];
}

function certificateAt(certificates: readonly Uint8Array[], number: number): Uint8Array {
  const certificate = certificates[number % CERTIFICATES];
  if (certificate === undefined) throw new Error('there are certificates');
  return certificate;
}

/** Of several rounds; one that returns a number has measured itself. */
function medianMs(work: (round: number) => unknown): number {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    const own = work(round);
    times.push(typeof own === 'number' ? own : performance.now() - before);
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

function result(name: string, value: number, reference: number, max: number): BenchResult {
  return {
    name,
    value,
    unit: 'ms',
    referenceName: 'verifying a P-256 signature once',
    reference,
    ratio: value / reference,
    bound: `value <= ${max}`,
    isMet: value <= max,
  };
}

const CERTIFICATES = 1_000;
const SESSIONS = 500;
const ROUNDS = 21;
const LIST_MS_MAX = 200;
const LOGIN_MS_MAX = 2;
const END_MS_MAX = 1_000;
