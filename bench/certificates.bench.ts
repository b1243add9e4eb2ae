/**
 * Certificates: a chain of three that was never seen before, from DER to a valid path, against
 * `openssl verify` over many leaves in one process; whom a leaf names; a revocation list of 100,000
 * entries. Needs the program openssl.
 */
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  makeIntermediate,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  testNodeId,
} from '../sim/certificates/certificate-maker.ts';
import { entryOf, makeList } from '../sim/certificates/revocation-list-maker.ts';
import { type Certificate, parseCertificate } from '../src/tls-auth/certificate.ts';
import { leafIdentity } from '../src/tls-auth/certificate-profile.ts';
import { CertificateRefusal } from '../src/tls-auth/certificate-refusal.ts';
import { findPath } from '../src/tls-auth/path-building.ts';
import type { ProfileRules } from '../src/tls-auth/profile-rule.ts';
import { parseRevocationList, type RevocationList } from '../src/tls-auth/revocation-list.ts';
import { verifyWithKey } from '../src/tls-auth/signature-verifier.ts';
import type { BenchResult } from './bench-result.ts';
import { medianRate } from './median-rate.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);

export async function run(): Promise<BenchResult[]> {
  const leaves = Array.from({ length: LEAVES }, (_, at) =>
    makeLeaf(intermediate, { nodeId: testNodeId(at + 1) }),
  ).map(({ certificate }) => certificate);
  return [chainResult(leaves), identityResult(leaves), ...listResults()];
}

function chainResult(leaves: readonly Uint8Array[]): BenchResult {
  const value = medianRate(leaves.length, (count) => {
    let length = 0;
    for (const leaf of leaves.slice(0, count)) length += pathLength(leaf);
    return length;
  });
  const reference = opensslRate(leaves);
  const ratio = value / reference;
  return {
    name: 'certificates: a chain of three, nothing remembered',
    value,
    unit: 'chains/s',
    referenceName: 'openssl verify over the same leaves in one process',
    reference,
    ratio,
    bound: `ratio >= ${CHAIN_RATIO_MIN}`,
    isMet: ratio >= CHAIN_RATIO_MIN,
  };
}

/** Reads all three and finds the path, with keys and signatures made anew. */
function pathLength(leaf: Uint8Array): number {
  const material = {
    pool: [certificateOf(intermediate.certificate)],
    anchors: [certificateOf(root.certificate)],
    verifySignature: verifyWithKey,
  };
  const path = findPath(certificateOf(leaf), material, { unixMs: TEST_UNIX_MS });
  if (path instanceof CertificateRefusal) throw new Error(path.describe());
  return path.certificates.length;
}

/** Leaves a second, without what it takes to start the program: all of them less one alone. */
function opensslRate(leaves: readonly Uint8Array[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'xor-bench-'));
  try {
    const file = (name: string, der: Uint8Array) => {
      const path = join(folder, name);
      writeFileSync(path, new X509Certificate(der).toString());
      return path;
    };
    const [rootFile, between] = [
      file('root.pem', root.certificate),
      file('intermediate.pem', intermediate.certificate),
    ];
    const leafFiles = leaves.map((leaf, at) => file(`leaf-${at}.pem`, leaf));
    const options = ['-CAfile', rootFile, '-untrusted', between];
    const time = ['-attime', String(TEST_UNIX_MS / 1000)];
    const tookMs = (files: readonly string[]) =>
      medianOf(() => opensslMs(['verify', ...time, ...options, ...files]));
    const ms = tookMs(leafFiles) - tookMs(leafFiles.slice(0, 1));
    return (leaves.length - 1) / (ms / 1000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function opensslMs(args: readonly string[]): number {
  const startMs = performance.now();
  const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  const tookMs = performance.now() - startMs;
  if (status !== 0) throw new Error(`openssl: ${error?.message ?? stderr}`);
  return tookMs;
}

function identityResult(leaves: readonly Uint8Array[]): BenchResult {
  const rules: ProfileRules = { profile: 'xep-0416', overlayName: 'xmpp.org', nodeIdLength: 16 };
  const parsed = leaves.map(certificateOf);
  const value = medianRate(IDENTITIES, (count) => {
    let digits = 0;
    for (let i = 0; i < count; i++) {
      const identity = leafIdentity(parsed[i % parsed.length] as Certificate, rules);
      digits += identity?.nodeIds[0]?.length ?? Number.NaN;
    }
    return digits;
  });
  // It remembers the text, so each must be read anew.
  const reference = medianRate(leaves.length, (count) => {
    let length = 0;
    for (const leaf of leaves.slice(0, count)) {
      length += new X509Certificate(leaf).subjectAltName?.length ?? 0;
    }
    return length;
  });
  return {
    name: 'certificates: Node-ID and XMPP address of a leaf that was read',
    value,
    unit: 'leaves/s',
    referenceName: 'node:crypto: a certificate read, its subjectAltName as text',
    reference,
    ratio: value / reference,
    bound: `value >= ${IDENTITY_RATE_MIN}`,
    isMet: value >= IDENTITY_RATE_MIN,
  };
}

function listResults(): BenchResult[] {
  const serials = Array.from({ length: ENTRIES }, (_, at) => 2n ** 126n + BigInt(at) * 7919n);
  const entries = serials.map((serial) => entryOf(serial, 'superseded'));
  const der = makeList(root, entries);
  const loadMs = medianOf(() => {
    const startMs = performance.now();
    listOf(der);
    return performance.now() - startMs;
  });
  const list = listOf(der);
  const hexes = serials.map((serial) => serial.toString(16));
  const asked = medianRate(ENTRIES, (count) => {
    let found = 0;
    for (let i = 0; i < count; i++) {
      if (list.entries.find(list.issuer, hexes[(i * 31) % ENTRIES] ?? '') !== undefined) found++;
    }
    return found === count ? found : Number.NaN;
  });
  const plain = new Map(hexes.map((hex) => [hex, 'superseded']));
  const reference = medianRate(ENTRIES, (count) => {
    let found = 0;
    for (let i = 0; i < count; i++) {
      if (plain.get(hexes[(i * 31) % ENTRIES] ?? '') !== undefined) found++;
    }
    return found;
  });
  const opensslLoadMs = opensslListMs(der);
  return [
    {
      name: 'revocation list of 100,000 entries: read',
      value: loadMs,
      unit: 'ms',
      referenceName: 'openssl crl, with what it takes to start',
      reference: opensslLoadMs,
      ratio: loadMs / opensslLoadMs,
      bound: `value <= ${LOAD_MS_MAX}`,
      isMet: loadMs <= LOAD_MS_MAX,
    },
    {
      name: 'revocation list of 100,000 entries: asked for one that it has',
      value: asked,
      unit: 'entries/s',
      referenceName: 'a Map of the same serial numbers',
      reference,
      ratio: asked / reference,
      bound: `value >= ${ASK_RATE_MIN}`,
      isMet: asked >= ASK_RATE_MIN,
    },
  ];
}

function opensslListMs(der: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'xor-bench-'));
  try {
    const file = join(folder, 'list.crl');
    writeFileSync(file, der);
    return medianOf(() => opensslMs(['crl', '-inform', 'DER', '-in', file, '-noout']));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function certificateOf(der: Uint8Array): Certificate {
  const certificate = parseCertificate(der);
  if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
  return certificate;
}

function listOf(der: Uint8Array): RevocationList {
  const list = parseRevocationList(der);
  if (list instanceof CertificateRefusal) throw new Error(list.describe());
  return list;
}

function medianOf(measure: () => number): number {
  const values = Array.from({ length: ROUNDS }, measure).sort((a, b) => a - b);
  return values[Math.floor(ROUNDS / 2)] ?? 0;
}

const LEAVES = 500;
const IDENTITIES = 100_000;
const ENTRIES = 100_000;
const ROUNDS = 7;
/** At most twice OpenSSL's time. */
const CHAIN_RATIO_MIN = 0.5;
/** 5 µs each. */
const IDENTITY_RATE_MIN = 200_000;
const LOAD_MS_MAX = 400;
/** 1 µs each. */
const ASK_RATE_MIN = 1_000_000;
