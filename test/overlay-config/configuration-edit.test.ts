import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  buildKindBlock,
  type ConfigurationContent,
  unsignedDocument,
} from '../../src/overlay-config/configuration-document-builder.ts';
import {
  type ConfigurationChange,
  EditRefusal,
  editConfiguration,
} from '../../src/overlay-config/configuration-edit.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import type { OverlayConfiguration } from '../../src/overlay-config/overlay-configuration.ts';
import type { ParsedConfiguration } from '../../src/overlay-config/parsed-configuration.ts';
import { TestAuthority } from './test-authority.ts';

const NAME = 'overlay.example.org';
const authority = new TestAuthority(NAME);
const second = new TestAuthority(NAME);
const signer = authority.signer(1);
const BAD = 'bb'.repeat(16);
const PRIVATE_KIND = 0xf000_0001;
const kind = (maxSizeBytes: number, kindId = PRIVATE_KIND) => ({
  kindId,
  dataModel: 'single' as const,
  accessPolicy: 'USER-MATCH' as const,
  maxCount: 1,
  maxSizeBytes,
  findAllowed: true,
});
const setKind = (maxSizeBytes: number, kindId = PRIVATE_KIND) =>
  ({
    type: 'setKind',
    kindId,
    block: buildKindBlock(kind(maxSizeBytes, kindId), signer),
  }) as const;
const address = (last: number, port: number) =>
  ({ type: 'ipv4', address: Uint8Array.of(192, 0, 2, last), port }) as const;
const sha256 = (der: Uint8Array) => createHash('sha256').update(der).digest('hex');

function parse(document: Uint8Array): ParsedConfiguration {
  const parsed = parseConfigurationDocument(document, NAME);
  if (parsed instanceof ConfigurationFault) throw new Error(parsed.describe());
  return parsed;
}

function original(more: Partial<ConfigurationContent> = {}): ParsedConfiguration {
  const content = {
    instanceName: NAME,
    sequence: 7,
    rootCertificates: [authority.root.der],
    configurationSigners: [signer.nodeId],
    kindSigners: [signer.nodeId],
    bootstrapNodes: [address(1, 6084)],
    noIce: true,
    ...more,
  };
  return parse(unsignedDocument(buildConfiguration(content)));
}

function edited(
  changes: readonly ConfigurationChange[],
  from: ParsedConfiguration = original(),
): OverlayConfiguration {
  const result = editConfiguration(from, changes);
  if (result instanceof EditRefusal) throw new Error(result.detail);
  return result.configuration;
}

function refusal(changes: readonly ConfigurationChange[], from = original()): string {
  const result = editConfiguration(from, changes);
  return result instanceof EditRefusal ? result.detail : 'not refused';
}

describe('RFC 6940 §11.1, a document that is changed', () => {
  it('has the next sequence: 0 follows 65534', () => {
    expect(edited([]).sequence).toBe(8);
    expect(edited([], original({ sequence: 65_534 })).sequence).toBe(0);
  });

  it('has a root more or a root less', () => {
    const both = editConfiguration(original(), [
      { type: 'addRoot', certificate: second.root.der },
    ]) as ParsedConfiguration;
    expect(both.configuration.rootCertificates).toEqual([authority.root.der, second.root.der]);
    const change = { type: 'removeRoot', sha256: sha256(authority.root.der) } as const;
    expect(edited([change], both).rootCertificates).toEqual([second.root.der]);
  });

  it('has bad-nodes, signers and servers more or less', () => {
    const server = 'https://ca.example/enroll';
    const added = edited([
      { type: 'add', list: 'bad-node', value: BAD },
      { type: 'add', list: 'enrollment-server', value: server },
      { type: 'add', list: 'configuration-signer', value: 'cc'.repeat(16) },
      { type: 'add', list: 'kind-signer', value: 'dd'.repeat(16) },
    ]);
    expect([...added.badNodes]).toEqual([BAD]);
    expect(added.enrollmentServers).toEqual([server]);
    expect(added.configurationSigners).toEqual([signer.nodeId, 'cc'.repeat(16)]);
    expect(added.kindSigners).toEqual([signer.nodeId, 'dd'.repeat(16)]);
    const remove = { type: 'remove', list: 'bad-node', value: BAD } as const;
    expect(edited([remove], original({ badNodes: [BAD] })).badNodes.size).toBe(0);
  });

  it('has bootstrap nodes more or less, however the address is written', () => {
    const nodes = edited([
      { type: 'addBootstrapNode', node: address(2, 7000) },
      { type: 'removeBootstrapNode', node: address(1, 6084) },
    ]).bootstrapNodes;
    expect(nodes).toEqual([address(2, 7000)]);
    const text = Buffer.from(original().document).toString('utf8').replace(' port="6084"', '');
    const implied = parse(Buffer.from(text));
    const remove = { type: 'removeBootstrapNode', node: address(1, 6084) } as const;
    expect(edited([remove], implied).bootstrapNodes).toEqual([]);
  });

  it('has other parameters, or those that hold where it says nothing', () => {
    const changed = editConfiguration(original(), [
      { type: 'set', parameter: 'max-message-size', value: '9000' },
      { type: 'set', parameter: 'chord-ping-interval', value: '60' },
      { type: 'set', parameter: 'clients-permitted', value: 'false' },
    ]) as ParsedConfiguration;
    expect(changed.configuration).toMatchObject({
      maxMessageSizeBytes: 9_000,
      chordPingIntervalSeconds: 60,
      clientsPermitted: false,
    });
    const back = edited(
      [{ type: 'set', parameter: 'max-message-size', value: undefined }],
      changed,
    );
    expect(back.maxMessageSizeBytes).toBe(5_000);
  });

  it('expires at another time, or not at all', () => {
    const unixMs = Date.UTC(2027, 0, 1);
    const late = editConfiguration(original(), [
      { type: 'setExpiration', unixMs },
    ]) as ParsedConfiguration;
    expect(late.configuration.expirationUnixMs).toBe(unixMs);
    const never = [{ type: 'setExpiration', unixMs: undefined }] as const;
    expect(edited(never, late).expirationUnixMs).toBeUndefined();
  });

  it('has Kinds more, others or less', () => {
    const one = editConfiguration(original(), [setKind(10)]) as ParsedConfiguration;
    expect(one.configuration.kinds.get(PRIVATE_KIND)?.maxSizeBytes).toBe(10);
    const two = editConfiguration(one, [setKind(20), setKind(5, PRIVATE_KIND + 1)]);
    if (two instanceof EditRefusal) throw new Error(two.detail);
    expect(two.configuration.kinds.get(PRIVATE_KIND)?.maxSizeBytes).toBe(20);
    expect(two.configuration.kinds.get(PRIVATE_KIND + 1)?.maxSizeBytes).toBe(5);
    const removed = edited([{ type: 'removeKind', kindId: PRIVATE_KIND }], two);
    expect(removed.kindBlocks.has(PRIVATE_KIND)).toBe(false);
    const none = editConfiguration(one, [{ type: 'removeKind', kindId: PRIVATE_KIND }]);
    expect(edited([setKind(3)], none as ParsedConfiguration).kindBlocks.size).toBe(1);
  });

  it('keeps the bytes of all that no change names', () => {
    const text = `<overlay xmlns="urn:ietf:params:xml:ns:p2p:config-base"
        xmlns:c="urn:ietf:params:xml:ns:p2p:config-chord" xmlns:x="urn:x">
      <configuration instance-name='${NAME}' x:note='sequence="1"' sequence = '7'>
        <!-- grüße & <root-cert> --><x:unknown a="b">&#228;</x:unknown>
        <c:chord-reactive>false</c:chord-reactive>
        <root-cert>${Buffer.from(authority.root.der).toString('base64')}</root-cert>
        <configuration-signer>${signer.nodeId}</configuration-signer>
      </configuration></overlay>`;
    const from = parse(Buffer.from(text.replace('& ', '')));
    const result = editConfiguration(from, [{ type: 'add', list: 'bad-node', value: BAD }]);
    if (result instanceof EditRefusal) throw new Error(result.detail);
    const bytes = Buffer.from(result.signedBytes).toString('utf8');
    expect(bytes).toContain('<!-- grüße <root-cert> --><x:unknown a="b">&#228;</x:unknown>');
    expect(bytes).toContain(`x:note='sequence="1"' sequence="8"`);
    expect(result.outerNamespaces.size).toBe(0);
    expect(result.configuration).toMatchObject({ chordReactive: false, sequence: 8 });
    expect(result.configuration.extensionElements).toHaveLength(1);
    expect([...result.configuration.badNodes]).toEqual([BAD]);
  });

  it('is, with all changes taken back, what it was', () => {
    const nodeIds = fc.uniqueArray(
      fc
        .uint8Array({ minLength: 16, maxLength: 16 })
        .map((bytes) => Buffer.from(bytes).toString('hex')),
      { maxLength: 6, minLength: 1 },
    );
    const meaning = ({ sequence: _, ...rest }: OverlayConfiguration) => ({
      ...rest,
      badNodes: [...rest.badNodes],
    });
    fc.assert(
      fc.property(nodeIds, (values) => {
        const changes = (type: 'add' | 'remove') =>
          values.map((value) => ({ type, list: 'bad-node' as const, value }));
        const there = editConfiguration(original(), changes('add'));
        const back = editConfiguration(there as ParsedConfiguration, changes('remove'));
        const after = (back as ParsedConfiguration).configuration;
        expect(meaning(after)).toEqual(meaning(original().configuration));
      }),
    );
  });
});

describe('a change is refused with its reason', () => {
  const bad = { type: 'add', list: 'bad-node', value: BAD } as const;
  it.each<[string, readonly ConfigurationChange[], RegExp]>([
    ['a root that is there', [{ type: 'addRoot', certificate: authority.root.der }], /already/],
    ['a root that is not', [{ type: 'removeRoot', sha256: '00'.repeat(32) }], /is not there/],
    [
      'the last root',
      [{ type: 'removeRoot', sha256: sha256(authority.root.der) }],
      /would be wrong: .*expected a <root-cert>/,
    ],
    ['no certificate', [{ type: 'addRoot', certificate: Uint8Array.of(1) }], /<root-cert>/],
    ['the same twice', [bad, bad], /bad-node b+ is named twice/],
    ['no Node-ID', [{ ...bad, value: 'xyz' }], /<bad-node>: expected .*got "xyz"/],
    ['a signer as bad-node', [{ ...bad, value: signer.nodeId }], /is a signer; name another/],
    [
      'the last configuration-signer',
      [{ type: 'remove', list: 'configuration-signer', value: signer.nodeId }],
      /without a configuration-signer no document could follow/,
    ],
    [
      'a server without TLS',
      [{ type: 'add', list: 'enrollment-server', value: 'http://ca.example' }],
      /a URL of type https:/,
    ],
    [
      'a value out of range',
      [{ type: 'set', parameter: 'initial-ttl', value: '0' }],
      /<initial-ttl>: expected a whole number|<initial-ttl>/,
    ],
    [
      'a default that holds already',
      [{ type: 'set', parameter: 'initial-ttl', value: undefined }],
      /element initial-ttl is not there/,
    ],
    [
      'a bootstrap node that is there',
      [{ type: 'addBootstrapNode', node: address(1, 6084) }],
      /192\.0\.2\.1 port 6084 is there already/,
    ],
    ['a Kind that is not there', [{ type: 'removeKind', kindId: 3 }], /the Kind 0x3 is not there/],
  ])('%s', (_what, changes, says) => {
    expect(refusal(changes)).toMatch(says);
  });
});
