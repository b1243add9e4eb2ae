import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPersonalNode } from '../../../src/xmpp/routing/personal-nodes.ts';
import { readRosterRecord } from '../../../src/xmpp/routing/roster-records.ts';
import {
  archiveRecord,
  readArchiveRecord,
  readOfflineRecord,
  readOutboxRecord,
} from '../../../src/xmpp/routing/routing-records.ts';
import { elementOfText, stanzaText } from '../../../src/xmpp/routing/stanza-text.ts';
import type { XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import '../../fast-check-seed.ts';

const { stanza } = fc.letrec<{ node: string | XmppElement; stanza: XmppElement }>((tie) => ({
  node: fc.oneof({ depthSize: 'small' }, fc.string({ unit: 'grapheme' }), tie('stanza')),
  stanza: fc.record({
    name: fc.string(),
    namespace: fc.string(),
    attributes: fc
      .dictionary(fc.string(), fc.string({ unit: 'grapheme' }))
      .map((values) => new Map(Object.entries(values))),
    children: fc.array(tie('node'), { maxLength: 4 }),
  }),
}));

describe('stanzas in records', () => {
  test('each is read back as it was', () => {
    fc.assert(
      fc.property(stanza, (given) => {
        expect(elementOfText(stanzaText(given))).toEqual(given);
      }),
    );
  });

  test('an entry of the archive is read back as it was', () => {
    fc.assert(
      fc.property(
        stanza,
        fc.string(),
        fc.option(fc.string(), { nil: undefined }),
        (given, id, key) => {
          const entry = {
            sequence: 7,
            id,
            unixMs: 1,
            with: 'juliet@capulet.lit',
            duplicateKey: key,
            stanza: stanzaText(given),
          };
          const { key: name, value } = archiveRecord(entry);
          expect(value && readArchiveRecord({ key: name, value })).toEqual(entry);
        },
      ),
    );
  });

  test('whatever lies on disk is read or left out, and never throws', () => {
    const readers = [
      readArchiveRecord,
      readOutboxRecord,
      readOfflineRecord,
      readRosterRecord,
      readPersonalNode,
    ];
    const prefixes = ['archive/', 'outbox/', 'offline/', 'roster/', 'pep/'];
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        for (const [index, read] of readers.entries()) {
          const key = `${prefixes[index]}000000000000001`;
          read({ key, value: Buffer.from(text) });
        }
      }),
    );
  });
});
