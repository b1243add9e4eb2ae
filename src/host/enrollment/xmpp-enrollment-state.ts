import { trustSettingsOf } from '../../overlay-config/configuration-trust-settings.ts';
import { Authenticator } from '../../tls-auth/authenticator.ts';
import { parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { openConfiguration } from '../configuration/followed-configuration.ts';
import { loadIdentity, type StoredIdentity } from '../identity-file.ts';
import type { ConfigurationSource } from '../join-options.ts';
import { type Log, silentLog } from '../log.ts';
import { ReleaseStack } from '../release-stack.ts';
import { openStateDirectory } from '../state/state-directory.ts';

/** The state directory of a peer, for this process alone, and the overlay that it is of. */
export interface XmppEnrollmentState {
  readonly stateDirectory: string;
  /** DER: the roots of the overlay. */
  readonly rootCertificates: readonly Uint8Array[];
  readonly authenticator: Authenticator;
  /** Undefined: there is no certificate yet. */
  readonly held: StoredIdentity | undefined;
  /** Of the held one, ms since 1970. */
  readonly heldUntilUnixMs: number | undefined;
  close(): Promise<void>;
}

export interface XmppEnrollmentStateOptions {
  readonly stateDirectory: string;
  readonly overlayName: string;
  readonly configuration: ConfigurationSource;
  readonly log?: Log;
}

/** Throws what `joinOverlay` throws for a directory or configuration that cannot be had. */
export async function openXmppEnrollment(
  options: XmppEnrollmentStateOptions,
): Promise<XmppEnrollmentState> {
  const { stateDirectory, overlayName, log = silentLog } = options;
  const releases = new ReleaseStack();
  try {
    const directory = await openStateDirectory(stateDirectory);
    releases.add(() => directory.close());
    const { configuration } = await openConfiguration(
      options.configuration,
      { overlayName, stateDirectory },
      log,
      (stop) => releases.add(stop),
      undefined,
    );
    const held = await loadIdentity(stateDirectory);
    return {
      stateDirectory,
      rootCertificates: configuration.rootCertificates,
      authenticator: new Authenticator(trustSettingsOf(configuration)),
      held,
      heldUntilUnixMs: held === undefined ? undefined : endOf(held.certificateDer),
      close: () => releases.releaseAll(),
    };
  } catch (error) {
    await releases.releaseAll();
    throw error;
  }
}

function endOf(der: Uint8Array): number {
  const certificate = parseCertificate(der);
  return certificate instanceof CertificateRefusal ? 0 : certificate.notAfterUnixMs;
}
