import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeLeaf, makeRoot } from '../../sim/certificates/certificate-maker.ts';
import { certificatesInFile, certificatesInText } from '../../src/tls-auth/certificate-file.ts';

const root = makeRoot().certificate;
const leaf = makeLeaf(makeRoot()).certificate;

function pem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

describe('RFC 7468: certificates in files', () => {
  test('DER, base64 of DER, and PEM', () => {
    expect(certificatesInFile(root)).toEqual([root]);
    expect(certificatesInText(Buffer.from(root).toString('base64'))).toEqual([root]);
    expect(certificatesInFile(Buffer.from(pem(root)))).toEqual([root]);
  });

  test('several PEM blocks in their order, other text and other labels around them', () => {
    const text = `subject=x\n${pem(leaf)}\r\n${pem(root, 'PRIVATE KEY')}${pem(root)}`;
    expect(certificatesInText(text)).toEqual([leaf, root]);
    expect(certificatesInFile(Buffer.from(text))).toEqual([leaf, root]);
  });

  test('what is none of these', () => {
    expect(certificatesInText('')).toBeUndefined();
    expect(certificatesInText('hello world')).toBeUndefined();
    expect(certificatesInText(pem(root, 'PRIVATE KEY'))).toBeUndefined();
    expect(certificatesInText('-----BEGIN CERTIFICATE-----\n')).toBeUndefined();
    expect(certificatesInText(pem(root).replace('MII', 'M*I'))).toBeUndefined();
    expect(certificatesInFile(new Uint8Array(5_000_000))).toBeUndefined();
  });

  test('arbitrary text never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, inside) => {
        certificatesInText(before);
        certificatesInText(`-----BEGIN CERTIFICATE-----${inside}-----END CERTIFICATE-----`);
      }),
    );
  });
});
