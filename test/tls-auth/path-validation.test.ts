import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import {
  basicConstraints,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
  type TestExtension,
} from '../../sim/certificates/extension-maker.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { implicit, integer, octetString, sequence } from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid, SignatureOid } from '../../src/tls-auth/object-identifier.ts';
import { pathTo, verdict } from './path-fixtures.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);

/** A change that puts in or, with undefined, leaves out extensions. */
function extensionsWith(
  changes: Readonly<Record<string, TestExtension | undefined>>,
): ContentChange {
  return ({ extensions }) => ({ extensions: { ...extensions, ...changes } });
}

/** The verdict on a leaf below an intermediate that is changed. */
function belowIntermediate(change: ContentChange): string {
  const changed = makeIntermediate(root, { change });
  return verdict(pathTo(makeLeaf(changed), [changed], [root]));
}

function belowRoot(change: ContentChange): string {
  const changed = makeRoot({ change });
  return verdict(pathTo(makeLeaf(changed), [], [changed]));
}

function leafWith(change: ContentChange): string {
  return verdict(pathTo(makeLeaf(root, { change }), [], [root]));
}

test('a leaf below a root, and below an intermediate, is valid', () => {
  expect(verdict(pathTo(makeLeaf(root), [], [root]))).toBe('valid');
  const path = pathTo(makeLeaf(intermediate), [intermediate], [root]);
  expect(path).toMatchObject({
    notBeforeUnixMs: Date.UTC(2025, 0, 1),
    notAfterUnixMs: Date.UTC(2035, 0, 1),
  });
});

describe('RFC 5280 §6.1.3 (a) (1): signatures', () => {
  test('a certificate signed by another key is refused', () => {
    const impostor = { ...root, key: makeKey() };
    expect(verdict(pathTo(makeLeaf(impostor), [], [root]))).toBe('signature-invalid');
  });

  test.each(['p256', 'p384', 'secp256k1', 'rsa2048'] as const)('%s issuers are taken', (kind) => {
    const issuer = makeRoot({ key: makeKey(kind) });
    expect(verdict(pathTo(makeLeaf(issuer), [], [issuer]))).toBe('valid');
  });

  test('SHA-384 and SHA-512 are taken', () => {
    const { ecdsaWithSha384, ecdsaWithSha512 } = SignatureOid;
    for (const signatureOid of [ecdsaWithSha384, ecdsaWithSha512]) {
      expect(leafWith(() => ({ signatureOid }))).toBe('valid');
    }
  });

  test('SHA-1 signatures are refused, with RSA and ECDSA', () => {
    expect(leafWith(() => ({ signatureOid: '1.2.840.10045.4.1' }))).toBe('signature-algorithm');
    const rsaRoot = makeRoot({ key: makeKey('rsa2048') });
    const change = () => ({ signatureOid: '1.2.840.113549.1.1.5' });
    expect(verdict(pathTo(makeLeaf(rsaRoot, { change }), [], [rsaRoot]))).toBe(
      'signature-algorithm',
    );
  });

  test('an algorithm that is not that of the key is refused', () => {
    expect(leafWith(() => ({ signatureOid: SignatureOid.rsaWithSha256 }))).toBe(
      'signature-invalid',
    );
  });

  test.each(['rsa1024', 'p521'] as const)('%s keys are refused, of issuers and leaves', (kind) => {
    const weak = makeRoot({ key: makeKey(kind) });
    expect(verdict(pathTo(makeLeaf(weak), [], [weak]))).toBe('weak-key');
    expect(verdict(pathTo(makeLeaf(root, { key: makeKey(kind) }), [], [root]))).toBe('weak-key');
  });
});

describe('RFC 5280 §6.1.3 (a) (2): validity, of every certificate and the anchor', () => {
  const early: ContentChange = () => ({ notBeforeUnixMs: TEST_UNIX_MS + 1000 });
  const late: ContentChange = () => ({ notAfterUnixMs: TEST_UNIX_MS - 1000 });

  test('not yet valid, and expired', () => {
    for (const judge of [leafWith, belowIntermediate, belowRoot]) {
      expect(judge(early)).toBe('not-yet-valid');
      expect(judge(late)).toBe('expired');
    }
  });

  test('notBefore and notAfter themselves are valid, to the end of the second', () => {
    const leaf = makeLeaf(root, {
      change: () => ({ notBeforeUnixMs: TEST_UNIX_MS, notAfterUnixMs: TEST_UNIX_MS + 60_000 }),
    });
    const at = (unixMs: number) => verdict(pathTo(leaf, [], [root], { unixMs }));
    expect(at(TEST_UNIX_MS - 1)).toBe('not-yet-valid');
    expect(at(TEST_UNIX_MS)).toBe('valid');
    expect(at(TEST_UNIX_MS + 60_999)).toBe('valid');
    expect(at(TEST_UNIX_MS + 61_000)).toBe('expired');
  });
});

describe('RFC 5280 §6.1.3 (a) (4): name chaining', () => {
  test('an issuer of another name is no issuer', () => {
    expect(leafWith(() => ({ issuer: [['CN', 'Somebody']] }))).toBe('no-path');
  });

  test('names that differ in case and space only are the same', () => {
    expect(leafWith(() => ({ issuer: [['CN', ' test  ROOT']] }))).toBe('valid');
  });
});

describe('RFC 5280 §6.1.4 (k) and §4.2.1.9: basicConstraints', () => {
  test('an issuer without cA TRUE is none', () => {
    for (const judge of [belowIntermediate, belowRoot]) {
      const usage = keyUsage('digitalSignature');
      expect(judge(extensionsWith({ basicConstraints: undefined, keyUsage: usage }))).toBe(
        'not-a-ca',
      );
      expect(
        judge(extensionsWith({ basicConstraints: basicConstraints(false), keyUsage: usage })),
      ).toBe('not-a-ca');
    }
  });

  test('version 1 issues nothing', () => {
    expect(belowIntermediate(() => ({ version: undefined, extensions: {} }))).not.toBe('valid');
  });

  test('not critical: a fault of an anchor alone', () => {
    const change = extensionsWith({ basicConstraints: basicConstraints(true, undefined, false) });
    expect(belowRoot(change)).toBe('pkix-profile');
    expect(belowIntermediate(change)).toBe('valid');
  });

  test('pathLenConstraint without keyCertSign contradicts itself', () => {
    const change = extensionsWith({
      basicConstraints: basicConstraints(false, 0),
      keyUsage: keyUsage('digitalSignature'),
    });
    expect(leafWith(change)).toBe('pkix-profile');
  });
});

describe('RFC 5280 §6.1.4 (l), (m): path length', () => {
  const chainBelow = (authority: TestAuthority, names: readonly string[]): TestAuthority[] => {
    const chain = [authority];
    for (const name of names) {
      const issuer = chain.at(-1) ?? authority;
      chain.push(makeIntermediate(issuer, { name }));
    }
    return chain;
  };
  const judge = (chain: readonly TestAuthority[], intermediatesMax?: number) => {
    const last = chain.at(-1) ?? root;
    const requirements = intermediatesMax === undefined ? {} : { intermediatesMax };
    return verdict(pathTo(makeLeaf(last), chain.toReversed(), [root], requirements));
  };

  test('pathLenConstraint 0 allows leaves only', () => {
    const limited = makeIntermediate(root, { name: 'Limited', pathLength: 0 });
    expect(judge([limited])).toBe('valid');
    expect(judge(chainBelow(limited, ['Below']))).toBe('path-length');
  });

  test('a lower constraint may be larger, the smaller one counts', () => {
    const limited = makeIntermediate(root, { name: 'Limited', pathLength: 1 });
    const below = makeIntermediate(limited, { name: 'Below', pathLength: 5 });
    expect(judge([limited, below])).toBe('valid');
    expect(judge([limited, ...chainBelow(below, ['Too much'])])).toBe('path-length');
  });

  test('self-issued certificates are not counted', () => {
    const limited = makeIntermediate(root, { name: 'Limited', pathLength: 0 });
    const rolledOver = makeIntermediate(limited, { name: 'Limited' });
    expect(judge([limited, rolledOver])).toBe('valid');
  });

  test('the constraint of the anchor counts', () => {
    const limitedRoot = makeRoot({
      change: extensionsWith({ basicConstraints: basicConstraints(true, 0) }),
    });
    const below = makeIntermediate(limitedRoot);
    expect(verdict(pathTo(makeLeaf(limitedRoot), [], [limitedRoot]))).toBe('valid');
    expect(verdict(pathTo(makeLeaf(below), [below], [limitedRoot]))).toBe('path-length');
  });

  test('intermediatesMax is the limit where nobody sets one', () => {
    expect(judge(chainBelow(intermediate, ['a', 'b']), 3)).toBe('valid');
    expect(judge(chainBelow(intermediate, ['a', 'b']), 2)).toBe('path-length');
    const names = Array.from({ length: 8 }, (_, index) => `CA ${index}`);
    expect(judge(chainBelow(intermediate, names.slice(1)))).toBe('valid');
    expect(judge(chainBelow(intermediate, names))).toBe('path-length');
  });
});

describe('RFC 5280 §6.1.4 (n) and §4.2.1.3: keyUsage', () => {
  test('an issuer needs keyCertSign where it has keyUsage', () => {
    const change = extensionsWith({ keyUsage: keyUsage('digitalSignature', 'cRLSign') });
    expect(belowIntermediate(change)).toBe('key-usage');
    expect(belowRoot(change)).toBe('key-usage');
    expect(belowIntermediate(extensionsWith({ keyUsage: undefined }))).toBe('valid');
  });

  test('keyCertSign in a leaf contradicts cA FALSE', () => {
    const usage = keyUsage('digitalSignature', 'keyCertSign');
    expect(leafWith(extensionsWith({ keyUsage: usage }))).toBe('pkix-profile');
  });
});

describe('RFC 5280 §4.2: critical extensions', () => {
  const unknown = (critical: boolean) =>
    extensionsWith({ unknown: extension('1.3.6.1.4.1.99999.1', integer(1), critical) });

  test('an unknown one refuses anywhere in the path', () => {
    for (const judge of [leafWith, belowIntermediate, belowRoot]) {
      expect(judge(unknown(true))).toBe('unknown-critical-extension');
      expect(judge(unknown(false))).toBe('valid');
    }
  });

  test('those that we read may be critical', () => {
    const change = extensionsWith({ purposes: { ...extendedKeyUsage('1.2.3'), critical: true } });
    expect(leafWith(change)).toBe('valid');
  });
});

describe('RFC 5280 §4: certificates that contradict the profile', () => {
  test('§4.1.2.6: an empty subject needs a critical subjectAltName', () => {
    const names = [generalName.dnsName('example.org')];
    const withNames =
      (critical: boolean): ContentChange =>
      (content) => ({
        subject: [],
        ...extensionsWith({ subjectAltName: subjectAltName(names, critical) })(content),
      });
    expect(leafWith(withNames(true))).toBe('valid');
    expect(leafWith(withNames(false))).toBe('pkix-profile');
  });

  test('§4.1.2.6 and §4.1.2.4: a CA without subject, an issuer without name', () => {
    const nameless = makeRoot({ change: () => ({ subject: [], issuer: [] }) });
    expect(verdict(pathTo(makeLeaf(nameless), [], [nameless]))).toBe('pkix-profile');
  });

  test('§4.2.1.1 and §4.2.1.2: key identifiers are not critical', () => {
    const identifier = octetString(new Uint8Array(20));
    const critical = extension(ExtensionOid.subjectKeyIdentifier, identifier, true);
    expect(belowRoot(extensionsWith({ subjectKeyIdentifier: critical }))).toBe('pkix-profile');
    const authority = sequence(implicit(0, new Uint8Array(20)));
    const criticalAuthority = extension(ExtensionOid.authorityKeyIdentifier, authority, true);
    expect(leafWith(extensionsWith({ authorityKeyIdentifier: criticalAuthority }))).toBe(
      'pkix-profile',
    );
  });

  test('§4.2.1.2: a CA has a subjectKeyIdentifier, a leaf need not', () => {
    const without = extensionsWith({ subjectKeyIdentifier: undefined });
    expect(belowRoot(without)).toBe('pkix-profile');
    expect(belowIntermediate(without)).toBe('pkix-profile');
    expect(leafWith(without)).toBe('valid');
  });

  test('§4.2.1.10: nameConstraints stand in CA certificates only', () => {
    const constraints = nameConstraints([generalName.dnsName('example.org')], []);
    expect(leafWith(extensionsWith({ constraints }))).toBe('pkix-profile');
  });
});

describe('RFC 5280 §4.2.1.12: extendedKeyUsage', () => {
  const [serverAuth, clientAuth, any] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
  const judge = (leafPurposes: string[], issuerPurposes: string[] = []) => {
    const purposes = (list: string[]) =>
      extensionsWith({ purposes: list.length === 0 ? undefined : extendedKeyUsage(...list) });
    const issuer = makeIntermediate(root, { change: purposes(issuerPurposes) });
    const leaf = makeLeaf(issuer, { change: purposes(leafPurposes) });
    return verdict(pathTo(leaf, [issuer], [root], { purpose: serverAuth }));
  };

  test('the purpose must be allowed where a list stands, at the issuer too', () => {
    expect(judge([])).toBe('valid');
    expect(judge([serverAuth, clientAuth])).toBe('valid');
    expect(judge([any])).toBe('valid');
    expect(judge([clientAuth])).toBe('purpose');
    expect(judge([serverAuth], [clientAuth])).toBe('purpose');
  });
});

test('a refusal names the certificate, the rule and what was found', () => {
  const refusal = pathTo(makeLeaf(root, { change: () => ({ notAfterUnixMs: 1000 }) }), [], [root]);
  if (!(refusal instanceof CertificateRefusal)) throw new Error('it was not refused');
  expect(refusal.certificate).toMatch(/^CN=0001a5.* \(sha256 [0-9a-f]{16}…\)$/);
  expect(refusal.rule).toBe('RFC 5280 §4.1.2.5 validity');
  expect(refusal.describe()).toContain(
    'notAfter 1970-01-01T00:00:01Z, asked for 2026-01-01T00:00:00Z',
  );
});
