import { describe, expect, test } from 'vitest';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  buildKindBlock,
  type ConfigurationContent,
  signConfiguration,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import {
  acceptSuccessor,
  trustInitialConfiguration,
} from '../../src/overlay-config/configuration-trust.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import type { KindDefinition } from '../../src/overlay-config/kind-definition.ts';
import {
  adoptKinds,
  KindRefusal,
  kindsToDiscard,
  LEARNED_KINDS_MAX,
  type VerifiedKind,
  verifyKindBlock,
  verifyKindBlocks,
} from '../../src/overlay-config/kind-trust.ts';
import type { ParsedConfiguration } from '../../src/overlay-config/parsed-configuration.ts';
import { SuccessionRefusal } from '../../src/overlay-config/succession-refusal.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { TEST_TIME_UNIX_MS, TestAuthority } from './test-authority.ts';

const NAME = 'overlay.example.org';
const authority = new TestAuthority(NAME);
const signer = authority.signer(1);
const alice = authority.signer(2);
const bob = authority.signer(3);
const mallory = authority.signer(4);

const kind = (kindId: number, more: Partial<KindDefinition> = {}): KindDefinition => ({
  kindId,
  dataModel: 'single',
  accessPolicy: 'USER-MATCH',
  maxCount: 1,
  maxSizeBytes: 10,
  findAllowed: true,
  ...more,
});
const KIND_A = 0xf0000001;
const KIND_B = 0xf0000002;

function parsedOf(sequence: number, more: Partial<ConfigurationContent> = {}): ParsedConfiguration {
  const content = {
    instanceName: NAME,
    sequence,
    rootCertificates: [authority.root.der],
    configurationSigners: [signer.nodeId],
    kindSigners: [alice.nodeId, bob.nodeId],
    ...more,
  };
  const document = signConfiguration(buildConfiguration(content), signer);
  const parsed = parseConfigurationDocument(document, NAME);
  if (parsed instanceof ConfigurationFault) throw parsed;
  return parsed;
}

function heldOf(sequence: number, more: Partial<ConfigurationContent> = {}): VerifiedConfiguration {
  const parsed = parsedOf(sequence, more);
  const signers = verifyKindBlocks(parsed, TEST_TIME_UNIX_MS);
  if (signers instanceof KindRefusal) throw new Error(signers.describe());
  return trustInitialConfiguration(parsed, signers);
}

const verify = (held: VerifiedConfiguration, block: Uint8Array): VerifiedKind | KindRefusal =>
  verifyKindBlock(held, block, new Authenticator(trustSettingsOf(held)), TEST_TIME_UNIX_MS);

function learn(held: VerifiedConfiguration, block: Uint8Array): VerifiedConfiguration {
  const answer = verify(held, block);
  if (answer instanceof KindRefusal) throw new Error(answer.describe());
  return adoptKinds(held, [answer]);
}

function refusal(answer: VerifiedKind | KindRefusal): KindRefusal {
  if (!(answer instanceof KindRefusal)) throw new Error('expected a refusal');
  return answer;
}

describe('RFC 6940 §6.5.4.2, a ConfigUpdate of Kinds', () => {
  const held = heldOf(7, { requiredKinds: [buildKindBlock(kind(KIND_A), alice)] });

  test('counts when a kind-signer of the current configuration has signed it', () => {
    const block = buildKindBlock(kind(KIND_B), bob);
    const answer = verify(held, block);
    expect(answer).toMatchObject({ definition: kind(KIND_B), signer: bob.nodeId });
    const learned = learn(held, block);
    expect(learned.kinds.get(KIND_B)).toEqual(kind(KIND_B));
    expect(learned.kindBlocks.get(KIND_B)).toEqual(block);
    expect(held.kinds.has(KIND_B)).toBe(false);
  });

  test('does not when somebody else has', () => {
    expect(refusal(verify(held, buildKindBlock(kind(KIND_B), mallory)))).toMatchObject({
      code: 'signer',
    });
    const strange = new TestAuthority(NAME).signer(2);
    expect(refusal(verify(held, buildKindBlock(kind(KIND_B), strange))).code).toBe('signature');
  });

  test('does not when its Kind was changed after signing', () => {
    const text = new TextDecoder().decode(buildKindBlock(kind(KIND_B), bob));
    const changed = text.replace('<max-count>1<', '<max-count>2<');
    expect(refusal(verify(held, new TextEncoder().encode(changed))).code).toBe('signature');
  });

  test('conflicts when another signer signed the known Kind', () => {
    const learned = learn(held, buildKindBlock(kind(KIND_B), bob));
    const answer = refusal(verify(learned, buildKindBlock(kind(KIND_B), alice)));
    expect(answer.code).toBe('conflict');
    expect(answer.detail).toMatch(/expected its known signer 0303.*, got 0202/);
  });

  test('changes a Kind that was learned before from the same signer', () => {
    const learned = learn(held, buildKindBlock(kind(KIND_B), bob));
    const changed = learn(learned, buildKindBlock(kind(KIND_B, { maxCount: 5 }), bob));
    expect(changed.kinds.get(KIND_B)?.maxCount).toBe(5);
  });

  test('does not change by what rules a learned Kind is stored: an old block could discard it', () => {
    const learned = learn(held, buildKindBlock(kind(KIND_B), bob));
    const others: Partial<KindDefinition>[] = [
      { dataModel: 'array' },
      { accessPolicy: 'NODE-MATCH' },
      { accessPolicy: 'NODE-MULTIPLE', maxNodeMultiple: 3 },
    ];
    for (const other of others) {
      const answer = refusal(verify(learned, buildKindBlock(kind(KIND_B, other), bob)));
      expect(answer.code).toBe('conflict');
    }
  });

  test('is refused beyond a number of Kinds, but not for one that is known', () => {
    let learned = held;
    for (let at = 0; at < LEARNED_KINDS_MAX; at++) {
      learned = learn(learned, buildKindBlock(kind(KIND_B + at), bob));
    }
    const more = buildKindBlock(kind(KIND_B + LEARNED_KINDS_MAX), bob);
    expect(refusal(verify(learned, more)).code).toBe('limit');
    const known = learn(learned, buildKindBlock(kind(KIND_B, { maxCount: 3 }), bob));
    expect(known.kinds.get(KIND_B)?.maxCount).toBe(3);
    const ofDocument = held.kindBlocks.get(KIND_A) ?? new Uint8Array();
    expect(verify(learned, ofDocument)).toMatchObject({ signer: alice.nodeId });
  });

  test('does not change a Kind of the document: an old kind-block could undo what is newer', () => {
    const block = held.kindBlocks.get(KIND_A) ?? new Uint8Array();
    expect(verify(held, block)).toMatchObject({ signer: alice.nodeId });
    expect(learn(held, block).learnedKinds.size).toBe(0);
    const old = buildKindBlock(kind(KIND_A, { maxCount: 9 }), alice);
    expect(refusal(verify(held, old)).code).toBe('conflict');
  });

  test('takes config-base as the default namespace, declared or not', () => {
    const text = new TextDecoder().decode(buildKindBlock(kind(KIND_B), bob));
    const bare = text.replace(/<kind-block xmlns="[^"]*">/, '<kind-block>');
    expect(verify(held, new TextEncoder().encode(bare))).toMatchObject({ signer: bob.nodeId });
  });

  test.each([
    ['<kind-block/>', 'malformed', /<kind-block>: expected a <kind> in it/],
    ['<kind/>', 'malformed', /expected <kind-block>, got <kind>/],
    ['<kind-block>', 'malformed', /unclosed tag/],
    ['', 'malformed', /root element/],
    [
      '<kind-block><kind name="REDIR"><max-count>1</max-count><max-size>1</max-size>' +
        '<data-model>SINGLE</data-model><access-control>X</access-control></kind>' +
        '<kind-signature>AAAA</kind-signature></kind-block>',
      'unsupported',
      /expected one of TURN-SERVICE/,
    ],
    [
      '<kind-block><kind id="4026531842"><max-count>1</max-count><max-size>1</max-size>' +
        '<data-model>SINGLE</data-model><access-control>USER-MATCH</access-control></kind>' +
        '<kind-signature>AAAB</kind-signature></kind-block>',
      'signature',
      /is no SecurityBlock/,
    ],
  ])('%s is refused', (text, code, says) => {
    const answer = refusal(verify(held, new TextEncoder().encode(text)));
    expect(answer.code).toBe(code);
    expect(answer.describe()).toMatch(says);
  });
});

describe('RFC 6940 §11.1, a new document and the Kinds of the old one', () => {
  const next = (
    held: VerifiedConfiguration,
    more: Partial<ConfigurationContent>,
  ): VerifiedConfiguration => {
    const authenticator = new Authenticator(trustSettingsOf(held));
    const answer = acceptSuccessor(held, parsedOf(8, more), authenticator, TEST_TIME_UNIX_MS);
    if (answer instanceof SuccessionRefusal) throw new Error(answer.describe());
    return answer;
  };

  test('a Kind whose signer may no longer sign is discarded', () => {
    const held = learn(heldOf(7), buildKindBlock(kind(KIND_B), bob));
    const without = next(held, { kindSigners: [alice.nodeId] });
    expect(kindsToDiscard(held, without)).toEqual([KIND_B]);
    const bad = next(held, { badNodes: [bob.nodeId] });
    expect(kindsToDiscard(held, bad)).toEqual([KIND_B]);
  });

  test('a learned Kind whose signer may still sign stays', () => {
    const held = learn(heldOf(7), buildKindBlock(kind(KIND_B), bob));
    const later = next(held, {});
    expect(later.kinds.get(KIND_B)).toEqual(kind(KIND_B));
    expect(kindsToDiscard(held, later)).toEqual([]);
  });

  test('the new information overrides what was learned', () => {
    const held = learn(heldOf(7), buildKindBlock(kind(KIND_B), bob));
    const block = buildKindBlock(kind(KIND_B, { maxSizeBytes: 99 }), alice);
    const later = next(held, { kindSigners: [alice.nodeId], requiredKinds: [block] });
    expect(later.kinds.get(KIND_B)?.maxSizeBytes).toBe(99);
    expect(kindsToDiscard(held, later)).toEqual([]);
    expect(later.learnedKinds.has(KIND_B)).toBe(false);
  });

  test('values stored by another data model or access control go', () => {
    const held = heldOf(7, { requiredKinds: [buildKindBlock(kind(KIND_A), alice)] });
    const changed = buildKindBlock(kind(KIND_A, { dataModel: 'array' }), alice);
    const later = next(held, { requiredKinds: [changed] });
    expect(kindsToDiscard(held, later)).toEqual([KIND_A]);
    expect(kindsToDiscard(held, next(held, {}))).toEqual([KIND_A]);
  });
});
