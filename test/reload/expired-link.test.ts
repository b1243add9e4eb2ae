import { describe, expect, it } from 'vitest';
import { makeLeaf, TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { createSigner } from '../../src/tls-auth/signer.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { VirtualOverlay } from './virtual-overlay.ts';

describe('A link (RFC 6940 §6.6, RFC 5280 §6.1.3)', () => {
  it('is closed once the certificate at its other end has expired', () => {
    const overlay = new VirtualOverlay();
    const first = overlay.join('1a');
    const passing = overlay.join('9c', { signer: shortLivedSigner(overlay, '9c', 5 * MINUTE_MS) });
    overlay.runFor(4 * MINUTE_MS);
    expect(overlay.isConnected(first, passing)).toBe(true);
    const isClosed = () => !overlay.isConnected(first, passing);
    expect(overlay.runUntil(isClosed, 2 * MINUTE_MS)).toBe(true);
    const reason = 'its certificate has expired';
    expect(first.events).toContainEqual(expect.objectContaining({ type: 'linkClosed', reason }));
  });
});

function shortLivedSigner(overlay: VirtualOverlay, digits: string, livesMs: number) {
  const nodeId = digits.padEnd(32, '0') as NodeId;
  const jid = 'passing@example.org';
  const notAfterUnixMs = TEST_UNIX_MS + livesMs;
  const leaf = makeLeaf(overlay.root, { jid, nodeId, change: () => ({ notAfterUnixMs }) });
  const authenticator = new Authenticator(trustSettingsOf(overlay.configuration));
  const node = authenticator.authenticate(leaf.certificate, [], TEST_UNIX_MS);
  if (node instanceof CertificateRefusal) throw new Error(node.describe());
  return createSigner(node, nodeId, leaf.key.privateKey);
}

const MINUTE_MS = 60_000;
