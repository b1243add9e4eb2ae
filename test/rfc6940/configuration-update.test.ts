import { describe, expect, it } from 'vitest';
import { makeRoot } from '../../sim/certificates/certificate-maker.ts';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  buildKindBlock,
  signConfiguration,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import { trustInitialConfiguration } from '../../src/overlay-config/configuration-trust.ts';
import type { KindDefinition } from '../../src/overlay-config/kind-definition.ts';
import { encode } from '../../src/wire/codec.ts';
import { ConfigUpdateReq } from '../../src/wire/config-update.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { ErrorResponse, UnknownKinds } from '../../src/wire/error-response.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { FetchReq } from '../../src/wire/store.ts';
import { OVERLAY, VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { makeSigner } from '../tls-auth/test-node.ts';
import { ask, bodyOf, errorOf, exchange, forge, framed } from './forged-message.ts';
import { Wiretap } from './wiretap.ts';

const KIND = 0xf000_0001;
const definition: KindDefinition = {
  kindId: KIND,
  dataModel: 'single',
  accessPolicy: 'USER-MATCH',
  maxCount: 1,
  maxSizeBytes: 10,
  findAllowed: true,
};
const root = makeRoot();
const administrator = makeSigner(root, {
  nodeId: 'ad'.repeat(16) as NodeId,
  jid: 'admin@example.org',
});
const stranger = makeSigner(root, {
  nodeId: 'ee'.repeat(16) as NodeId,
  jid: 'mallory@example.org',
});

const base = {
  instanceName: OVERLAY,
  rootCertificates: [root.certificate],
  configurationSigners: [administrator.nodeId],
  kindSigners: [administrator.nodeId],
  noIce: true,
  maxMessageSizeBytes: 65_536,
};

function pair(sequence = 1): { overlay: VirtualOverlay; a: VirtualPeer; b: VirtualPeer } {
  const overlay = new VirtualOverlay({ root, configuration: { ...base, sequence } });
  const a = overlay.join('2');
  const b = overlay.join('8');
  overlay.runFor(2_000);
  return { overlay, a, b };
}

const successor = (sequence: number, by = administrator) =>
  signConfiguration(buildConfiguration({ ...base, sequence }), by);

/** A ConfigUpdate of a document with a header that has the sequence given. */
const update = (configData: Uint8Array, configurationSequence = 65_535) => ({
  code: MessageCode.configUpdateReq,
  body: encode(ConfigUpdateReq, { type: 'config', configData }),
  header: { configurationSequence },
});

describe('configuration_sequence of a request', () => {
  it('RFC 6940 §6.3.2.1 (032, 033): the destination compares it and refuses any other', () => {
    const { overlay, a, b } = pair(5);
    const asked = (configurationSequence: number) =>
      errorOf(ask(overlay, a, b, { header: { configurationSequence } }));
    expect(asked(5)).toBeUndefined();
    expect(asked(6)).toBe('Error_Config_Too_New');
    const [error] = exchange(overlay, a, b, {
      to: [nodeDestination(b.nodeId)],
      header: { configurationSequence: 4 },
    });
    expect(error === undefined ? 'none' : errorOf(error)).toBe('Error_Config_Too_Old');
  });

  it('RFC 6940 §6.3.2.1 (034): a request too old also brings its sender the document', () => {
    const { overlay, a, b } = pair(5);
    const tap = new Wiretap(b);
    const header = { configurationSequence: 4 };
    overlay.inject(b, a, framed(forge(a, { to: [nodeDestination(b.nodeId)], header })));
    const [sent] = tap.ofCode(MessageCode.configUpdateReq);
    expect(sent?.message.header.destinationList).toEqual([nodeDestination(a.nodeId)]);
    expect(sent?.message.header.configurationSequence).toBe(65_535);
    const body = sent === undefined ? undefined : bodyOf(sent.message, ConfigUpdateReq);
    const configData = overlay.configuration.document;
    expect(body).toEqual({ type: 'config', configData });
  });

  it('RFC 6940 §6.3.2.1 (035): 65535 passes with a ConfigUpdate and with nothing else', () => {
    const { overlay, a, b } = pair();
    const header = { configurationSequence: 65_535 };
    expect(errorOf(ask(overlay, a, b, { header }))).toMatch(/^Error_Config_Too/);
    const answer = ask(overlay, a, b, update(successor(2)));
    expect(answer.contents.code).toBe(MessageCode.configUpdateAns);
  });
});

describe('a request under another configuration than its destination has', () => {
  it('RFC 6940 §6.3.2.1 (033): one too new brings the destination the document and goes again', () => {
    const { overlay, a, b } = pair();
    ask(overlay, a, b, update(successor(2)));
    const outcome = overlay.run(b, { type: 'ping', nodeId: a.nodeId }, 2_000);
    expect(outcome).toMatchObject({ ok: true, result: { type: 'pong' } });
    expect(a.peer.status().configurationSequence).toBe(2);
  });

  it('RFC 6940 §6.3.2.1 (034): one too old goes again once the document has come', () => {
    const { overlay, a, b } = pair();
    ask(overlay, a, b, update(successor(2)));
    const outcome = overlay.run(a, { type: 'ping', nodeId: b.nodeId }, 2_000);
    expect(outcome).toMatchObject({ ok: true, result: { type: 'pong' } });
    expect(a.peer.status().configurationSequence).toBe(2);
  });

  it('is refused within its 15 s where the document does not count', () => {
    const { overlay, a, b } = pair();
    const document = parseConfigurationDocument(successor(2, stranger), OVERLAY);
    if (document instanceof ConfigurationFault) throw new Error(document.describe());
    const configuration = trustInitialConfiguration(document);
    overlay.handle(b, { type: 'configuration', configuration });
    const startedMs = overlay.nowMs;
    const outcome = overlay.run(b, { type: 'ping', nodeId: a.nodeId }, 20_000);
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'refused' } });
    expect(overlay.nowMs - startedMs).toBeLessThanOrEqual(15_000);
  });
});

describe('ConfigUpdate', () => {
  it('RFC 6940 §6.5.4.2, §6.3.2.1 (029, 030, 042): a node holds the newest that it was given', () => {
    const { overlay, a, b } = pair();
    expect(b.peer.status().configurationSequence).toBe(1);
    ask(overlay, a, b, update(successor(7)));
    expect(b.peer.status().configurationSequence).toBe(7);
    expect(errorOf(ask(overlay, a, b))).toBe('Error_Config_Too_Old');
  });

  it('RFC 6940 §6.5.4.2 (039, 040): one that is not newer or not signed gets an error', () => {
    const { overlay, a, b } = pair(3);
    const same = ask(overlay, a, b, update(successor(3)));
    expect(errorOf(same)).toBe('Error_Config_Too_Old');
    const older = ask(overlay, a, b, update(successor(2)));
    expect(errorOf(older)).toBe('Error_Config_Too_Old');
    const forged = ask(overlay, a, b, update(successor(4, stranger)));
    expect(errorOf(forged)).toBe('Error_Forbidden');
    const broken = ask(overlay, a, b, update(Uint8Array.of(60, 63)));
    expect(errorOf(broken)).toBe('Error_Invalid_Message');
    expect(b.peer.status().configurationSequence).toBe(3);
  });

  it('RFC 6940 §6.5.4 (037): who says that our configuration is too new is sent it', () => {
    const { overlay, a, b } = pair();
    ask(overlay, a, b, update(successor(2)));
    const tap = new Wiretap(b);
    overlay.run(b, { type: 'ping', nodeId: a.nodeId });
    expect(tap.ofCode(MessageCode.configUpdateReq).map(({ to }) => to.name)).toEqual(['2']);
    overlay.runFor(500);
    expect(a.peer.status().configurationSequence).toBe(2);
  });

  it('RFC 6940 §6.5.4.2 (041): a Kind counts when a kind-signer of ours has signed it', () => {
    const { overlay, a, b } = pair();
    const kindUpdate = (block: Uint8Array) => ({
      code: MessageCode.configUpdateReq,
      body: encode(ConfigUpdateReq, { type: 'kind', kinds: [block] }),
      header: { configurationSequence: 65_535 },
    });
    const refused = ask(overlay, a, b, kindUpdate(buildKindBlock(definition, stranger)));
    expect(errorOf(refused)).toBe('Error_Forbidden');
    const before = ask(overlay, a, b, fetchOf(KIND, b));
    expect(errorOf(before)).toBe('Error_Unknown_Kind');
    const taken = ask(overlay, a, b, kindUpdate(buildKindBlock(definition, administrator)));
    expect(taken.contents.code).toBe(MessageCode.configUpdateAns);
    expect(errorOf(ask(overlay, a, b, fetchOf(KIND, b)))).toBeUndefined();
  });

  it('RFC 6940 §7.4.1.2 (043): who answers Error_Unknown_Kind is sent the Kind', () => {
    const overlay = new VirtualOverlay({ root, configuration: { ...base, sequence: 1 } });
    const a = overlay.join('2');
    const b = overlay.join('8');
    ask(overlay, b, a, {
      code: MessageCode.configUpdateReq,
      body: encode(ConfigUpdateReq, {
        type: 'kind',
        kinds: [buildKindBlock(definition, administrator)],
      }),
      header: { configurationSequence: 65_535 },
    });
    const specifiers = [{ kind: KIND, specifier: { model: 'single' } as const }];
    const resource = '5'.padEnd(32, '0') as ResourceId;
    const tap = new Wiretap(a, b);
    const first = overlay.run(a, { type: 'fetch', resource, specifiers });
    expect(first.ok).toBe(false);
    const [unknown] = tap.ofCode(MessageCode.error).filter(({ from }) => from === b);
    if (unknown === undefined) throw new Error('expected Error_Unknown_Kind');
    expect(errorOf(unknown.message)).toBe('Error_Unknown_Kind');
    const { errorInfo } = bodyOf(unknown.message, ErrorResponse);
    expect(errorInfo).toEqual(encode(UnknownKinds, { kinds: [KIND] }));
    overlay.runFor(1_000);
    expect(overlay.run(a, { type: 'fetch', resource, specifiers }).ok).toBe(true);
  });
});

function fetchOf(kind: number, peer: VirtualPeer) {
  const specifiers = [{ kind, generation: 0n, modelSpecifier: new Uint8Array(0) }];
  const resource = peer.nodeId as string as ResourceId;
  return { code: MessageCode.fetchReq, body: encode(FetchReq, { resource, specifiers }) };
}
