import { type Codec, inField, opaque, uint16, uint24, vector } from './codec.ts';

export const ConfigUpdateType = { config: 1, kind: 2 } as const;

/**
 * ConfigUpdateReq — RFC 6940 §6.5.4.1. `configData` is an overlay configuration document, each of
 * `kinds` a kind-block, both as UTF-8 XML.
 */
export type ConfigUpdateReq =
  | { readonly type: 'config'; readonly configData: Uint8Array }
  | { readonly type: 'kind'; readonly kinds: readonly Uint8Array[] };

const configData = opaque(uint24);
const kindDescriptions = vector(uint24, opaque(uint16));

export const ConfigUpdateReq: Codec<ConfigUpdateReq> = {
  read(reader) {
    const at = reader.offset;
    const type = inField('ConfigUpdateReq', 'type', () => reader.uint8());
    const length = inField('ConfigUpdateReq', 'length', () => reader.uint32());
    return inField('ConfigUpdateReq', 'data', () =>
      reader.bounded(length, (inner): ConfigUpdateReq => {
        switch (type) {
          case ConfigUpdateType.config:
            return { type: 'config', configData: configData.read(inner) };
          case ConfigUpdateType.kind:
            return { type: 'kind', kinds: kindDescriptions.read(inner) };
          default:
            throw inner.fault(`expected an update of type 1 or 2, got ${type}`, at);
        }
      }),
    );
  },
  write(writer, update) {
    writer.uint8(ConfigUpdateType[update.type]);
    writer.prefixed(4, (inner) => {
      if (update.type === 'config') configData.write(inner, update.configData);
      else kindDescriptions.write(inner, [...update.kinds]);
    });
  },
};
