import type { TestAuthority } from '../../sim/certificates/certificate-maker.ts';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  type ConfigurationContent,
  unsignedDocument,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import { trustInitialConfiguration } from '../../src/overlay-config/configuration-trust.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';

export const OVERLAY = 'xmpp.org';

/** A configuration trusted on the test's word; times as the RFC's defaults unless given. */
export function testConfiguration(
  root: TestAuthority,
  content: Partial<ConfigurationContent> = {},
): VerifiedConfiguration {
  const document = unsignedDocument(
    buildConfiguration({
      instanceName: OVERLAY,
      sequence: 1,
      rootCertificates: [root.certificate],
      noIce: true,
      maxMessageSizeBytes: 65_536,
      ...content,
    }),
  );
  const parsed = parseConfigurationDocument(document, OVERLAY);
  if (parsed instanceof ConfigurationFault) throw new Error(parsed.describe());
  return trustInitialConfiguration(parsed);
}
