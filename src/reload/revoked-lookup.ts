import type { Command, CommandOutcome } from './command.ts';
import type { PeerEnvironment } from './peer-environment.ts';

/**
 * Where a certificate is not found, or nothing found passes, because it is revoked, and this node
 * has met it: that, since when and why. Other nodes serve it no more, so they cannot tell.
 */
export function toldIfRevoked(
  env: PeerEnvironment,
  command: Command,
  outcome: CommandOutcome,
): CommandOutcome {
  if (outcome.ok) return outcome;
  if (command.type !== 'lookupByNodeId' && command.type !== 'lookupByUserName') return outcome;
  const { code } = outcome.failure;
  if (code !== 'not-found' && code !== 'not-verified') return outcome;
  const refusal = env.options.authenticator.revocationOf(command);
  if (refusal?.revocation === undefined) return outcome;
  const { sinceUnixMs, reason } = refusal.revocation;
  const whose = command.type === 'lookupByNodeId' ? command.nodeId : command.userName;
  const detail = `the certificate of ${whose} does not count: ${refusal.describe()}`;
  return { ok: false, failure: { code: 'revoked', detail, revocation: { sinceUnixMs, reason } } };
}
