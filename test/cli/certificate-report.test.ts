import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRfc6940Leaf,
  makeRoot,
  TEST_UNIX_MS,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import {
  type CertificateReport,
  certificateReports,
  formatCertificateReport,
  type ReportOptions,
} from '../../src/cli/certificate-report.ts';

const options: ReportOptions = {
  profile: 'xep-0416',
  overlayName: undefined,
  unixMs: TEST_UNIX_MS,
};
const root = makeRoot();

function report(certificate: Uint8Array, changes: Partial<ReportOptions> = {}): CertificateReport {
  const reports = certificateReports(certificate, { ...options, ...changes });
  const first = typeof reports === 'string' ? undefined : reports[0];
  if (first === undefined) throw new Error(String(reports));
  return first;
}

describe('xor cert inspect', () => {
  test('a good leaf: identity, Node-ID, and no broken rule', () => {
    expect(report(makeLeaf(root).certificate)).toMatchObject({
      subject: `CN=${testNodeId(1)}`,
      issuer: 'CN=Test Root',
      notBefore: '2025-01-01T00:00:00Z',
      notAfter: '2035-01-01T00:00:00Z',
      isValidNow: true,
      role: 'leaf',
      nodeId: testNodeId(1),
      nodeIds: [testNodeId(1)],
      jid: 'juliet@capulet.lit',
      userName: 'juliet@capulet.lit',
      overlay: 'xmpp.org',
      key: 'prime256v1',
      profile: 'xep-0416',
      obeysProfile: true,
      brokenRules: [],
    });
  });

  test('every broken rule by name, and the Node-ID all the same', () => {
    const leaf = makeLeaf(root, {
      key: makeKey('rsa1024'),
      change: ({ extensions }) => ({
        extensions: { subjectAltName: extensions.subjectAltName },
      }),
    });
    const found = report(leaf.certificate, { unixMs: Date.UTC(2040, 0, 1) });
    expect(found).toMatchObject({ nodeId: testNodeId(1), isValidNow: false, obeysProfile: false });
    expect(found.brokenRules).toMatchObject([
      { rule: 'rfc5280', detail: expect.stringContaining('authorityKeyIdentifier') },
      { rule: 'key-usage-digital-signature', section: 'XEP-0416 §3.2', level: 'MUST' },
      { rule: 'elliptic-curve', level: 'SHOULD' },
      { rule: 'leaf-crl-distribution-point', level: 'MUST' },
    ]);
    const text = formatCertificateReport(found);
    expect(text).toContain('profile      xep-0416: BROKEN');
    expect(text).toContain('  MUST leaf-crl-distribution-point (XEP-0416 §3.2): ');
    expect(text).toContain('rsa 1024: expected RSA of 2048 to 8192 bits, got 1024');
    expect(text).toContain(', not now');
  });

  test('every rule is listed, and --role says for whom', () => {
    const intermediate = makeIntermediate(root).certificate;
    const found = report(intermediate, { role: 'domain-associated' });
    expect(found).toMatchObject({ role: 'domain-associated', obeysProfile: false });
    expect(found.rules).toContainEqual({
      rule: 'domain-associated-path-length',
      section: 'XEP-0416 §3.2',
      level: 'MUST',
      demand: 'domain-associated, 2: pathLenConstraint 0',
      outcome: 'broken',
      detail: 'expected pathLenConstraint 0, got none',
    });
    const text = formatCertificateReport(report(intermediate));
    expect(text).toContain('rules for intermediate\n');
    expect(text).toContain('  obeyed       intermediate-key-cert-sign (XEP-0416 §3.2; ');
  });

  test('the overlay that is asked for, else the certificate’s own', () => {
    const { certificate } = makeLeaf(root, { overlayName: 'chat.example' });
    expect(report(certificate)).toMatchObject({ overlay: 'chat.example', obeysProfile: true });
    const elsewhere = report(certificate, { overlayName: 'xmpp.org' });
    expect(elsewhere.brokenRules).toMatchObject([{ rule: 'leaf-reload-overlay' }]);
  });

  test('roles and the other profile', () => {
    expect(report(root.certificate).role).toBe('root');
    expect(report(makeIntermediate(root).certificate).role).toBe('intermediate');
    const domain = makeIntermediate(root, { domain: 'capulet.lit' });
    expect(report(domain.certificate).role).toBe('domain-associated');
    const other = makeRfc6940Leaf(root, { nodeIds: [testNodeId(1), testNodeId(2)] });
    const found = report(other.certificate, { profile: 'rfc6940' });
    expect(found).toMatchObject({
      obeysProfile: true,
      jid: null,
      userName: 'alice@example.org',
      nodeIds: [testNodeId(1), testNodeId(2)],
    });
    expect(formatCertificateReport(found)).toContain('subject      (empty)');
  });

  test('every certificate of a PEM file', () => {
    const pem = [makeLeaf(root).certificate, root.certificate]
      .map((der) => Buffer.from(der).toString('base64'))
      .map((text) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`);
    const reports = certificateReports(Buffer.from(pem.join('')), options);
    expect(reports).toMatchObject([{ role: 'leaf' }, { role: 'root' }]);
  });

  test('what cannot be read gives a sentence', () => {
    expect(certificateReports(Buffer.from('hello'), options)).toBe(
      'expected a certificate in PEM or DER',
    );
    expect(certificateReports(Uint8Array.of(0x30, 0x80, 0), options)).toMatch(
      /^certificate 1 of 1: malformed: /,
    );
  });

  test('controls in names do not reach the terminal', () => {
    const leaf = makeLeaf(root, { jid: 'a\u001b[2J@capulet.lit' });
    const text = formatCertificateReport(report(leaf.certificate));
    expect(text).not.toContain('\u001b');
  });

  test('mutated certificates give a report or a sentence', () => {
    const { certificate } = makeLeaf(root);
    const place = fc.integer({ min: 0, max: certificate.length - 1 });
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 255 }), (at, value) => {
        const mutated = Uint8Array.from(certificate);
        mutated[at] = value;
        const reports = certificateReports(mutated, options);
        if (typeof reports !== 'string') reports.map(formatCertificateReport);
      }),
      { numRuns: 500 },
    );
  });
});
