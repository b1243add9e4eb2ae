/**
 * The DER of the certificates in a file: PEM (RFC 7468) with any text around the blocks, base64
 * without boundaries, or DER itself. Undefined when it is none of these. That each is a
 * certificate is not checked here.
 */
export function certificatesInFile(bytes: Uint8Array): Uint8Array[] | undefined {
  if (bytes.length > fileLengthMax) return undefined;
  // 0x30 is SEQUENCE, and "0" in base64, which then has no byte above ASCII.
  const isText = bytes.every((byte) => byte < 0x80);
  return isText ? certificatesInText(Buffer.from(bytes).toString('latin1')) : [bytes];
}

/** The same for text: PEM blocks, or one certificate in base64. */
export function certificatesInText(text: string): Uint8Array[] | undefined {
  return blocksInText(text, ['CERTIFICATE', 'X509 CERTIFICATE']);
}

/** The DER of the revocation lists in a text: PEM blocks, or one list in base64. */
export function revocationListsInText(text: string): Uint8Array[] | undefined {
  return blocksInText(text, ['X509 CRL', 'CRL']);
}

function blocksInText(text: string, labels: readonly string[]): Uint8Array[] | undefined {
  if (!text.includes('-----BEGIN')) {
    const der = fromBase64(text);
    return der === undefined ? undefined : [der];
  }
  const blocks: Uint8Array[] = [];
  for (const [, label = '', body] of text.matchAll(PEM_BLOCK)) {
    if (!labels.includes(label)) continue;
    const der = fromBase64(body ?? '');
    if (der === undefined) return undefined;
    blocks.push(der);
  }
  return blocks.length === 0 ? undefined : blocks;
}

function fromBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/\s+/g, '');
  if (compact === '' || compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) {
    return undefined;
  }
  return new Uint8Array(Buffer.from(compact, 'base64'));
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;

/** Bytes. */
export const fileLengthMax = 4_194_304;
