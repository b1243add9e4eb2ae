import type { FeatureRegistry } from '../routing/routing-feature.ts';
import type { SessionsByCertificate } from './certificate-sessions.ts';

/**
 * XEP-0257, "Changing the Password": XEP-0077 would change a password without the old one, and so
 * whoever took a device with a certificate could shut out its owner. Such a session is refused with
 * `not-authorized`. Nobody else can change it over XMPP either: `xor passwd` does.
 */
export function registerPasswordChange(
  registry: FeatureRegistry,
  sessions: () => SessionsByCertificate,
): void {
  registry.iq(REGISTER_NAMESPACE, ({ origin, type }, answer) => {
    const login = origin.type === 'client' ? sessions().loginOf(origin.client.session) : undefined;
    if (type === 'set' && login?.certificates !== undefined) {
      const text = 'a session that logged in with a certificate changes no password';
      return answer.error('not-authorized', text);
    }
    answer.error('service-unavailable', 'the password is set by xor passwd where the peer runs');
  });
}

const REGISTER_NAMESPACE = 'jabber:iq:register';
