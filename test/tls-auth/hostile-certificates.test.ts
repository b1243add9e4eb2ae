import { describe, expect, test } from 'vitest';
import {
  type CertificateContent,
  certificateDer,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
  type TestLeaf,
} from '../../sim/certificates/certificate-maker.ts';
import {
  extension,
  generalName,
  nameConstraints,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import { certificatePolicies, policyMappings } from '../../sim/certificates/policy-maker.ts';
import { certificateReports } from '../../src/cli/certificate-report.ts';
import { type Certificate, parseCertificate } from '../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import {
  bitString,
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
} from '../../src/tls-auth/der-writer.ts';
import { findPath } from '../../src/tls-auth/path-building.ts';
import type { SignatureVerifier } from '../../src/tls-auth/signature-verifier.ts';
import { read } from './path-fixtures.ts';

/** What is made to cost much is refused by a limit that has a name, after bounded work. */
const root = makeRoot();

/** Code and rule of the refusal of some bytes. */
function refused(der: Uint8Array): string {
  const result = parseCertificate(der);
  return result instanceof CertificateRefusal ? `${result.code}: ${result.rule}` : 'read';
}

/** The refusal of a search past all signatures, and how many of them it asked for. */
function searched(
  leaf: Certificate,
  pool: readonly Certificate[],
  anchors: readonly Certificate[],
) {
  let signatures = 0;
  const verifySignature: SignatureVerifier = () => {
    signatures++;
    return true;
  };
  const result = findPath(leaf, { pool, anchors, verifySignature }, { unixMs: TEST_UNIX_MS });
  const code = result instanceof CertificateRefusal ? result.code : 'valid';
  return { code, signatures };
}

function leafWith(names: readonly Uint8Array[]): TestLeaf {
  return makeLeaf(root, {
    change: ({ extensions }) => ({
      extensions: { ...extensions, subjectAltName: subjectAltName(names) },
    }),
  });
}

describe('one certificate', () => {
  test('of 10 MB', () => {
    const value = octetString(new Uint8Array(10_000_000));
    const { certificate } = makeLeaf(root, {
      change: ({ extensions }) => ({
        extensions: { ...extensions, huge: extension('1.2.3', value) },
      }),
    });
    expect(refused(certificate)).toBe('too-large: limit certificateLengthMax');
    const options = { profile: 'xep-0416', overlayName: undefined, unixMs: TEST_UNIX_MS } as const;
    expect(certificateReports(certificate, options)).toMatch(/^too-large: /);
  });

  test('with 1,000 names', () => {
    const names = Array.from({ length: 1000 }, (_, i) => generalName.dnsName(`${i}.example`));
    expect(refused(leafWith(names).certificate)).toBe('too-large: limit generalNamesMax');
  });

  test('with names inside names, and elements without end', () => {
    let name = generalName.dnsName('a.example');
    for (let i = 0; i < 10_000; i++) name = explicit(0, name);
    expect(refused(leafWith([name]).certificate)).toMatch(/^malformed: /);
    const open = new Uint8Array(60_000).fill(0x30);
    expect(refused(open)).toMatch(/^malformed: /);
    const nested = Array.from({ length: 20_000 }, () => [0x30, 0x80]).flat();
    expect(refused(Uint8Array.from(nested))).toMatch(/^malformed: /);
  });

  test('with more extensions, policies, attributes and relative names than anybody needs', () => {
    const change = (one: Partial<CertificateContent>) =>
      refused(makeLeaf(root, { change: () => one }).certificate);
    const many = Object.fromEntries(
      Array.from({ length: 65 }, (_, i) => [i, extension(`1.2.3.${i}`, integer(i))]),
    );
    expect(change({ extensions: many })).toBe('too-large: limit extensionsMax');
    const policies = Array.from({ length: 257 }, (_, i) => `1.2.3.${i}`);
    expect(change({ extensions: { policies: certificatePolicies(policies) } })).toBe(
      'too-large: limit elementsMax',
    );
    const subject = Array.from({ length: 65 }, () => ['CN', 'x'] as const);
    expect(change({ subject })).toBe('too-large: limit relativeNamesMax');
  });

  test('with an RSA modulus or exponent of 60,000 bytes', () => {
    const huge = (modulusBytes: number, exponentBytes: number) => {
      const number = (length: number) => integer((1n << BigInt(8 * length - 2)) + 1n);
      const algorithm = sequence(objectIdentifier('1.2.840.113549.1.1.1'), nullValue());
      const key = sequence(number(modulusBytes), number(exponentBytes));
      const subjectPublicKeyInfo = sequence(algorithm, bitString(key));
      let made = new Uint8Array(0);
      makeLeaf(root, {
        change: (content) => {
          made = new Uint8Array(
            certificateDer({ ...content, subjectPublicKeyInfo }, () => new Uint8Array(70)),
          );
          return {};
        },
      });
      return searched(read({ certificate: made }), [], [read(root)]);
    };
    expect(huge(60_000, 3)).toEqual({ code: 'weak-key', signatures: 1 });
    expect(huge(256, 60_000)).toEqual({ code: 'weak-key', signatures: 1 });
    expect(huge(1024, 256)).toEqual({ code: 'weak-key', signatures: 1 });
  });
});

/** Authorities that all sign each other, each certificate once. */
function tangle(count: number, change?: Parameters<typeof makeIntermediate>[1]): Certificate[] {
  const keys = Array.from({ length: count }, () => makeKey());
  const names = keys.map((_, index) => `CA ${index}`);
  const issuers: TestAuthority[] = keys.map((key, index) => ({
    certificate: new Uint8Array(0),
    name: [['CN', names[index] ?? '']],
    key,
  }));
  return issuers.flatMap((issuer) =>
    issuers
      .filter((subject) => subject !== issuer)
      .map((subject) => {
        const name = subject.name[0]?.[1] ?? '';
        return read(makeIntermediate(issuer, { ...change, name, key: subject.key }));
      }),
  );
}

describe('a pool of certificates', () => {
  const leafBelow = (name: string) =>
    read(makeLeaf({ certificate: new Uint8Array(0), name: [['CN', name]], key: makeKey() }));

  test('a hundred that all sign each other, and no way to the anchor', () => {
    const pool = tangle(11).slice(0, 100);
    const { code, signatures } = searched(leafBelow('CA 0'), pool, [read(root)]);
    expect(code).toBe('work-limit');
    expect(signatures).toBeLessThanOrEqual(100);
  });

  test('a hundred of one name with a key each, below an anchor of that name that has expired', () => {
    const expired = makeRoot({ name: 'Same', change: () => ({ notAfterUnixMs: 1000 }) });
    const pool = Array.from({ length: 100 }, () =>
      read(makeIntermediate(expired, { name: 'Same' })),
    );
    const { code, signatures } = searched(leafBelow('Same'), pool, [read(expired)]);
    expect(code).toBe('work-limit');
    expect(signatures).toBeLessThanOrEqual(100);
  });

  test('a chain of a hundred', () => {
    const pool: Certificate[] = [];
    let issuer = root;
    for (let i = 0; i < 100; i++) {
      issuer = makeIntermediate(issuer, { name: `Link ${i}` });
      pool.push(read(issuer));
    }
    const leaf = read(makeLeaf(issuer));
    expect(searched(leaf, pool, [read(root)])).toEqual({ code: 'path-too-long', signatures: 15 });
  });

  test('names and constraints by the hundred in each of several certificates', () => {
    const bases = Array.from({ length: 250 }, (_, i) => generalName.dnsName(`${i}.example`));
    const subtree = nameConstraints(bases, []);
    const names = Array.from({ length: 250 }, (_, i) => generalName.dnsName(`a.${i}.example`));
    let issuer = root;
    const pool: Certificate[] = [];
    for (let i = 0; i < 4; i++) {
      issuer = makeIntermediate(issuer, {
        name: `Narrow ${i}`,
        change: ({ extensions }) => ({ extensions: { ...extensions, subtree } }),
      });
      pool.push(read(issuer));
    }
    const leaf = makeLeaf(issuer, {
      change: ({ extensions }) => ({
        extensions: { ...extensions, subjectAltName: subjectAltName(names) },
      }),
    });
    expect(searched(read(leaf), pool, [read(root)]).code).toBe('work-limit');
  });

  test('a long address that is compared with hundreds of constraints', () => {
    const bases = Array.from({ length: 250 }, (_, i) => generalName.xmppAddr(`x${i}.example`));
    const subtree = nameConstraints([], bases);
    const own = makeRoot({
      change: ({ extensions }) => ({ extensions: { ...extensions, subtree } }),
    });
    const leaf = makeLeaf(own, {
      change: ({ extensions }) => ({
        extensions: {
          ...extensions,
          subjectAltName: subjectAltName([generalName.xmppAddr(`j@${'ü'.repeat(30_000)}`)]),
        },
      }),
    });
    expect(searched(read(leaf), [], [read(own)]).code).toBe('work-limit');
  });

  test('policies by the hundred, each mapped to others in every certificate', () => {
    const policies = Array.from({ length: 200 }, (_, i) => `1.2.3.${i}`);
    const pairs = policies.map(
      (policy, i) => [policy, policies[(i * 7 + 1) % policies.length] ?? policy] as const,
    );
    let issuer = root;
    const pool: Certificate[] = [];
    for (let i = 0; i < 8; i++) {
      issuer = makeIntermediate(issuer, {
        name: `Policies ${i}`,
        change: ({ extensions }) => ({
          extensions: {
            ...extensions,
            policies: certificatePolicies([...policies, '2.5.29.32.0']),
            mappings: policyMappings(...pairs),
          },
        }),
      });
      pool.push(read(issuer));
    }
    expect(searched(read(makeLeaf(issuer)), pool, [read(root)]).code).toBe('work-limit');
  });
});
