import { describe, expect, test } from 'vitest';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import { documentOf, kindBlock, ROOT } from './example-document.ts';
import { grammarFault } from './relax-ng.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

function fault(document: string): ConfigurationFault {
  const parsed = parseConfigurationDocument(utf8(document), 'overlay.example.org');
  if (!(parsed instanceof ConfigurationFault)) throw new Error('expected a fault');
  return parsed;
}

const kind = (inside: string, key = 'id="4026532000"') =>
  `<required-kinds>${kindBlock(`<kind ${key}>${inside}</kind>`)}</required-kinds>`;
const limits = '<max-count>1</max-count><max-size>1</max-size>';
const userMatch = '<access-control>USER-MATCH</access-control>';

describe('RFC 6940 §11.1, the bogus values of the RFC’s own example are named', () => {
  const cases: [string, string, RegExp][] = [
    [
      'an extension that only the example has',
      '<mandatory-extension>\n urn:ietf:params:xml:ns:p2p:config-ext1\n</mandatory-extension>',
      /<mandatory-extension>: expected an extension this program supports/,
    ],
    [
      '"bad cert" in base64',
      '<root-cert> YmFkIGNlcnQK </root-cert>',
      /<root-cert>: expected an X.509 certificate in DER, got at byte 0/,
    ],
    [
      'a Node-ID of 8 bytes',
      '<configuration-signer>6eba45d31a900c06</configuration-signer>',
      /<configuration-signer>: expected a Node-ID of 32 hex digits, got "6eba45d31a900c06"/,
    ],
    [
      'a Kind-ID outside the private range',
      kind(`${limits}<data-model>ARRAY</data-model>${userMatch}`, 'id="2000"'),
      /<kind\/@id>: expected an integer 4026531841 to 4294967293, got "2000"/,
    ],
  ];
  test.each(cases)('%s', (_what, content, says) => {
    expect(fault(documentOf(ROOT + content)).describe()).toMatch(says);
  });
});

describe('RFC 6940 §11.1, refused with element, line and what was expected', () => {
  const cases: [content: string, says: RegExp][] = [
    ['<node-id-length>20</node-id-length>', /line 6, <node-id-length>: expected 16 bytes.*"20"/],
    ['<node-id-length>21</node-id-length>', /expected an integer 16 to 20, got "21"/],
    ['<topology-plugin>EXP-OVERLAY</topology-plugin>', /one of CHORD-RELOAD, CHORD-SELF/],
    ['<no-ice>yes</no-ice>', /<no-ice>: expected true, false, 1 or 0, got "yes"/],
    ['<no-ice>True</no-ice>', /true, false, 1 or 0/],
    ['<no-ice/>', /true, false, 1 or 0, got ""/],
    ['<no-ice>0</no-ice>\n<no-ice>0</no-ice>', /line 7, <no-ice>: expected it once at most/],
    ['<no-ice x="1">0</no-ice>', /<no-ice>: expected no attribute, got "x"/],
    ['<no-ice>0<b xmlns="urn:x"/></no-ice>', /<b>: expected text, got <b>/],
    ['<turn-density>256</turn-density>', /integer 0 to 255/],
    ['<initial-ttl>0</initial-ttl>', /integer 1 to 255/],
    ['<initial-ttl>1e1</initial-ttl>', /integer 1 to 255, got "1e1"/],
    ['<max-message-size>-1</max-message-size>', /integer 1 to/],
    ['<overlay-reliability-timer>199</overlay-reliability-timer>', /integer 200 to/],
    ['<overlay-link-protocol>HIP</overlay-link-protocol>', /expected TLS, got "HIP"/],
    ['<enrollment-server>http://a.example</enrollment-server>', /URL of type https:/],
    ['<enrollment-server>a.example</enrollment-server>', /URL of type https:/],
    ['<bootstrap-node address="peer.example"/>', /<bootstrap-node\/@address>: .*"peer.example"/],
    ['<bootstrap-node port="1"/>', /<bootstrap-node>: expected an attribute "address"/],
    ['<bootstrap-node address="::1" port="0"/>', /<bootstrap-node\/@port>: expected an integer 1/],
    ['<root-cert>MAIF AA=</root-cert>', /<root-cert>: expected base64/],
    ['<root-cert>-----BEGIN CERTIFICATE-----</root-cert>', /expected base64/],
    ['<root-cert/>', /expected base64/],
    [`<bad-node>${'0'.repeat(32)}</bad-node>`, /expected a Node-ID/],
    [`<bad-node>${'f'.repeat(32)}</bad-node>`, /expected a Node-ID/],
    ['<bad-node>xyz</bad-node>', /expected a Node-ID/],
    ['<surprise/>', /<surprise>: expected an element that RFC 6940 §11.1.1 allows/],
    ['<surprise xmlns=""/>', /<surprise>: expected an element .* namespace ""/],
    ['<chord:no-ice>0</chord:no-ice>', /<no-ice>: .* one of the namespace "urn.*chord"/],
    ['stray text', /<configuration>: expected no text, got "stray text"/],
    ['<mandatory-extension/>', /expected text, got nothing/],
    [kind(`${limits}<data-model>SINGLE</data-model>`), /<kind>: expected a <access-control>/],
    [kind('<data-model>SINGLE</data-model>'), /<kind>: expected a <max-count> in it, got none/],
    [
      kind(`${limits}<data-model>TREE</data-model><access-control>USER-MATCH</access-control>`),
      /<data-model>: expected one of SINGLE, ARRAY, DICTIONARY, got "TREE"/,
    ],
    [
      kind(`${limits}<data-model>SINGLE</data-model><access-control>EXP-MATCH</access-control>`),
      /<access-control>: expected one of USER-MATCH/,
    ],
    [
      kind(
        `${limits}<data-model>SINGLE</data-model><access-control>NODE-MULTIPLE</access-control>`,
      ),
      /<kind>: expected a <max-node-multiple> in it/,
    ],
    [
      kind(
        `${limits}<data-model>SINGLE</data-model><access-control>NODE-MULTIPLE</access-control>` +
          '<max-node-multiple>0</max-node-multiple>',
      ),
      /<max-node-multiple>: expected an integer 1 to 255/,
    ],
    [
      kind(
        `${limits}<data-model>ARRAY</data-model><access-control>USER-NODE-MATCH</access-control>`,
      ),
      /expected DICTIONARY with USER-NODE-MATCH/,
    ],
    [kind(limits, ''), /<kind>: expected a <data-model>/],
    [
      kind(
        `${limits}<data-model>SINGLE</data-model><access-control>USER-MATCH</access-control>`,
        'id="4026532000" name="TURN-SERVICE"',
      ),
      /<kind>: expected either a name or an id, got 2 of them/,
    ],
    [
      kind(
        `${limits}<data-model>SINGLE</data-model><access-control>USER-MATCH</access-control>`,
        'name="REDIR"',
      ),
      /<kind\/@name>: expected one of TURN-SERVICE, .*got "REDIR"/,
    ],
    ['<required-kinds><kind-block/></required-kinds>', /<kind-block>: expected a <kind> in it/],
  ];
  test.each(cases)('%s', (content, says) => {
    expect(fault(documentOf(`${ROOT}${content}`)).describe()).toMatch(says);
  });

  test('neither a root certificate nor self-signed ones', () => {
    expect(fault(documentOf('')).describe()).toMatch(/expected a <root-cert>, or .*, got neither/);
  });

  test('a kind-block without its kind-signature', () => {
    const block = kind(
      `${limits}<data-model>SINGLE</data-model><access-control>USER-MATCH</access-control>`,
    );
    const unsigned = block.replace(/<kind-signature>.*<\/kind-signature>/, '');
    expect(grammarFault(utf8(documentOf(ROOT + unsigned)))).toBeUndefined();
    expect(fault(documentOf(ROOT + unsigned)).describe()).toMatch(/<kind-signature> in it/);
  });

  test('the same Kind twice', () => {
    const one = `${limits}<data-model>SINGLE</data-model>${userMatch}`;
    const block = kindBlock(`<kind id="4026532000">${one}</kind>`);
    const content = `${ROOT}<required-kinds>${block}${block}</required-kinds>`;
    expect(fault(documentOf(content)).describe()).toMatch(/expected each Kind once/);
  });

  const attributeCases: [attributes: string, says: RegExp][] = [
    ['', /an attribute "sequence"/],
    ['sequence="65535"', /integer 0 to 65534, got "65535"/],
    ['sequence="-1"', /integer 0 to 65534/],
    ['sequence="1" expiration="2026-02-29T00:00:00Z"', /@expiration>: expected an RFC 3339 time/],
    ['sequence="1" expiration="2026-01-01T00:00:00+01:00"', /time in UTC/],
    ['sequence="1" expiration="2026-01-01T00:00:00"', /time in UTC/],
    ['sequence="1" surprise="1"', /expected attributes instance-name.*got "surprise"/],
    ['sequence="1" chord:surprise="1"', /got "surprise"/],
  ];
  test.each(attributeCases)('<configuration %s>', (attributes, says) => {
    expect(fault(documentOf(ROOT, attributes)).describe()).toMatch(says);
  });
});
