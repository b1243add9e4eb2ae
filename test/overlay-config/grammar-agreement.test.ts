import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import { WHOLE_DOCUMENT } from './example-document.ts';
import { grammarFault } from './relax-ng.ts';

/** Without the second configuration, into which the reader does not look. */
const document = WHOLE_DOCUMENT.replace(
  /<configuration instance-name="other.*?<\/configuration>/s,
  '',
);
const LEAF = /<([a-z:-]+)(\s[^>]*)?>([^<]*)<\/\1>|<([a-z:-]+)\s[^>]*\/>/g;
/** A further `<configuration>` would be another overlay's, into which the reader does not look. */
const names = [
  ...new Set([...document.matchAll(/<([a-z:-]+)/g)].map(([, name = '']) => name)),
].filter((name) => name !== 'configuration');
const values = [
  '',
  '1',
  '-1',
  'x',
  '99999999999',
  ' true ',
  '1.0',
  '+1',
  '0',
  '<a/>',
  '<x xmlns="u:u"/>',
];
const attributes = [' x="1"', ' digest="sha256"', ' port="7"', ' chord:x="1"', ' algorithm="x"'];

type Edit = (leaf: RegExpMatchArray, other: string) => string;
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.constant<Edit>(() => ''),
  fc.constant<Edit>(([whole]) => whole + whole),
  fc.constant<Edit>(([whole], other) => other + whole),
  fc.constantFrom(...names).map<Edit>(
    (name) =>
      ([whole]) =>
        whole.replace(/^<[a-z:-]+/, `<${name}`).replace(/<\/[a-z:-]+>$/, `</${name}>`),
  ),
  fc.constantFrom(...values).map<Edit>(
    (value) =>
      ([whole]) =>
        whole.replace(/>[^<]*</, `>${value}<`),
  ),
  fc.constantFrom(...attributes).map<Edit>(
    (attribute) =>
      ([whole]) =>
        whole.replace(/^<[a-z:-]+/, (start) => start + attribute),
  ),
);

function edited(text: string, edit: Edit, at: number, otherAt: number): string {
  const leaves = [...text.matchAll(LEAF)];
  const leaf = leaves[at % leaves.length];
  const other = leaves[otherAt % leaves.length];
  if (leaf === undefined || other === undefined) return text;
  const end = leaf.index + leaf[0].length;
  return text.slice(0, leaf.index) + edit(leaf, other[0]) + text.slice(end);
}

test('RFC 6940 §11.1.1: a document that is accepted is valid by the grammar', () => {
  let accepted = 0;
  const change = fc.tuple(edits, fc.nat(), fc.nat());
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const text = changes.reduce((before, [edit, a, b]) => edited(before, edit, a, b), document);
      const bytes = new TextEncoder().encode(text);
      const parsed = parseConfigurationDocument(bytes, 'overlay.example.org');
      if (parsed instanceof ConfigurationFault) return;
      accepted += 1;
      expect(grammarFault(bytes)).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
  // Otherwise nothing would have been shown.
  expect(accepted).toBeGreaterThan(50);
});
