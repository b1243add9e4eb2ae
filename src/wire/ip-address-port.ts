import { type Codec, inField } from './codec.ts';

export const AddressType = { ipv4: 1, ipv6: 2 } as const;

/**
 * IpAddressPort — RFC 6940 §6.3.1.1. `address` is 4 or 16 bytes; a type that we do not know is
 * skipped by its length and kept as bytes.
 */
export type IpAddressPort =
  | { readonly type: 'ipv4'; readonly address: Uint8Array; readonly port: number }
  | { readonly type: 'ipv6'; readonly address: Uint8Array; readonly port: number }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };

export const IpAddressPort: Codec<IpAddressPort> = {
  read: (reader) =>
    inField('IpAddressPort', 'type', () => {
      const at = reader.offset;
      const code = reader.uint8();
      const length = reader.uint8();
      if (code === 0) throw reader.fault('address type 0 is invalid', at);
      return reader.bounded(length, (inner): IpAddressPort => {
        if (code === AddressType.ipv4) {
          return { type: 'ipv4', address: inner.take(4), port: inner.uint16() };
        }
        if (code === AddressType.ipv6) {
          return { type: 'ipv6', address: inner.take(16), port: inner.uint16() };
        }
        return { type: 'unknown', code, data: inner.take(inner.remaining) };
      });
    }),
  write(writer, value) {
    writer.uint8(value.type === 'unknown' ? value.code : AddressType[value.type]);
    writer.prefixed(1, (inner) => {
      if (value.type === 'unknown') {
        inner.raw(value.data);
        return;
      }
      inner.raw(value.address);
      inner.uint16(value.port);
    });
  },
};
