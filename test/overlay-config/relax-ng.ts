import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RelaxNGValidator, XmlDocument, XmlLibError } from 'libxml2-wasm';

const schema = XmlDocument.fromBuffer(
  readFileSync(fileURLToPath(new URL('configuration-document.rng', import.meta.url))),
);
const validator = RelaxNGValidator.fromDoc(schema);

/** What the grammar of RFC 6940 §11.1.1 says against a document; undefined when it is valid. */
export function grammarFault(document: Uint8Array): string | undefined {
  try {
    const parsed = XmlDocument.fromBuffer(document);
    try {
      validator.validate(parsed);
      return undefined;
    } finally {
      parsed.dispose();
    }
  } catch (error) {
    if (error instanceof XmlLibError) return error.message;
    throw error;
  }
}
