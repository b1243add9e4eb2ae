import type { OverlayConfiguration } from '../../overlay-config/overlay-configuration.ts';
import type { Clock } from '../host-clock.ts';
import type { Log } from '../log.ts';
import { ThrottledWarning } from '../throttled-warning.ts';
import type { ConfigurationServerStatus } from './configuration-client.ts';
import { ConfigurationUnavailable } from './configuration-unavailable.ts';
import type { ConfigurationServer } from './followed-configuration.ts';

/** What an operator wants to know of a peer's configuration. */
export interface ConfigurationReport {
  readonly sequence: number;
  readonly expirationUnixMs: number | undefined;
  /** What came of asking the server; undefined: none is asked. */
  readonly server: ConfigurationServerStatus | undefined;
  /** ConfigUpdates of other nodes that were refused since the start. */
  readonly refusedUpdates: number;
  /** Why the last one was. */
  readonly lastRefusal: { readonly atUnixMs: number; readonly reason: string } | undefined;
}

/**
 * What is wrong with the configuration while the peer works: the server offers another one, or the
 * one in force has expired. What strangers can cause by a ConfigUpdate is not among it.
 */
export function configurationWarnings(
  { server, sequence, expirationUnixMs }: ConfigurationReport,
  unixMs: number,
): string[] {
  const warnings: string[] = [];
  if (server?.refusal !== undefined) {
    warnings.push(`the configuration that the server offers is refused: ${server.refusal.reason}`);
  }
  if (expirationUnixMs !== undefined && unixMs >= expirationUnixMs) {
    const expired = new Date(expirationUnixMs).toISOString();
    warnings.push(`the configuration in force, sequence ${sequence}, expired at ${expired}`);
  }
  return warnings;
}

/** Keeps what came of configurations that others offered to a running peer. */
export class ConfigurationWatch {
  private readonly server: ConfigurationServer | undefined;
  private readonly clock: Clock;
  private readonly warnings: ThrottledWarning;
  private refusedUpdates = 0;
  private lastRefusal: ConfigurationReport['lastRefusal'];

  constructor(server: ConfigurationServer | undefined, log: Log, clock: Clock) {
    this.server = server;
    this.clock = clock;
    this.warnings = new ThrottledWarning(log, clock);
  }

  /** A ConfigUpdate did not count. Strangers can cause that at will. */
  noteRefusal(reason: string): void {
    this.refusedUpdates += 1;
    this.lastRefusal = { atUnixMs: this.clock.now().unixMs, reason };
    this.warnings.warn('configuration', { reason }, 'a ConfigUpdate of another node is refused');
  }

  report(
    inForce: Pick<OverlayConfiguration, 'sequence' | 'expirationUnixMs'>,
  ): ConfigurationReport {
    const { sequence, expirationUnixMs } = inForce;
    const { refusedUpdates, lastRefusal } = this;
    const server = this.server?.status();
    return { sequence, expirationUnixMs, server, refusedUpdates, lastRefusal };
  }

  /**
   * Asks the server now instead of when it is time. Resolves with the sequence in force; rejects
   * with an Error whose message is a sentence for the operator.
   */
  refresh(): Promise<number> {
    if (this.server !== undefined) return this.server.refreshNow();
    return Promise.reject(new ConfigurationUnavailable('this peer asks no configuration server'));
  }
}
