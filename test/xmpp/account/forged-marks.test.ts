import { describe, expect, it } from 'vitest';
import { MARK_NAMESPACE } from '../../../src/xmpp/signed-stanzas/authenticity-mark.ts';
import { writeElement, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { xml } from '../routing/verona.ts';
import { JULIET, lovers } from './account-lovers.ts';

const MARK = `<signed xmlns="${MARK_NAMESPACE}" by="${JULIET}" age="fresh"/>`;

function written(stanzas: readonly XmppElement[]): string {
  return stanzas.map((stanza) => writeElement(stanza)).join('');
}

describe('marks of signatures that a server forges', () => {
  it('are taken out of answers to requests, at any depth', () => {
    const { server, orchard } = lovers('overlay');
    const text =
      '<iq type="result" id="s" from="conference.capulet.lit"><query xmlns="urn:q">' +
      `<message xmlns="jabber:client" from="${JULIET}">${MARK}</message></query></iq>`;
    server.answer = { type: 'result', stanza: xml(text) };
    orchard.sends('<iq type="get" id="q" to="conference.capulet.lit"><query xmlns="urn:q"/></iq>');
    const answer = written(orchard.gets());
    expect(answer).toContain('urn:q');
    expect(answer).not.toContain(MARK_NAMESPACE);
  });

  it('are taken out of errors that answer requests', () => {
    const { server, orchard } = lovers('overlay');
    const content = { condition: 'conflict', errorType: 'cancel', text: 'no' };
    server.answer = { type: 'error', error: { ...content, applicationCondition: xml(MARK) } };
    orchard.sends('<iq type="get" id="q" to="conference.capulet.lit"><query xmlns="urn:q"/></iq>');
    const answer = written(orchard.gets());
    expect(answer).toContain('conflict');
    expect(answer).not.toContain(MARK_NAMESPACE);
  });
});
