import { describe, expect, test } from 'vitest';
import {
  overlayNamesOf,
  parseConfigurationDocument,
} from '../../src/overlay-config/configuration-document.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import type { OverlayConfiguration } from '../../src/overlay-config/overlay-configuration.ts';
import type { ParsedConfiguration } from '../../src/overlay-config/parsed-configuration.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import {
  documentOf,
  kindBlock,
  NODE_A,
  NODE_B,
  NODE_C,
  ROOT,
  ROOT_CERTIFICATE,
  WHOLE_DOCUMENT,
} from './example-document.ts';
import { grammarFault } from './relax-ng.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

function parse(document: string, overlay = 'overlay.example.org'): ParsedConfiguration {
  const parsed = parseConfigurationDocument(utf8(document), overlay);
  if (parsed instanceof ConfigurationFault) throw parsed;
  return parsed;
}

function fault(document: string, overlay = 'overlay.example.org'): ConfigurationFault {
  const parsed = parseConfigurationDocument(utf8(document), overlay);
  if (!(parsed instanceof ConfigurationFault)) throw new Error('expected a fault');
  return parsed;
}

const configurationOf = (content: string): OverlayConfiguration =>
  parse(documentOf(content)).configuration;

describe('RFC 6940 §11.1, the example document with right values', () => {
  const parsed = parse(WHOLE_DOCUMENT);
  const { configuration } = parsed;

  test('is valid by the grammar of §11.1.1', () => {
    expect(grammarFault(utf8(WHOLE_DOCUMENT))).toBeUndefined();
  });

  test('every element is read', () => {
    expect(configuration).toMatchObject({
      instanceName: 'overlay.example.org',
      sequence: 22,
      expirationUnixMs: Date.UTC(2002, 9, 10, 7),
      topologyPlugin: 'CHORD-RELOAD',
      nodeIdLength: 16,
      rootCertificates: [ROOT_CERTIFICATE, ROOT_CERTIFICATE],
      enrollmentServers: ['https://example.org', 'https://example.net'],
      selfSignedDigest: undefined,
      turnDensity: 20,
      clientsPermitted: false,
      noIce: true,
      chordUpdateIntervalSeconds: 400,
      chordPingIntervalSeconds: 30,
      chordReactive: false,
      sharedSecret: 'pass word',
      maxMessageSizeBytes: 4000,
      initialTtl: 30,
      overlayReliabilityTimerMs: 2000,
      overlayLinkProtocols: ['TLS'],
      configurationSigners: [NODE_A],
      kindSigners: [NODE_A, NODE_B],
      badNodes: new Set([NODE_C]),
      mandatoryExtensions: [],
      certificateProfile: 'xep-0416',
      selfTuning: undefined,
    });
    expect(configuration.bootstrapNodes).toEqual([
      { type: 'ipv4', address: new Uint8Array([192, 0, 0, 1]), port: 6084 },
      { type: 'ipv4', address: new Uint8Array([192, 0, 2, 2]), port: 6085 },
      {
        type: 'ipv6',
        address: new Uint8Array([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        port: 6084,
      },
    ]);
  });

  test('Kinds: the registration wins, counts and sizes are the document’s', () => {
    expect(configuration.kinds.get(1)).toEqual({
      kindId: 1,
      name: 'SIP-REGISTRATION',
      dataModel: 'dictionary',
      accessPolicy: 'USER-NODE-MATCH',
      maxCount: 1,
      maxSizeBytes: 100,
      findAllowed: false,
    });
    expect(configuration.kinds.get(4_026_532_000)).toEqual({
      kindId: 4_026_532_000,
      dataModel: 'array',
      accessPolicy: 'NODE-MULTIPLE',
      maxNodeMultiple: 3,
      maxCount: 22,
      maxSizeBytes: 4,
      findAllowed: true,
    });
  });

  test('elements and attributes of unknown namespaces are kept', () => {
    expect(configuration.extensionElements.map(({ localName }) => localName)).toEqual([
      'example-extension',
    ]);
    expect(configuration.extensionAttributes.map(({ value }) => value)).toEqual(['stuff']);
  });

  test('the signed bytes run from <configuration to </configuration>', () => {
    const text = new TextDecoder().decode(parsed.signedBytes);
    expect(text.startsWith('<configuration instance-name="overlay.example.org"')).toBe(true);
    expect(text.endsWith('</required-kinds>\n   </configuration>')).toBe(true);
    expect(WHOLE_DOCUMENT).toContain(text);
    expect([...parsed.outerNamespaces.keys()].sort()).toEqual(['', 'chord', 'ext']);
  });

  test('the signed bytes of a Kind run from <kind to </kind>, its block is kept whole', () => {
    const [sip] = parsed.kindBlocks;
    const signed = new TextDecoder().decode(sip?.signedBytes);
    expect(signed).toMatch(/^<kind name="SIP-REGISTRATION">.*<\/kind>$/s);
    const block = new TextDecoder().decode(configuration.kindBlocks.get(1));
    expect(block).toMatch(/^<kind-block><kind name=.*<\/kind-signature><\/kind-block>$/s);
  });

  test('a signature that is no SecurityBlock is told apart, and hurts nobody yet', () => {
    expect(parsed.signatures).toHaveLength(1);
    expect(parsed.signatures[0]?.block).toBeInstanceOf(MalformedMessage);
  });

  test('the other configuration is found by its name, and refused for itself', () => {
    expect(overlayNamesOf(utf8(WHOLE_DOCUMENT))).toEqual([
      'overlay.example.org',
      'other.example.net',
    ]);
    const other = fault(WHOLE_DOCUMENT, 'other.example.net');
    expect(other.describe()).toMatch(/<configuration>: expected an attribute "sequence", got none/);
  });
});

describe('RFC 6940 §11.1, defaults', () => {
  test('of a document that has a root certificate and nothing else', () => {
    expect(configurationOf(ROOT)).toMatchObject({
      expirationUnixMs: undefined,
      topologyPlugin: 'CHORD-RELOAD',
      nodeIdLength: 16,
      enrollmentServers: [],
      bootstrapNodes: [],
      turnDensity: 1,
      clientsPermitted: true,
      noIce: false,
      chordUpdateIntervalSeconds: 600,
      chordPingIntervalSeconds: 3600,
      chordReactive: true,
      sharedSecret: undefined,
      maxMessageSizeBytes: 5000,
      initialTtl: 100,
      overlayReliabilityTimerMs: 3000,
      overlayLinkProtocols: ['TLS'],
      certificateProfile: 'xep-0416',
    });
  });

  test('built-in Kinds, which the document may give other limits', () => {
    const { kinds } = configurationOf(
      ROOT +
        `<required-kinds>${kindBlock(
          '<kind name="CERTIFICATE_BY_USER"><data-model>SINGLE</data-model>' +
            '<access-control>NODE-MATCH</access-control><max-count>5</max-count>' +
            '<max-size>999</max-size></kind>',
        )}</required-kinds>`,
    );
    expect([...kinds.values()]).toEqual([
      {
        kindId: 0x2,
        name: 'TURN-SERVICE',
        dataModel: 'single',
        accessPolicy: 'NODE-MULTIPLE',
        maxNodeMultiple: 20,
        maxCount: 1,
        maxSizeBytes: 64,
        findAllowed: true,
      },
      {
        kindId: 0x3,
        name: 'CERTIFICATE_BY_NODE',
        dataModel: 'array',
        accessPolicy: 'NODE-MATCH',
        maxCount: 4,
        maxSizeBytes: 8192,
        findAllowed: false,
      },
      {
        kindId: 0x10,
        name: 'CERTIFICATE_BY_USER',
        dataModel: 'array',
        accessPolicy: 'USER-MATCH',
        maxCount: 5,
        maxSizeBytes: 999,
        findAllowed: false,
      },
      {
        kindId: 0x5,
        name: 'XMPP-LOCATION',
        dataModel: 'dictionary',
        accessPolicy: 'USER-NODE-MATCH',
        maxCount: 32,
        maxSizeBytes: 1024,
        findAllowed: false,
      },
    ]);
  });

  test('self-signed-permitted: both digests, and no root certificate needed', () => {
    for (const digest of ['sha1', 'sha256'] as const) {
      const content = `<self-signed-permitted digest="${digest}"> 1 </self-signed-permitted>`;
      expect(configurationOf(content).selfSignedDigest).toBe(digest);
    }
  });

  test('topology-plug-in, as the prose spells it, is understood too', () => {
    const content = `${ROOT}<topology-plug-in>CHORD-RELOAD</topology-plug-in>`;
    expect(configurationOf(content).topologyPlugin).toBe('CHORD-RELOAD');
  });

  test('an enrollment-server in a url element, as the prose has it, is understood too', () => {
    const content = `${ROOT}<enrollment-server> <url>https://a.example/</url> </enrollment-server>`;
    expect(configurationOf(content).enrollmentServers).toEqual(['https://a.example/']);
  });

  test('a Node-ID in the forms of a certificate', () => {
    const content = `${ROOT}<bad-node>0110${NODE_A}</bad-node><bad-node>1</bad-node>`;
    expect([...configurationOf(content).badNodes]).toEqual([NODE_A, `${'0'.repeat(31)}1`]);
    const digits = '12345678901234567890123456789012';
    expect([...configurationOf(`${ROOT}<bad-node>${digits}</bad-node>`).badNodes]).toEqual([
      digits,
    ]);
  });
});

describe('RFC 7363 §7', () => {
  const namespace = 'xmlns:t="urn:ietf:params:xml:ns:p2p:self-tuning"';
  test('number-of-peers-to-probe, and its default with the plugin alone', () => {
    const content = `${ROOT}<t:number-of-peers-to-probe ${namespace}> 7
      </t:number-of-peers-to-probe>`;
    expect(configurationOf(content).selfTuning).toEqual({
      peersToProbe: 7,
      values: new Map([['number-of-peers-to-probe', '7']]),
    });
    const plugin = `${ROOT}<topology-plugin>CHORD-SELF-TUNING</topology-plugin>`;
    expect(configurationOf(plugin).selfTuning?.peersToProbe).toBe(4);
  });

  test('its namespace may be a mandatory-extension', () => {
    const name = 'urn:ietf:params:xml:ns:p2p:self-tuning';
    const content = `${ROOT}<mandatory-extension> ${name} </mandatory-extension>`;
    expect(configurationOf(content).mandatoryExtensions).toEqual([name]);
  });
});

describe('XEP-0416 §3, the certificate profile', () => {
  const namespace = 'xmlns:o="urn:xmpp-over-reload:config"';
  const element = (profile: string) =>
    `${ROOT}<o:certificate-profile ${namespace}>${profile}</o:certificate-profile>`;

  test('comes from the extension element, and is always XEP-0416’s for xmpp.org', () => {
    expect(configurationOf(element('rfc6940')).certificateProfile).toBe('rfc6940');
    expect(configurationOf(element('xep-0416')).certificateProfile).toBe('xep-0416');
    const document = documentOf(element('rfc6940')).replace('overlay.example.org', 'xmpp.org');
    expect(parse(document, 'xmpp.org').configuration.certificateProfile).toBe('xep-0416');
  });

  test('must be one that we know', () => {
    expect(fault(documentOf(element('pgp'))).describe()).toMatch(
      /expected one of xep-0416, rfc6940/,
    );
  });
});

describe('RFC 6940 §11.1, the document around the configuration', () => {
  test('no configuration of this name, or two', () => {
    expect(fault(documentOf(ROOT), 'xmpp.org').describe()).toMatch(
      /<overlay>: expected one .*"xmpp.org", got those of "overlay.example.org"/,
    );
    const one = '<configuration instance-name="a" sequence="1"/>';
    const twice = `<overlay xmlns="urn:ietf:params:xml:ns:p2p:config-base">${one}${one}</overlay>`;
    expect(fault(twice, 'a').describe()).toMatch(/got a second one/);
  });

  test('not XML, or another document', () => {
    expect(fault('<overlay>')).toMatchObject({ code: 'malformed', line: 1 });
    expect(fault('<overlay/>').describe()).toMatch(/expected <overlay> of the namespace/);
    expect(fault('<!DOCTYPE overlay><overlay/>').describe()).toMatch(/document type/);
  });

  test('signatures belong to the configuration before them, whatever stands around', () => {
    const configuration = (name: string) =>
      `<configuration instance-name="${name}" sequence="1">${ROOT}</configuration>`;
    const document =
      '<overlay xmlns="urn:ietf:params:xml:ns:p2p:config-base"><signature>AAAA</signature>' +
      `${configuration('a')}<signature>AAAA</signature><signature>AAAA</signature>` +
      `${configuration('b')}${configuration('c')}<signature>AAAA</signature></overlay>`;
    expect(grammarFault(utf8(document))).toBeUndefined();
    const counts = ['a', 'b', 'c'].map((name) => parse(document, name).signatures.length);
    expect(counts).toEqual([2, 0, 1]);
  });

  test('more signatures than a node would check', () => {
    const document = documentOf(ROOT).replace(
      '</overlay>',
      `${'<signature>AAAA</signature>'.repeat(9)}</overlay>`,
    );
    expect(fault(document).describe()).toMatch(/at most 8 signatures of a configuration, got 9/);
  });

  test('what we cannot do is told apart from what is wrong, with the signed bytes', () => {
    const unsupported = fault(documentOf(`${ROOT}<node-id-length>20</node-id-length>`));
    expect(unsupported.code).toBe('unsupported');
    expect(unsupported.signed?.sequence).toBe(22);
    const invalid = fault(documentOf(`${ROOT}<node-id-length>x</node-id-length>`));
    expect(invalid).toMatchObject({ code: 'invalid', signed: undefined });
  });

  test('the parsed document does not change when the input buffer does', () => {
    const bytes = utf8(documentOf(ROOT));
    const parsed = parseConfigurationDocument(bytes, 'overlay.example.org');
    if (parsed instanceof ConfigurationFault) throw parsed;
    const before = parsed.signedBytes.slice();
    bytes.fill(0);
    expect(parsed.signedBytes).toEqual(before);
  });
});
