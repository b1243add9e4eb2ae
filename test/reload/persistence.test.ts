import { describe, expect, it } from 'vitest';
import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import { VirtualOverlay } from './virtual-overlay.ts';

function storeOwnCertificate(overlay: VirtualOverlay) {
  const juliet = overlay.peers[1];
  if (juliet === undefined) throw new Error('no second peer');
  const resource = resourceIdOf(nodeIdBytes(juliet.nodeId));
  const certificate = juliet.signer.node.certificate.der;
  const place = { model: 'array', index: 0 } as const;
  const value = { kind: KindIds.certificateByNode, place, value: certificate, lifetimeSeconds: 60 };
  return overlay.command(juliet, { type: 'store', resource, values: [value] });
}

describe('RFC 6940 §7.4.1.1: nothing is acknowledged that is not on disk', () => {
  it('a Store is answered only after it is on disk', () => {
    const overlay = new VirtualOverlay();
    const peers = [overlay.join('3'), overlay.join('a')];
    for (const peer of peers) peer.diskIsStuck = true;
    const outcome = storeOwnCertificate(overlay);
    overlay.runFor(10_000);
    expect(outcome()).toBeUndefined();
  });

  it('a Store on a full disk is refused, and the peer goes on', () => {
    const overlay = new VirtualOverlay();
    const peers = [overlay.join('3'), overlay.join('a')];
    for (const peer of peers) peer.diskFails = true;
    const outcome = storeOwnCertificate(overlay);
    overlay.runFor(2_000);
    expect(outcome()).toMatchObject({ ok: false, failure: { code: 'refused' } });
    expect(outcome()).toMatchObject({ failure: { detail: expect.stringContaining('disk full') } });
    for (const peer of peers) peer.diskFails = false;
    const again = storeOwnCertificate(overlay);
    overlay.runFor(2_000);
    expect(again()).toMatchObject({ ok: true });
  });
});
