/** The configuration in force over restarts: what is on disk, and what it must not be. */
import { parseConfigurationDocument } from '../../overlay-config/configuration-document.ts';
import { ConfigurationFault } from '../../overlay-config/configuration-fault.ts';
import { trustInitialConfiguration } from '../../overlay-config/configuration-trust.ts';
import { KindRefusal, verifyKindBlocks } from '../../overlay-config/kind-trust.ts';
import type { VerifiedConfiguration } from '../../overlay-config/verified-configuration.ts';
import { type ConfigurationCache, isRolledBack } from './configuration-cache.ts';
import { ConfigurationUnavailable, TRUST_TODO } from './configuration-unavailable.ts';

/** A configuration, and when a server last said that it is the current one. */
export interface DatedConfiguration {
  readonly configuration: VerifiedConfiguration;
  /** The server's Last-Modified; undefined when the document came another way. */
  readonly lastModified: string | undefined;
  /** ms since 1970. */
  readonly checkedUnixMs: number;
}

/** Every method throws ConfigurationUnavailable. */
export class KeptConfiguration {
  private readonly cache: ConfigurationCache;
  private readonly overlayName: string;

  constructor(cache: ConfigurationCache, overlayName: string) {
    this.cache = cache;
    this.overlayName = overlayName;
  }

  /** What is on disk was verified when it came, so that only its form is looked at again. */
  async read(unixMs: number): Promise<DatedConfiguration | undefined> {
    const { cache, overlayName } = this;
    const entry = await cache.read().catch(unavailable);
    if (entry === undefined) return undefined;
    const parsed = parseConfigurationDocument(entry.document, overlayName);
    if (parsed instanceof ConfigurationFault) {
      const what = `the configuration kept in ${cache.path} cannot be used`;
      throw new ConfigurationUnavailable(`${what} (${parsed.describe()}); ${TRUST_TODO}`);
    }
    await this.refuseRollBack(parsed.sequence);
    // A signer's short-lived certificate may have expired since: then the Kind's signer is open.
    const signers = verifyKindBlocks(parsed, unixMs);
    const known = signers instanceof KindRefusal ? new Map() : signers;
    const { lastModified, checkedUnixMs } = entry;
    return { configuration: trustInitialConfiguration(parsed, known), lastModified, checkedUnixMs };
  }

  /** An old backup in the place of what was held must not bring old signers and roots back. */
  async refuseRollBack(sequence: number): Promise<void> {
    const { cache, overlayName } = this;
    const mark = await cache.readMark().catch(unavailable);
    if (!isRolledBack(mark, { overlayName, sequence })) return;
    const what = `sequence ${mark.sequence} of the configuration was in force here before`;
    const found = `and what is there now has the older sequence ${sequence}`;
    throw new ConfigurationUnavailable(`${what}, ${found}; ${TRUST_TODO}`);
  }

  async write({ configuration, lastModified, checkedUnixMs }: DatedConfiguration): Promise<void> {
    const { overlayName, cache } = this;
    const { document, sequence, sharedSecret } = configuration;
    const entry = { overlayName, document, lastModified, checkedUnixMs };
    try {
      await cache.write(entry, sharedSecret !== undefined);
      await cache.writeMark({ overlayName, sequence });
    } catch (error) {
      const what = `cannot keep the configuration in ${cache.path} (${String(error)})`;
      const todo = 'make its directory writable';
      throw new ConfigurationUnavailable(`${what}; ${todo}`, { cause: error });
    }
  }
}

function unavailable(error: Error): never {
  throw new ConfigurationUnavailable(error.message, { cause: error });
}
