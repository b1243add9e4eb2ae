import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeForm,
  type FormPart,
  formContentType,
  parseForm,
} from '../../../src/host/enrollment/multipart.ts';

const text = (value: string) => new Uint8Array(Buffer.from(value));

describe('multipart/form-data (RFC 2388)', () => {
  it('RFC 6940 §11.3 (298): what encodeForm writes parseForm reads', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const name = fc.stringMatching(/^[a-z]{1,12}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 8 }), fc.array(bytes), (names, values) => {
        const parts: FormPart[] = names.map((field, index) => ({
          name: field,
          contentType: 'application/pkcs10',
          value: values[index] ?? new Uint8Array(),
        }));
        const read = parseForm(formContentType('0123456789abcdef'), encodeForm(parts, BOUNDARY));
        expect(read).toEqual(parts);
      }),
    );
  });

  it('reads a form as curl sends it, with its file name and other attributes', () => {
    const body =
      '--x\r\nContent-Disposition: form-data; name="username"\r\n\r\njuliet@capulet.lit\r\n' +
      '--x\r\nContent-Disposition: form-data; name="csr"; filename="a \\"b\\".der"\r\n' +
      'Content-Type: Application/PKCS10; foo=bar\r\n\r\n\r\n--xy\r\nDER\r\n--x--\r\n';
    expect(parseForm('multipart/form-data; boundary="x"', text(body))).toEqual([
      { name: 'username', contentType: 'text/plain', value: text('juliet@capulet.lit') },
      { name: 'csr', contentType: 'application/pkcs10', value: text('\r\n--xy\r\nDER') },
    ]);
  });

  it.each([
    ['no boundary', 'multipart/form-data', '', 'no boundary'],
    ['another media type', 'application/x-www-form-urlencoded', 'a=b', 'not multipart/form-data'],
    [
      'a cut form',
      MULTIPART,
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
      'closing',
    ],
    ['a name twice', MULTIPART, `${field('a', '1')}${field('a', '2')}--x--`, 'occurs twice'],
    ['no name', MULTIPART, '--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--', 'a name'],
    ['no header', MULTIPART, '--x\r\n--x--', 'no header'],
    ['no empty line', MULTIPART, '--x\r\nContent-Disposition: form-data\r\n--x--', 'empty line'],
    ['an encoding', MULTIPART, `${field('a', '1', 'base64')}--x--`, 'transfer-encoding'],
    ['many fields', MULTIPART, `${manyFields(17)}--x--`, 'more than 16'],
    ['a long header', MULTIPART, `${field('a'.repeat(2_000), '1')}--x--`, 'too long'],
  ])('refuses %s with a reason', (_what, contentType, body, reason) => {
    expect(parseForm(contentType, text(body))).toEqual({ detail: expect.stringContaining(reason) });
  });

  it('answers any bytes with a form or a fault and never throws', () => {
    const piece = fc.constantFrom('--x', '--x--', '\r\n', '\r\n\r\n', 'a', DISPOSITION, '"', ';');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
        const form = parseForm(MULTIPART, text(pieces.join('')));
        expect(Array.isArray(form) || typeof form.detail === 'string').toBe(true);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (header) => {
        parseForm(`multipart/form-data; ${header}`, text('--x--'));
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not search the body again and again', () => {
    const body = text(`--x\r\n${'\r\n--xx'.repeat(10_000)}`);
    const startedMs = performance.now();
    expect(parseForm(MULTIPART, body)).toEqual({ detail: expect.stringContaining('closing') });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});

const BOUNDARY = '0123456789abcdef';
const MULTIPART = 'multipart/form-data; boundary=x';
const DISPOSITION = 'Content-Disposition: form-data; name="a"';

function field(name: string, value: string, encoding = 'binary'): string {
  return (
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n` +
    `Content-Transfer-Encoding: ${encoding}\r\n\r\n${value}\r\n`
  );
}

function manyFields(count: number): string {
  return Array.from({ length: count }, (_, index) => field(`f${index}`, '1')).join('');
}
