import type { TrustSettings } from '../tls-auth/trust-settings.ts';
import type { OverlayConfiguration } from './overlay-configuration.ts';

/** What an Authenticator goes by while this configuration is in force. */
export function trustSettingsOf(configuration: OverlayConfiguration): TrustSettings {
  return {
    overlayName: configuration.instanceName,
    nodeIdLength: configuration.nodeIdLength,
    profile: configuration.certificateProfile,
    rootCertificates: configuration.rootCertificates,
    badNodes: configuration.badNodes,
    selfSignedDigest: configuration.selfSignedDigest,
  };
}
