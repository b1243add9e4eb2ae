import { TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import { SimRandom } from '../../sim/world/sim-random.ts';
import { readSigningRequest } from '../../src/ca/signing-request.ts';
import { certificateReports, formatCertificateReport } from '../../src/cli/certificate-report.ts';
import {
  overlayNamesOf,
  parseConfigurationDocument,
} from '../../src/overlay-config/configuration-document.ts';
import { type Certificate, parseCertificate } from '../../src/tls-auth/certificate.ts';
import {
  leafIdentity,
  pathProfileRefusal,
  profileChecks,
} from '../../src/tls-auth/certificate-profile.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { keyFault } from '../../src/tls-auth/key-strength.ts';
import { findPath } from '../../src/tls-auth/path-building.ts';
import type { PathRequirements } from '../../src/tls-auth/path-validation.ts';
import { peerNameRefusal } from '../../src/tls-auth/peer-name.ts';
import { RevocationCheck } from '../../src/tls-auth/revocation-check.ts';
import { parseRevocationList } from '../../src/tls-auth/revocation-list.ts';
import { derNodes } from './der-tree.ts';
import type { FuzzCorpus } from './fuzz-corpus.ts';
import { verifyCheaply } from './fuzz-keys.ts';
import { type DerSeed, mutateDer } from './mutation.ts';
import { mutateXml } from './text-mutation.ts';

export const FUZZ_TARGETS = ['der', 'path', 'crl', 'csr', 'config'] as const;
export type FuzzTargetName = (typeof FUZZ_TARGETS)[number];

/** What one target reads: the mutated bytes first, then what stands around them. */
export type FuzzInput = readonly Uint8Array[];

/** The answer of the program was wrong, though it threw nothing. */
export class WrongVerdict extends Error {}

/**
 * Inputs of one target, each determined by corpus, seed and number, and the part of the program
 * that reads them. `run` returns normally for whatever the program refuses with a value.
 */
export interface FuzzTarget {
  readonly name: FuzzTargetName;
  input(number: number): FuzzInput;
  run(input: FuzzInput): void;
}

export function fuzzTarget(name: FuzzTargetName, corpus: FuzzCorpus, seed: number): FuzzTarget {
  const draw = (number: number) => new SimRandom(seed + number * NUMBER_STRIDE, name);
  switch (name) {
    case 'der':
      return derTarget('der', seedsOf(corpus.chains.flat()), draw, readCertificate);
    case 'csr':
      return derTarget('csr', seedsOf(corpus.requests), draw, ([der]) => {
        if (der !== undefined) readSigningRequest(der);
      });
    case 'path':
      return pathTarget(corpus, draw);
    case 'crl':
      return listTarget(corpus, draw);
    case 'config':
      return configurationTarget(corpus, draw);
  }
}

type Draw = (number: number) => SimRandom;

function derTarget(
  name: FuzzTargetName,
  seeds: readonly DerSeed[],
  draw: Draw,
  run: (input: FuzzInput) => void,
): FuzzTarget {
  const input = (number: number): FuzzInput => {
    const random = draw(number);
    const seed = random.pick(seeds);
    return seed === undefined ? [] : [mutateDer(seed, seeds, random)];
  };
  return { name, input, run };
}

/** All that is asked of a certificate, in every role of both profiles; now and then its report. */
function readCertificate([der]: FuzzInput): void {
  const certificate = der === undefined ? undefined : parseCertificate(der);
  if (der === undefined || certificate === undefined) return;
  if (certificate instanceof CertificateRefusal) {
    certificate.describe();
    return;
  }
  certificate.describe();
  keyFault(certificate.subjectPublicKeyInfo);
  for (const profile of ['xep-0416', 'rfc6940'] as const) {
    const rules = { profile, overlayName: 'xmpp.org', nodeIdLength: 16 };
    for (const role of ROLES) profileChecks(certificate, role, rules);
    leafIdentity(certificate, rules);
  }
  if (der.length % REPORT_EVERY !== 0) return;
  const options = { profile: 'xep-0416', overlayName: undefined, unixMs: TEST_UNIX_MS } as const;
  const reports = certificateReports(der, options);
  if (typeof reports !== 'string') for (const one of reports) formatCertificateReport(one);
}

/** One certificate of a chain mutated; the whole chain goes to the validator. */
function pathTarget(corpus: FuzzCorpus, draw: Draw): FuzzTarget {
  const chains = corpus.chains.map(seedsOf);
  const all = chains.flat();
  const input = (number: number): FuzzInput => {
    const random = draw(number);
    const chain = random.pick(chains) ?? [];
    const at = random.index(chain.length);
    return chain.map((seed, index) => (index === at ? mutateDer(seed, all, random) : seed.der));
  };
  const originals = new Set(all.map(({ der }) => tbsKey(parseCertificate(der))));
  return { name: 'path', input, run: (chain) => validateChain(chain, originals) };
}

/** Once with signatures that count, when nothing mutated may pass, and once past them. */
function validateChain(input: FuzzInput, originals: ReadonlySet<string>): void {
  const chain = input.map(parseCertificate);
  const [leaf, ...others] = chain;
  const root = others.pop();
  if (leaf === undefined || leaf instanceof CertificateRefusal) return;
  if (root === undefined || root instanceof CertificateRefusal) return;
  const pool = others.filter((one): one is Certificate => !(one instanceof CertificateRefusal));
  const material = { pool, anchors: [root], verifySignature: verifyCheaply };
  const found = findPath(leaf, material, { unixMs: TEST_UNIX_MS });
  if (!(found instanceof CertificateRefusal)) {
    const forged = found.certificates.find((one) => !originals.has(tbsKey(one)));
    if (forged !== undefined) throw new WrongVerdict(`valid with ${forged.describe()} changed`);
  }
  const past = { ...material, verifySignature: () => true };
  for (const requirements of REQUIREMENTS) findPath(leaf, past, requirements);
  peerNameRefusal(leaf, { kind: 'dns', value: 'www.example.org' });
  peerNameRefusal(leaf, { kind: 'email', value: 'juliet@capulet.lit' });
}

/** A list read, and asked about a chain. */
function listTarget(corpus: FuzzCorpus, draw: Draw): FuzzTarget {
  const seeds = seedsOf(corpus.lists);
  const [leaf, ...above] = (corpus.chains[1] ?? []).map(parseCertificate);
  const pool = above.filter((one): one is Certificate => !(one instanceof CertificateRefusal));
  const root = pool.at(-1);
  if (leaf === undefined || leaf instanceof CertificateRefusal || root === undefined) {
    throw new Error('the corpus has no chain for revocation lists');
  }
  const unread = (der: Uint8Array) => parseRevocationList(der);
  const run = ([der]: FuzzInput) => {
    const list = der === undefined ? undefined : unread(der);
    if (list === undefined || list instanceof CertificateRefusal) return;
    list.describe();
    const lists = [list];
    const policy = 'require';
    const verifySignature = () => true;
    const check = new RevocationCheck({
      lists,
      pool,
      verifySignature,
      unixMs: TEST_UNIX_MS,
      policy,
    });
    findPath(
      leaf,
      { pool, anchors: [root], verifySignature },
      { unixMs: TEST_UNIX_MS, furtherRule: (path) => check.refusal(path) },
    );
  };
  return derTarget('crl', seeds, draw, run);
}

function configurationTarget(corpus: FuzzCorpus, draw: Draw): FuzzTarget {
  const input = (number: number): FuzzInput => {
    const random = draw(number);
    return [mutateXml(random.pick(corpus.documents) ?? '', random)];
  };
  const run = ([bytes]: FuzzInput) => {
    if (bytes === undefined) return;
    parseConfigurationDocument(bytes, 'xmpp.org');
    if (bytes.length % REPORT_EVERY === 0) overlayNamesOf(bytes);
  };
  return { name: 'config', input, run };
}

function seedsOf(ders: readonly Uint8Array[]): DerSeed[] {
  return ders.map((der) => ({ der, nodes: derNodes(der) }));
}

/** What the signature covers, as text. */
function tbsKey(certificate: Certificate | CertificateRefusal): string {
  if (certificate instanceof CertificateRefusal) return '';
  return Buffer.from(certificate.tbsCertificate).toString('latin1');
}

const ROLES = ['leaf', 'self-signed', 'intermediate', 'domain-associated', 'root'] as const;

const REQUIREMENTS: readonly PathRequirements[] = [
  {
    unixMs: TEST_UNIX_MS,
    policies: { initialPolicies: new Set(['1.2.5']), explicitPolicy: true },
    purpose: '1.3.6.1.5.5.7.3.1',
  },
  {
    unixMs: TEST_UNIX_MS,
    policies: { inhibitPolicyMapping: true, inhibitAnyPolicy: true },
    furtherRule: (path) =>
      pathProfileRefusal(path, { profile: 'xep-0416', overlayName: 'xmpp.org', nodeIdLength: 16 }),
  },
];

/** Between the seeds of two inputs: odd, so that the streams of near seeds do not meet early. */
const NUMBER_STRIDE = 1_000_003;

/** What costs more is asked of one input in so many. */
const REPORT_EVERY = 16;
