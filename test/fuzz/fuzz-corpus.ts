import {
  makeIntermediate,
  makeLeaf,
  makeRfc6940Leaf,
  makeRoot,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import {
  extendedKeyUsage,
  extension,
  generalName,
  nameConstraints,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import {
  certificatePolicies,
  cpsQualifier,
  policyConstraints,
  policyMappings,
} from '../../sim/certificates/policy-maker.ts';
import {
  certificateIssuer,
  deltaIndicator,
  distributionPoints,
  entryOf,
  invalidityDate,
  issuingDistributionPoint,
  listNumber,
  makeList,
} from '../../sim/certificates/revocation-list-maker.ts';
import {
  bitString,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
} from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid } from '../../src/tls-auth/object-identifier.ts';
import { fixedKey, withCheapSignature } from './fuzz-keys.ts';

/** What mutations begin from. */
export interface FuzzCorpus {
  /** The leaf first, the root last. */
  readonly chains: readonly (readonly Uint8Array[])[];
  readonly lists: readonly Uint8Array[];
  readonly requests: readonly Uint8Array[];
  /** XML. */
  readonly documents: readonly string[];
}

const { dnsName, rfc822Name, xmppAddr, uri, ipAddress, directoryName, registeredId, otherName } =
  generalName;

/** Certificates, lists, requests and a configuration with nearly all that the readers know. */
export function generatedCorpus(): FuzzCorpus {
  const root = cheap(makeRoot({ key: fixedKey('root') }));
  const policies = policyAuthority(root);
  const names = nameAuthority(root);
  const domain = cheap(
    makeIntermediate(root, { domain: 'capulet.lit', key: fixedKey('domain') }),
    root,
  );
  const leafOf = (issuer: TestAuthority) =>
    cheap(makeLeaf(issuer, { key: fixedKey('leaf') }), issuer).certificate;
  const rfc6940 = cheap(makeRfc6940Leaf(root, { key: fixedKey('leaf') }), root).certificate;
  const chain = (leaf: Uint8Array, ...above: readonly TestAuthority[]) => [
    leaf,
    ...above.map(({ certificate }) => certificate),
    root.certificate,
  ];
  return {
    chains: [
      chain(leafOf(root)),
      chain(leafOf(domain), domain),
      chain(leafWithAllNames(names), names),
      chain(policyLeaf(policies), policies),
      chain(rfc6940),
    ],
    lists: listsOf(domain, root),
    requests: [signingRequest()],
    documents: [documentWith(root.certificate)],
  };
}

/** The same with a signature that `verifyCheaply` knows. */
function cheap<T extends { readonly certificate: Uint8Array }>(
  made: T,
  issuer: TestAuthority | T = made,
): T {
  const { key } = issuer as unknown as TestAuthority;
  return { ...made, certificate: withCheapSignature(made.certificate, key) };
}

function policyAuthority(root: TestAuthority): TestAuthority {
  return cheap(
    makeIntermediate(root, {
      name: 'Policies',
      key: fixedKey('policies'),
      change: ({ extensions }) => ({
        extensions: {
          ...extensions,
          policies: certificatePolicies(['1.2.3', '2.5.29.32.0', ['1.2.4', cpsQualifier('x:y')]]),
          mappings: policyMappings(['1.2.3', '1.2.5'], ['1.2.3', '1.2.6'], ['1.2.4', '1.2.5']),
          constraints: policyConstraints({ requireExplicitPolicy: 1, inhibitPolicyMapping: 2 }),
          inhibit: extension(ExtensionOid.inhibitAnyPolicy, integer(3), true),
        },
      }),
    }),
    root,
  );
}

function policyLeaf(issuer: TestAuthority): Uint8Array {
  const leaf = makeLeaf(issuer, {
    key: fixedKey('leaf'),
    change: ({ extensions }) => ({
      extensions: {
        ...extensions,
        policies: certificatePolicies(['1.2.5', '1.2.6']),
        purposes: extendedKeyUsage('1.3.6.1.5.5.7.3.1', '2.5.29.37.0'),
      },
    }),
  });
  return cheap(leaf, issuer).certificate;
}

function nameAuthority(root: TestAuthority): TestAuthority {
  const permitted = [
    dnsName('example.org'),
    rfc822Name('.lit'),
    xmppAddr('capulet.lit'),
    uri('.example.org'),
    ipAddress(10, 0, 0, 0, 255, 0, 0, 0),
    directoryName([['O', 'Capulet']]),
  ];
  const excluded = [
    dnsName('bad.example.org'),
    rfc822Name('a@bad.lit'),
    registeredId('1.2.3'),
    otherName('1.2.3.4', integer(1)),
    ipAddress(...new Array<number>(16).fill(0x20), ...new Array<number>(16).fill(0xff)),
  ];
  return cheap(
    makeIntermediate(root, {
      name: 'Names',
      key: fixedKey('names'),
      change: ({ extensions }) => ({
        extensions: { ...extensions, constraints: nameConstraints(permitted, excluded) },
      }),
    }),
    root,
  );
}

function leafWithAllNames(issuer: TestAuthority): Uint8Array {
  const names = [
    xmppAddr('juliet@capulet.lit'),
    rfc822Name('juliet@capulet.lit'),
    uri('reload://01100001a5a5a5a5a5a5a5a5a5a5a5a5a5a5@xmpp.org/'),
    uri('https://www.example.org:8443/a?b#c'),
    dnsName('*.example.org'),
    ipAddress(10, 1, 2, 3),
    directoryName([
      ['O', 'Capulet'],
      ['CN', 'Júlia'],
    ]),
  ];
  const leaf = makeLeaf(issuer, {
    key: fixedKey('leaf'),
    change: ({ extensions }) => ({
      subject: [
        ['O', 'Capulet'],
        ['emailAddress', 'juliet@capulet.lit'],
      ],
      extensions: { ...extensions, subjectAltName: subjectAltName(names) },
    }),
  });
  return cheap(leaf, issuer).certificate;
}

function listsOf(authority: TestAuthority, root: TestAuthority): Uint8Array[] {
  const entries = [
    entryOf(1001n),
    entryOf(1002n, 'keyCompromise'),
    entryOf(-1n, 'removeFromCRL', invalidityDate(Date.UTC(2025, 1, 1))),
    entryOf(5n, undefined, certificateIssuer([['CN', 'Somebody']])),
  ];
  const fullName = [uri('http://crl.example.org/test.crl')];
  const scoped = makeList(authority, entries, ({ extensions }) => ({
    extensions: {
      ...extensions,
      scope: issuingDistributionPoint({ fullName, reasons: [1, 2], isIndirect: true }),
      freshest: distributionPoints([{ fullName, crlIssuer: root.name }], ExtensionOid.freshestCrl),
    },
  }));
  const delta = makeList(authority, entries.slice(0, 3), ({ extensions }) => ({
    extensions: { ...extensions, listNumber: listNumber(2), delta: deltaIndicator(1) },
  }));
  return [
    withCheapSignature(makeList(authority, entries.slice(0, 2)), authority.key),
    withCheapSignature(scoped, authority.key),
    withCheapSignature(delta, authority.key),
    withCheapSignature(makeList(root), root.key),
  ];
}

/** A PKCS #10 request (RFC 2986) that wishes extensions; its signature is none. */
function signingRequest(): Uint8Array {
  const { publicKey } = fixedKey('request');
  const wish = sequence(
    sequence(
      objectIdentifier(ExtensionOid.subjectAltName),
      octetString(sequence(xmppAddr('juliet@capulet.lit'), rfc822Name('juliet@capulet.lit'))),
    ),
  );
  const attribute = sequence(objectIdentifier('1.2.840.113549.1.9.14'), set(wish));
  const info = sequence(
    integer(0),
    sequence(set(sequence(objectIdentifier('2.5.4.3'), implicitText('juliet@capulet.lit')))),
    publicKey.export({ format: 'der', type: 'spki' }),
    explicit(0, attribute),
  );
  const algorithm = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
  return sequence(info, algorithm, bitString(new Uint8Array(70).fill(0x30)));
}

/** UTF8String, written as any other element is. */
function implicitText(text: string): Uint8Array {
  const element = implicit(0, Buffer.from(text));
  element[0] = 0x0c;
  return element;
}

function documentWith(root: Uint8Array): string {
  const certificate = Buffer.from(root).toString('base64');
  return `<?xml version="1.0" encoding="UTF-8"?>
<overlay xmlns="urn:ietf:params:xml:ns:p2p:config-base"
   xmlns:chord="urn:ietf:params:xml:ns:p2p:config-chord">
<configuration instance-name="xmpp.org" sequence="22" expiration="2030-10-10T07:00:00Z">
<topology-plugin>CHORD-RELOAD</topology-plugin>
<node-id-length>16</node-id-length>
<root-cert>${certificate}</root-cert>
<enrollment-server>https://example.org</enrollment-server>
<self-signed-permitted digest="sha1">false</self-signed-permitted>
<bootstrap-node address="192.0.0.1" port="6084"/>
<bootstrap-node address="2001:DB8::1"/>
<turn-density>20</turn-density>
<clients-permitted>false</clients-permitted>
<no-ice>1</no-ice>
<chord:chord-update-interval>400</chord:chord-update-interval>
<chord:chord-ping-interval>30</chord:chord-ping-interval>
<chord:chord-reactive>0</chord:chord-reactive>
<max-message-size>4000</max-message-size>
<initial-ttl>30</initial-ttl>
<overlay-reliability-timer>2000</overlay-reliability-timer>
<overlay-link-protocol>TLS</overlay-link-protocol>
<configuration-signer>47112162e84c69ba47112162e84c69ba</configuration-signer>
<kind-signer>6eba45d31a900c066eba45d31a900c06</kind-signer>
<bad-node>6ebc45d31a900c066ebc45d31a900c06</bad-node>
<required-kinds><kind-block><kind id="4026532000"><data-model>ARRAY</data-model>
<access-control>NODE-MULTIPLE</access-control><max-node-multiple>3</max-node-multiple>
<max-count>22</max-count><max-size>4</max-size></kind>
<kind-signature>VGhpcyBpcyBub3QgcmlnaHQhCg==</kind-signature></kind-block></required-kinds>
</configuration>
<signature>VGhpcyBpcyBub3QgcmlnaHQhCg==</signature>
</overlay>`;
}
