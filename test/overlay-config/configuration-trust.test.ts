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
import {
  acceptSuccessor,
  checkSuccession,
  trustInitialConfiguration,
} from '../../src/overlay-config/configuration-trust.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import type { ParsedConfiguration } from '../../src/overlay-config/parsed-configuration.ts';
import { SuccessionRefusal } from '../../src/overlay-config/succession-refusal.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { TEST_TIME_UNIX_MS, TestAuthority } from './test-authority.ts';

const NAME = 'overlay.example.org';
const authority = new TestAuthority(NAME);
const signer = authority.signer(1);
const stranger = authority.signer(2);
const badNode = authority.signer(3);
const kindSigner = authority.signer(4);

const privateKind = {
  kindId: 0xf0000001,
  dataModel: 'single',
  accessPolicy: 'USER-MATCH',
  maxCount: 1,
  maxSizeBytes: 10,
  findAllowed: true,
} as const;

function content(sequence: number, more: Partial<ConfigurationContent> = {}): ConfigurationContent {
  return {
    instanceName: NAME,
    sequence,
    rootCertificates: [authority.root.der],
    configurationSigners: [signer.nodeId, badNode.nodeId],
    kindSigners: [kindSigner.nodeId],
    badNodes: [badNode.nodeId],
    ...more,
  };
}

function parse(document: Uint8Array, name = NAME): ParsedConfiguration {
  const parsed = parseConfigurationDocument(document, name);
  if (parsed instanceof ConfigurationFault) throw parsed;
  return parsed;
}

const heldOf = (sequence: number, more?: Partial<ConfigurationContent>): VerifiedConfiguration =>
  trustInitialConfiguration(parse(unsignedDocument(buildConfiguration(content(sequence, more)))));

const signedBy = (by: Signer, given: ConfigurationContent): Uint8Array =>
  signConfiguration(buildConfiguration(given), by);

function accept(
  held: VerifiedConfiguration,
  document: Uint8Array,
  unixMs = TEST_TIME_UNIX_MS,
): VerifiedConfiguration | SuccessionRefusal {
  const authenticator = new Authenticator(trustSettingsOf(held));
  return acceptSuccessor(held, parse(document), authenticator, unixMs);
}

function refusal(answer: VerifiedConfiguration | SuccessionRefusal): string {
  if (!(answer instanceof SuccessionRefusal)) throw new Error('expected a refusal');
  return answer.describe();
}

describe('RFC 6940 §11.1, a new configuration replaces the one held', () => {
  test('when a configuration-signer of the one held has signed it', () => {
    const document = signedBy(signer, content(8, { initialTtl: 33 }));
    const next = accept(heldOf(7), document);
    expect(next).toMatchObject({ sequence: 8, initialTtl: 33, document });
  });

  test('over 65534, where the next sequence is 0', () => {
    const next = accept(heldOf(65_534), signedBy(signer, content(0)));
    expect(next).toMatchObject({ sequence: 0 });
  });

  test('also when it names other signers and roots from then on', () => {
    const other = new TestAuthority(NAME);
    const change = {
      rootCertificates: [other.root.der],
      configurationSigners: [stranger.nodeId],
    };
    const next = accept(heldOf(7), signedBy(signer, content(8, change)));
    if (next instanceof SuccessionRefusal) throw new Error(next.describe());
    // "Signed by one of the configuration-signer elements from the previous extant configuration."
    expect(refusal(accept(next, signedBy(signer, content(9))))).toMatch(/signature/);
    const later = signedBy(other.signer(2), content(9, change));
    expect(accept(next, later)).toMatchObject({ sequence: 9 });
  });

  test('one signature of several is enough', () => {
    const bytes = buildConfiguration(content(8));
    const [first, second] = [stranger, signer].map((by) =>
      /<signature>.*<\/signature>/
        .exec(new TextDecoder().decode(signConfiguration(bytes, by)))
        ?.at(0),
    );
    const text = new TextDecoder().decode(unsignedDocument(bytes));
    const both = text.replace('</overlay>', `${first}${second}</overlay>`);
    expect(accept(heldOf(7), new TextEncoder().encode(both))).toMatchObject({ sequence: 8 });
  });
});

describe('RFC 6940 §6.5.4.2, a configuration is refused', () => {
  test('when its sequence is the same or older', () => {
    expect(refusal(accept(heldOf(8), signedBy(signer, content(8))))).toMatch(
      /not-newer.*expected a sequence newer than 8, got 8/,
    );
    expect(refusal(accept(heldOf(0), signedBy(signer, content(65_534))))).toMatch(/not-newer/);
  });

  test('without a signature', () => {
    const document = unsignedDocument(buildConfiguration(content(8)));
    expect(refusal(accept(heldOf(7), document))).toMatch(/unsigned/);
  });

  test('with a signature that is no SecurityBlock', () => {
    const text = new TextDecoder().decode(unsignedDocument(buildConfiguration(content(8))));
    const document = text.replace('</overlay>', '<signature>AAAB</signature></overlay>');
    expect(refusal(accept(heldOf(7), new TextEncoder().encode(document)))).toMatch(
      /signature in line \d+ is no SecurityBlock/,
    );
  });

  test('signed by a member of the overlay who is no configuration-signer', () => {
    expect(refusal(accept(heldOf(7), signedBy(stranger, content(8))))).toMatch(
      /\(signer\): expected a configuration-signer of sequence 7, got a signature by 0202/,
    );
  });

  test('signed by whoever names himself in the new document only', () => {
    const change = { configurationSigners: [stranger.nodeId] };
    expect(refusal(accept(heldOf(7), signedBy(stranger, content(8, change))))).toMatch(/signer/);
  });

  test('signed by a configuration-signer that is a bad-node of the one held', () => {
    const change = { badNodes: [] };
    expect(refusal(accept(heldOf(7), signedBy(badNode, content(8, change))))).toMatch(/bad-node/);
  });

  test('signed by a namesake from another root, even one that it brings along', () => {
    const other = new TestAuthority(NAME);
    const change = { rootCertificates: [authority.root.der, other.root.der] };
    expect(refusal(accept(heldOf(7), signedBy(other.signer(1), content(8, change))))).toMatch(
      /\(signature\)/,
    );
  });

  test('signed with a certificate that has expired', () => {
    const short = authority.signer(1, TEST_TIME_UNIX_MS + 1_000);
    const document = signedBy(short, content(8));
    expect(accept(heldOf(7), document)).toMatchObject({ sequence: 8 });
    const later = TEST_TIME_UNIX_MS + 3_600_000;
    expect(refusal(accept(heldOf(7), document, later))).toMatch(/expired/);
  });

  test('when one byte of it, white space included, is changed', () => {
    const text = new TextDecoder().decode(signedBy(signer, content(8)));
    for (const changed of [
      text.replace('<configuration ', '<configuration  '),
      text.replace('sequence="8"', 'sequence="9"'),
      text.replace('</configuration>', '\n</configuration>'),
      text.replace('</configuration>', '</configuration >'),
    ]) {
      expect(changed).not.toBe(text);
      const document = new TextEncoder().encode(changed);
      expect(refusal(accept(heldOf(7), document))).toMatch(/signature-invalid/);
    }
  });

  test('when it has expired', () => {
    const change = { expirationUnixMs: TEST_TIME_UNIX_MS };
    expect(refusal(accept(heldOf(7), signedBy(signer, content(8, change))))).toMatch(
      /expired at 2026-06-01T00:00:00Z/,
    );
  });

  test('when it is another overlay’s', () => {
    const held = { ...heldOf(7), instanceName: 'other.example' };
    expect(refusal(accept(held, signedBy(signer, content(8))))).toMatch(/other-overlay/);
  });

  test('when a kind-block of it is not signed by a kind-signer of its own', () => {
    const good = buildKindBlock(privateKind, kindSigner);
    const next = accept(heldOf(7), signedBy(signer, content(8, { requiredKinds: [good] })));
    expect(next).toMatchObject({ sequence: 8 });
    const bad = buildKindBlock(privateKind, stranger);
    expect(
      refusal(accept(heldOf(7), signedBy(signer, content(8, { requiredKinds: [bad] })))),
    ).toMatch(/kinds.*Kind 0xf0000001: expected a signature by a kind-signer, got one by 0202/);
  });
});

describe('RFC 6940 §11.1 does not sign the namespaces declared around a configuration', () => {
  const inner = (sequence: number) =>
    `<configuration instance-name="${NAME}" sequence="${sequence}">` +
    `<root-cert>${Buffer.from(authority.root.der).toString('base64')}</root-cert>` +
    `<configuration-signer>${signer.nodeId}</configuration-signer>` +
    '<chord:chord-reactive>false</chord:chord-reactive><x:y>1</x:y></configuration>';
  const outer = (bindings: string, bytes: string, by: Signer) => {
    const text = new TextDecoder().decode(signConfiguration(new TextEncoder().encode(bytes), by));
    return new TextEncoder().encode(text.replace('<overlay ', `<overlay ${bindings} `));
  };
  const chord = 'xmlns:chord="urn:ietf:params:xml:ns:p2p:config-chord"';
  const held = trustInitialConfiguration(
    parse(outer(`${chord} xmlns:x="urn:x"`, inner(7), signer)),
  );

  test('they may be as in the configuration held, like those of the RFC’s example', () => {
    const next = accept(held, outer(`${chord} xmlns:x="urn:x"`, inner(8), signer));
    expect(next).toMatchObject({ sequence: 8, chordReactive: false });
  });

  test('bound anew, they would change what was signed: refused', () => {
    const away = outer('xmlns:chord="urn:x" xmlns:x="urn:x"', inner(8), signer);
    expect(parse(away).configuration.chordReactive).toBe(true);
    expect(refusal(accept(held, away))).toMatch(/namespace.*"chord" to stand for ".*chord"/);
    const other = outer(`${chord} xmlns:x="urn:y"`, inner(8), signer);
    expect(refusal(accept(held, other))).toMatch(/namespace.*"x" to stand for "urn:x"/);
    expect(refusal(accept(heldOf(7), other))).toMatch(/declared on <configuration>/);
  });
});

describe('RFC 6940 §11.1, a node that cannot support the new requirements exits', () => {
  const unsupported = (by: Signer): ConfigurationFault => {
    const given = content(8, { mandatoryExtensions: ['urn:example:telepathy'] });
    const fault = parseConfigurationDocument(signedBy(by, given), NAME);
    if (!(fault instanceof ConfigurationFault)) throw new Error('expected a fault');
    return fault;
  };

  test('when they are signed by a configuration-signer, and not otherwise', () => {
    const held = heldOf(7);
    const authenticator = new Authenticator(trustSettingsOf(held));
    const ask = (fault: ConfigurationFault) =>
      fault.signed && checkSuccession(held, fault.signed, authenticator, TEST_TIME_UNIX_MS);
    expect(ask(unsupported(signer))).toMatchObject({ nodeId: signer.nodeId as NodeId });
    expect(ask(unsupported(stranger))).toBeInstanceOf(SuccessionRefusal);
  });
});
