import type { CertificateRefusal } from './certificate-refusal.ts';

/**
 * What whoever runs a node can do once its own certificate is refused for good: half a sentence. A
 * renewed certificate, and one for the same key, keep the Node-ID; only a key that nobody has seen
 * gets another one (RFC 6940 §11.3).
 */
export function remedyFor({ code }: CertificateRefusal): string {
  const fresh = 'enroll anew with user name and password and an empty state directory';
  switch (code) {
    case 'revoked':
      return `${fresh}: a revoked key is not certified again, a new one gets a Node-ID of its own`;
    case 'bad-node':
      return `${fresh}: the overlay bans this Node-ID, and only a new key gets another one`;
    default:
      return `${fresh}, at an authority that this overlay trusts`;
  }
}
