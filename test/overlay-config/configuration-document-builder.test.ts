import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  buildKindBlock,
  type ConfigurationContent,
  signConfiguration,
  unsignedDocument,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import { AccessPolicy, type KindDefinition } from '../../src/overlay-config/kind-definition.ts';
import type { OverlayConfiguration } from '../../src/overlay-config/overlay-configuration.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { grammarFault } from './relax-ng.ts';
import { TestAuthority } from './test-authority.ts';

const authority = new TestAuthority('overlay.example.org');
const signer = authority.signer(1);
const kindSigner = authority.signer(2);

function configurationOf(document: Uint8Array, name = 'overlay.example.org'): OverlayConfiguration {
  const parsed = parseConfigurationDocument(document, name);
  if (parsed instanceof ConfigurationFault) throw parsed;
  return parsed.configuration;
}

const nodeId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as NodeId)
  .filter((id) => !/^(?:0+|f+)$/.test(id));
const printable = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .map((text) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$|\p{Cc}/gu, '') || 'x');
const address = fc.oneof(
  fc.record({
    type: fc.constant('ipv4' as const),
    address: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    port: fc.integer({ min: 1, max: 65_535 }),
  }),
  fc.record({
    type: fc.constant('ipv6' as const),
    address: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    port: fc.integer({ min: 1, max: 65_535 }),
  }),
);
const seconds = fc.integer({ min: 1, max: 0x7fffffff });
const content: fc.Arbitrary<ConfigurationContent> = fc.record(
  {
    instanceName: fc.constant('overlay.example.org'),
    sequence: fc.integer({ min: 0, max: 65_534 }),
    expirationUnixMs: fc.integer({ min: 0, max: Date.UTC(9999, 0) }),
    topologyPlugin: fc.constantFrom('CHORD-RELOAD', 'CHORD-SELF-TUNING'),
    nodeIdLength: fc.constant(16),
    rootCertificates: fc.constant([authority.root.der]),
    enrollmentServers: fc.array(fc.webUrl({ validSchemes: ['https'], withQueryParameters: true })),
    selfSignedDigest: fc.constantFrom('sha1' as const, 'sha256' as const),
    bootstrapNodes: fc.array(address),
    turnDensity: fc.integer({ min: 0, max: 255 }),
    clientsPermitted: fc.boolean(),
    noIce: fc.boolean(),
    chordUpdateIntervalSeconds: seconds,
    chordPingIntervalSeconds: seconds,
    chordReactive: fc.boolean(),
    sharedSecret: printable,
    maxMessageSizeBytes: fc.integer({ min: 1, max: 0xffffff }),
    initialTtl: fc.integer({ min: 1, max: 255 }),
    overlayReliabilityTimerMs: fc.integer({ min: 200, max: 0x7fffffff }),
    overlayLinkProtocols: fc.constant(['HIP', 'TLS']),
    configurationSigners: fc.array(nodeId),
    kindSigners: fc.array(nodeId),
    badNodes: fc.array(nodeId).map((ids) => new Set(ids)),
    mandatoryExtensions: fc.subarray(['urn:ietf:params:xml:ns:p2p:self-tuning']),
    certificateProfile: fc.constantFrom('xep-0416' as const, 'rfc6940' as const),
    selfTuning: fc.record({ peersToProbe: fc.integer({ min: 0, max: 128 }) }),
  },
  { requiredKeys: ['instanceName', 'sequence', 'rootCertificates'] },
);

describe('a configuration that is built', () => {
  test('reads back as it was given, and is valid by the grammar of RFC 6940 §11.1.1', () => {
    fc.assert(
      fc.property(content, (given) => {
        const document = unsignedDocument(buildConfiguration(given));
        const { selfTuning, ...read } = configurationOf(document);
        const { selfTuning: givenTuning, ...rest } = given;
        expect(read).toMatchObject(rest);
        if (givenTuning !== undefined) expect(selfTuning).toMatchObject(givenTuning);
        expect(grammarFault(document)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test('with Kinds of every data model and access control', () => {
    const limits = { maxCount: 7, maxSizeBytes: 9, findAllowed: true };
    const kinds: KindDefinition[] = [
      { kindId: 0xf0000001, dataModel: 'single', accessPolicy: AccessPolicy.userMatch, ...limits },
      { kindId: 0xf0000002, dataModel: 'array', accessPolicy: AccessPolicy.nodeMatch, ...limits },
      {
        kindId: 0xf0000003,
        dataModel: 'dictionary',
        accessPolicy: AccessPolicy.userNodeMatch,
        ...limits,
      },
      {
        kindId: 0xf0000004,
        dataModel: 'single',
        accessPolicy: AccessPolicy.nodeMultiple,
        maxNodeMultiple: 255,
        ...limits,
      },
    ];
    const document = unsignedDocument(
      buildConfiguration({
        instanceName: 'overlay.example.org',
        sequence: 1,
        rootCertificates: [authority.root.der],
        requiredKinds: kinds.map((kind) => buildKindBlock(kind, kindSigner)),
      }),
    );
    expect(grammarFault(document)).toBeUndefined();
    const read = configurationOf(document).kinds;
    for (const kind of kinds) expect(read.get(kind.kindId)).toEqual(kind);
  });

  test('says all by its own bytes what its names mean', () => {
    const bytes = buildConfiguration({
      instanceName: 'overlay.example.org',
      sequence: 1,
      rootCertificates: [authority.root.der],
      chordReactive: false,
      certificateProfile: 'rfc6940',
      selfTuning: { peersToProbe: 3 },
    });
    const parsed = parseConfigurationDocument(unsignedDocument(bytes), 'overlay.example.org');
    if (parsed instanceof ConfigurationFault) throw parsed;
    expect(parsed.outerNamespaces.size).toBe(0);
    expect(parsed.signedBytes).toEqual(bytes);
  });

  test('carries names and secrets with any character of XML', () => {
    const instanceName = 'overlay"<>&\'.example';
    const sharedSecret = 'a]]>\u00a0&amp;\t😀 "b"';
    const bytes = buildConfiguration({
      instanceName,
      sequence: 0,
      sharedSecret,
      selfSignedDigest: 'sha256',
    });
    const read = configurationOf(unsignedDocument(bytes), instanceName);
    expect(read).toMatchObject({ instanceName, sharedSecret });
  });

  test('refuses what XML or the format cannot hold', () => {
    const base = { instanceName: 'a', sequence: 0 };
    expect(() => buildConfiguration({ ...base, sharedSecret: '\u0000' })).toThrow(RangeError);
    const unknown = { type: 'unknown', code: 3, data: new Uint8Array(1) } as const;
    expect(() => buildConfiguration({ ...base, bootstrapNodes: [unknown] })).toThrow(RangeError);
  });
});

describe('RFC 6940 §11.1, a configuration that is signed', () => {
  const bytes = buildConfiguration({
    instanceName: 'overlay.example.org',
    sequence: 1,
    rootCertificates: [authority.root.der],
  });
  const document = signConfiguration(bytes, signer);

  test('stands unchanged in a document whose signature is a SecurityBlock', () => {
    const parsed = parseConfigurationDocument(document, 'overlay.example.org');
    if (parsed instanceof ConfigurationFault) throw parsed;
    expect(parsed.signedBytes).toEqual(bytes);
    const block = parsed.signatures[0]?.block;
    if (block === undefined || block instanceof MalformedMessage) throw new Error('no block');
    expect(block.certificates[0]?.certificate).toEqual(signer.node.certificate.der);
    expect(grammarFault(document)).toBeUndefined();
    expect(new TextDecoder().decode(document)).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>/);
  });

  test('changed in any byte, it is read or refused, and nothing is thrown', () => {
    const edits = fc.array(fc.tuple(fc.nat(document.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(edits, (changes) => {
        const changed = document.slice();
        for (const [index, byte] of changes) changed[index] = byte;
        expect(parseConfigurationDocument(changed, 'overlay.example.org')).toBeDefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
