import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { certificateReports } from '../../src/cli/certificate-report.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { parseCertificate } from '../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { findPath } from '../../src/tls-auth/path-building.ts';
import { verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import { testTrustSettings } from './test-node.ts';

/** The certificates printed in XEP-0417; beside the repository. */
const folder = new URL('../../../shared/vectors/xep-0417/', import.meta.url);
const isThere = existsSync(new URL('leaf.der', folder));
const UNIX_MS = Date.UTC(2020, 0, 1);

function file(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}.der`, folder)));
}

function report(name: string) {
  const options = { profile: 'xep-0416', overlayName: 'xmpp.org', unixMs: UNIX_MS } as const;
  const reports = certificateReports(file(name), options);
  const first = typeof reports === 'string' ? undefined : reports[0];
  if (first === undefined) throw new Error(String(reports));
  return first;
}

describe('the example certificates of XEP-0417', () => {
  if (!isThere) test.skip('skipped: ../shared/vectors/xep-0417 is not there', () => undefined);

  test.runIf(isThere)('the leaf is read: secp256k1, decimal Node-ID, XmppAddr', () => {
    expect(report('leaf')).toMatchObject({
      role: 'leaf',
      nodeId: 'a5b6e20addfe248535abd879447a8e19',
      jid: 'user@localhost',
      userName: 'user@localhost',
      overlay: 'xmpp.org',
      key: 'secp256k1',
      isValidNow: true,
    });
  });

  test.runIf(isThere)('the leaf breaks one rule of XEP-0416: no CRL distribution point', () => {
    expect(report('leaf').brokenRules.map(({ rule }) => rule)).toEqual([
      'leaf-crl-distribution-point',
    ]);
  });

  test.runIf(isThere)('the root breaks two: it has no keyUsage', () => {
    expect(report('root')).toMatchObject({ role: 'root', obeysProfile: false });
    expect(report('root').brokenRules.map(({ rule }) => rule)).toEqual([
      'key-usage-digital-signature',
      'root-key-cert-sign',
    ]);
  });

  test.runIf(isThere)('the path is valid by RFC 5280, the profile refuses it', () => {
    const [leaf, root] = [parseCertificate(file('leaf')), parseCertificate(file('root'))];
    if (leaf instanceof CertificateRefusal || root instanceof CertificateRefusal) {
      throw new Error('they are not read');
    }
    const material = { pool: [root], anchors: [root], verifySignature: verifyWithKey };
    expect(findPath(leaf, material, { unixMs: UNIX_MS })).toMatchObject({ anchor: root });
    const settings = { ...testTrustSettings([]), rootCertificates: [file('root')] };
    const result = new Authenticator(settings).authenticate(file('leaf'), [file('root')], UNIX_MS);
    expect(result).toMatchObject({
      code: 'certificate-profile',
      rule: 'XEP-0416 §3.2 leaf-crl-distribution-point',
    });
  });
});
