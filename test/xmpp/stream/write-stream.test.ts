import { describe, expect, test } from 'vitest';
import { element } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { readFramed } from '../../../src/xmpp/stream/read-framed.ts';
import { STREAMS_NAMESPACE, streamError } from '../../../src/xmpp/stream/stream-error.ts';
import { STREAM_LIMITS } from '../../../src/xmpp/stream/stream-limits.ts';
import { StreamReader } from '../../../src/xmpp/stream/stream-reader.ts';
import {
  writeFirstLevel,
  writeStreamEnd,
  writeStreamHeader,
} from '../../../src/xmpp/stream/write-stream.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const header = { from: 'montague.lit', to: 'romeo@montague.lit', id: '<1>', language: 'en' };
const features = element('features', STREAMS_NAMESPACE, {}, [
  element('bind', 'urn:ietf:params:xml:ns:xmpp-bind'),
]);
const error = streamError('conflict', 'Another session took the resource.');
const message = element('message', 'jabber:client', {}, [element('body', 'jabber:client')]);

describe('what is written to a stream', () => {
  test('RFC 6120 §4.7: over TCP reads as header, first-level elements and end', () => {
    const reader = new StreamReader(STREAM_LIMITS);
    reader.push(utf8(writeStreamHeader('tcp', header)));
    expect(reader.next()).toMatchObject({
      type: 'opened',
      header: element('stream', STREAMS_NAMESPACE, {
        from: 'montague.lit',
        to: 'romeo@montague.lit',
        id: '<1>',
        'xml:lang': 'en',
        version: '1.0',
      }),
      contentNamespace: 'jabber:client',
    });
    for (const given of [features, error, message]) {
      reader.push(utf8(writeFirstLevel('tcp', given)));
      expect(reader.next()).toMatchObject({ element: given });
    }
    reader.push(utf8(writeStreamEnd('tcp')));
    expect(reader.next()).toEqual({ type: 'closed' });
  });

  test('RFC 6120 §4.8.5: elements of the stream have the prefix stream', () => {
    expect(writeFirstLevel('tcp', features)).toMatch(/^<stream:features><bind xmlns=/);
    expect(writeFirstLevel('tcp', message)).toBe('<message><body/></message>');
  });

  test('RFC 7395 §3.3.3: over WebSocket each message is a document of its own', () => {
    for (const given of [features, error, message]) {
      const written = writeFirstLevel('websocket', given);
      expect(readFramed(utf8(written), STREAM_LIMITS)).toMatchObject({ element: given });
    }
    expect(writeFirstLevel('websocket', features)).toMatch(/^<stream:features xmlns:stream=/);
  });

  test('RFC 7395 §3.4, §3.6: a framed stream begins with open and ends with close', () => {
    expect(writeStreamHeader('websocket', { from: 'montague.lit' })).toBe(
      '<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" from="montague.lit" version="1.0"/>',
    );
    expect(writeStreamEnd('websocket')).toBe(
      '<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>',
    );
  });
});
