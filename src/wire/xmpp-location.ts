import { type Codec, inField, text, uint16, vector } from './codec.ts';
import { type Destination, destination } from './destination.ts';

export const XmppLocationType = { address: 1, route: 2 } as const;

/**
 * XmppLocation — XEP-0415 §4.2: the value of the Kind XMPP-LOCATION. `address` is a prepared bare
 * JID. A type that we do not know is kept as bytes.
 */
export type XmppLocation =
  | { readonly type: 'address'; readonly address: string }
  | {
      readonly type: 'route';
      readonly priority: number;
      readonly destinationList: readonly Destination[];
    }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };

const address = text(uint16);
const destinationList = vector(uint16, destination);

export const XmppLocation: Codec<XmppLocation> = {
  read: (reader) =>
    inField('XmppLocation', 'data', () => {
      const code = reader.uint8();
      const length = reader.uint16();
      return reader.bounded(length, (inner): XmppLocation => {
        switch (code) {
          case XmppLocationType.address:
            return { type: 'address', address: address.read(inner) };
          case XmppLocationType.route: {
            const priority = inner.uint8();
            return { type: 'route', priority, destinationList: destinationList.read(inner) };
          }
          default:
            return { type: 'unknown', code, data: inner.take(inner.remaining) };
        }
      });
    }),
  write(writer, value) {
    writer.uint8(value.type === 'unknown' ? value.code : XmppLocationType[value.type]);
    writer.prefixed(2, (inner) => {
      if (value.type === 'address') address.write(inner, value.address);
      else if (value.type === 'unknown') inner.raw(value.data);
      else {
        inner.uint8(value.priority);
        destinationList.write(inner, [...value.destinationList]);
      }
    });
  },
};
