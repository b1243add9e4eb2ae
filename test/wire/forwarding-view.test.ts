import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Destination } from '../../src/wire/destination.ts';
import { ForwardingView, type HeaderChange } from '../../src/wire/forwarding-view.ts';
import { toHex } from '../../src/wire/hex.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeHeader, encodeFragment, type HeaderFields } from '../../src/wire/message.ts';
import { anyDestination } from './address-cases.ts';
import { anyHeader } from './header-cases.ts';
import { hexBytes, listOf, NODE_1, NODE_2, RESOURCE } from './struct-case.ts';

const body = hexBytes('00112233445566778899');
const fields: HeaderFields = {
  overlay: 0x9aa32b8d,
  configurationSequence: 22,
  version: 10,
  ttl: 100,
  fragment: 0xc0000000,
  transactionId: 0x0102030405060708n,
  maxResponseLength: 5000,
  viaList: [],
  destinationList: [{ type: 'node', nodeId: NODE_1 }],
  options: [{ type: 9, flags: 0, value: hexBytes('ab') }],
};

function over(bytes: Uint8Array): ForwardingView {
  const view = ForwardingView.over(bytes);
  if (view instanceof MalformedMessage) throw new Error(view.describe());
  return view;
}

function viewOf(header: HeaderFields): ForwardingView {
  return over(encodeFragment(header, body));
}

/** The header after `change`, read by the full decoder. */
function headerAfter(view: ForwardingView, change: HeaderChange): HeaderFields {
  const bytes = view.forwarded(change);
  if (bytes instanceof MalformedMessage) throw new Error(bytes.describe());
  const decoded = decodeHeader(bytes);
  if (decoded instanceof MalformedMessage) throw new Error(decoded.describe());
  expect(toHex(bytes.subarray(decoded.headerLength))).toBe(toHex(body));
  const { length, ...rest } = decoded.header;
  expect(length).toBe(bytes.length);
  return rest;
}

describe('RFC 6940 §6.1: a forwarder reads the header in place', () => {
  test('every field is what the full decoder says', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const view = viewOf(header);
        const { viaList, destinationList, options, length: _, ...fixed } = header;
        expect(view).toMatchObject(fixed);
        expect(view.length).toBe(view.bytes.length);
        expect(view.viaList()).toEqual(viaList);
        expect(view.destinationList()).toEqual(destinationList);
        expect(view.options()).toEqual(options);
        expect(view.headerLength).toBe(view.bytes.length - body.length);
        expect(view.firstDestinationIsLast()).toBe(destinationList.length === 1);
        if (destinationList.length > 0) {
          expect(view.firstDestination()).toEqual(destinationList[0]);
        }
      }),
    );
  });

  test('an empty Destination List has no first entry', () => {
    const view = viewOf({ ...fields, destinationList: [] });
    expect(view.firstDestination()).toMatchObject({ struct: 'Destination', offset: 38 });
  });

  test('an entry with a Node-ID of another length is malformed', () => {
    const view = viewOf({
      ...fields,
      destinationList: [{ type: 'unknown', code: 1, data: hexBytes(`${NODE_1}00`) }],
    });
    expect(view.firstDestination()).toMatchObject({ struct: 'Destination', offset: 56 });
    expect(view.destinationList()).toBeInstanceOf(MalformedMessage);
  });

  test('a resource whose inner length lies is malformed', () => {
    const data = hexBytes('05 0102');
    const view = viewOf({ ...fields, destinationList: [{ type: 'unknown', code: 2, data }] });
    expect(view.firstDestination()).toBeInstanceOf(MalformedMessage);
  });

  test('an entry never reaches beyond its list', () => {
    const bytes = encodeFragment(fields, body);
    bytes[39] = 200;
    expect(over(bytes).firstDestination()).toBeInstanceOf(MalformedMessage);
    expect(over(bytes).forwarded({ dropDestinations: 1 })).toBeInstanceOf(MalformedMessage);
    expect(over(bytes).firstDestinationIsLast()).toBe(false);
  });

  test('with Node-IDs of 20 bytes', () => {
    const id = `${NODE_1}01020304`;
    const bytes = encodeFragment(fields, body);
    const longer = new Uint8Array(bytes.length + 4);
    longer.set(bytes.subarray(0, 56));
    longer.set(hexBytes('01020304'), 56);
    longer.set(bytes.subarray(56), 60);
    longer[39] = 20;
    longer[35] = 22;
    new DataView(longer.buffer).setUint32(16, longer.length);
    const view = ForwardingView.over(longer, 20);
    if (view instanceof MalformedMessage) throw new Error(view.describe());
    expect(view.firstDestination()).toEqual({ type: 'node', nodeId: id });
  });
});

describe('RFC 6940 §6.1: sizes that disagree are refused', () => {
  test('a message cut after any byte', () => {
    const bytes = encodeFragment(fields, body);
    for (let length = 0; length < bytes.length; length++) {
      expect(ForwardingView.over(bytes.subarray(0, length))).toBeInstanceOf(MalformedMessage);
    }
  });

  test('lists that do not fit in the message', () => {
    for (const at of [32, 34, 36]) {
      const bytes = encodeFragment(fields, body);
      bytes[at] = 0x80;
      expect(ForwardingView.over(bytes)).toMatchObject({ struct: 'ForwardingHeader', offset: 32 });
    }
  });

  test('another token', () => {
    const bytes = encodeFragment(fields, body);
    bytes[0] = 0x52;
    expect(ForwardingView.over(bytes)).toMatchObject({ field: 'reloToken', offset: 0 });
  });

  test('a length that is not that of the message', () => {
    const bytes = encodeFragment(fields, body);
    bytes[19] = 1;
    expect(ForwardingView.over(bytes)).toMatchObject({ field: 'length', offset: 16 });
  });

  test('any bytes are answered', () => {
    fc.assert(
      fc.property(anyHeader, fc.nat(), fc.integer({ min: 1, max: 255 }), (header, at, change) => {
        const bytes = encodeFragment(header, body);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] as number) ^ change;
        const view = ForwardingView.over(bytes);
        if (view instanceof MalformedMessage) return;
        view.firstDestination();
        view.viaList();
        view.destinationList();
        view.options();
        view.forwarded({ appendVia: { type: 'node', nodeId: NODE_2 }, dropDestinations: 1 });
      }),
    );
  });
});

describe('RFC 6940 §6.1.2: what a forwarder changes', () => {
  test('nothing, when nothing is asked for', () => {
    const view = viewOf(fields);
    expect(headerAfter(view, {})).toEqual(fields);
  });

  test('the Node-ID that it came from goes to the end of the Via List', () => {
    const via1: Destination = { type: 'node', nodeId: NODE_1 };
    const via2: Destination = { type: 'node', nodeId: NODE_2 };
    const view = viewOf({ ...fields, viaList: [via1] });
    expect(headerAfter(view, { appendVia: via2, decrementTtl: true })).toEqual({
      ...fields,
      ttl: 99,
      viaList: [via1, via2],
    });
  });

  test('§6.1.3: an opaque ID is replaced by the list that it stands for', () => {
    const view = viewOf({
      ...fields,
      destinationList: [
        { type: 'compressed', id: 0x8001 },
        { type: 'resource', resourceId: RESOURCE },
      ],
    });
    const replaceDestinations: Destination[] = [
      { type: 'node', nodeId: NODE_1 },
      { type: 'node', nodeId: NODE_2 },
    ];
    expect(headerAfter(view, { dropDestinations: 1, replaceDestinations })).toEqual({
      ...fields,
      destinationList: [...replaceDestinations, { type: 'resource', resourceId: RESOURCE }],
    });
  });

  test('any change of any header', () => {
    fc.assert(
      fc.property(anyHeader, anyDestination, listOf(anyDestination), fc.nat(4), (...random) => {
        const [{ length: _, ...header }, appendVia, replaceDestinations, wanted] = random;
        const dropDestinations = Math.min(wanted, header.destinationList.length);
        const view = viewOf(header);
        expect(headerAfter(view, { appendVia, dropDestinations, replaceDestinations })).toEqual({
          ...header,
          viaList: [...header.viaList, appendVia],
          destinationList: [
            ...replaceDestinations,
            ...header.destinationList.slice(dropDestinations),
          ],
        });
      }),
    );
  });

  test('more entries than there are cannot be dropped', () => {
    const result = viewOf(fields).forwarded({ dropDestinations: 2 });
    expect(result).toMatchObject({ struct: 'ForwardingHeader', field: 'destinationList' });
  });

  test('a Via List that is full is a fault and not a wrong length', () => {
    const full = Array.from({ length: 32_767 }, () => ({
      type: 'compressed' as const,
      id: 0x8000,
    }));
    const view = viewOf({ ...fields, viaList: full });
    const result = view.forwarded({ appendVia: { type: 'node', nodeId: NODE_1 } });
    expect(result).toMatchObject({ struct: 'ForwardingHeader', field: 'viaList' });
  });

  test('§6.3.2: a message with TTL 0 is not forwarded', () => {
    const view = viewOf({ ...fields, ttl: 0 });
    expect(() => view.forwarded({ decrementTtl: true })).toThrow(RangeError);
  });
});
