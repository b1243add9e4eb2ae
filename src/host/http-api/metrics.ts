import { Counter, Gauge, Registry } from 'prom-client';
import type { PeerCounters } from '../../reload/peer-options.ts';
import type { PeerHost } from '../peer-host.ts';
import { configurationCounters, configurationGauges } from './configuration-metrics.ts';
import { peerReadiness } from './readiness.ts';
import { renewalCounters, renewalGauges } from './renewal-metrics.ts';
import { revocationCounters, revocationGauges } from './revocation-metrics.ts';

/** What the metrics read. */
export type MeasuredPeer = Pick<PeerHost, 'status' | 'counters' | 'connectionCounts'> &
  Partial<Pick<PeerHost, 'revocation' | 'renewal' | 'configurationWatch' | 'overlayConfiguration'>>;

/**
 * The Prometheus view of a peer. Everything is read when somebody asks, so a peer whose metrics
 * nobody wants costs nothing.
 */
export class Metrics {
  private readonly registry = new Registry();

  constructor(host: MeasuredPeer) {
    this.addGauges(host);
    this.addPeerCounters(host);
    this.addLinkCounters(host);
    this.addProcess();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  private addGauges(host: MeasuredPeer): void {
    const gauges: Readonly<Record<string, readonly [help: string, read: () => number]>> = {
      xor_ready: ['1 when joined, connected and stored', () => Number(peerReadiness(host).ready)],
      xor_uptime_seconds: ['Since this peer started', () => host.status().uptimeSeconds],
      xor_links: ['Authenticated overlay links', () => host.connectionCounts.links],
      xor_handshakes: [
        'TLS handshakes of others under way',
        () => host.connectionCounts.handshakes,
      ],
      xor_predecessors: ['Neighbor Table', () => host.status().predecessors.length],
      xor_successors: ['Neighbor Table', () => host.status().successors.length],
      xor_fingers: ['Finger Table', () => host.status().fingers.length],
      xor_stored_resources: ['Resource-IDs with values here', () => host.status().resources],
      xor_stored_values: ['Values stored here', () => host.status().values],
      xor_configuration_sequence: [
        'Sequence of the configuration in force',
        () => host.status().configurationSequence,
      ],
    };
    const all = {
      ...gauges,
      ...revocationGauges(() => host.revocation),
      ...renewalGauges(host),
      ...configurationGauges(host),
    };
    for (const [name, [help, read]] of Object.entries(all)) this.gauge(name, help, read);
  }

  private addPeerCounters(host: MeasuredPeer): void {
    const counters = () => host.status().counters;
    const read = (pick: (from: PeerCounters) => number) => () => pick(counters());
    this.counter(
      'xor_messages_sent_total',
      'RELOAD messages',
      read((from) => from.messagesSent),
    );
    this.counter(
      'xor_messages_received_total',
      'RELOAD messages',
      read((from) => from.messagesReceived),
    );
    this.counter(
      'xor_messages_forwarded_total',
      'Messages for others',
      read((from) => from.messagesForwarded),
    );
    this.counter(
      'xor_requests_answered_total',
      'Requests answered',
      read((from) => from.requestsAnswered),
    );
    const more = {
      ...revocationCounters(() => host.revocation),
      ...renewalCounters(host),
      ...configurationCounters(host),
    };
    for (const [name, [help, value]] of Object.entries(more)) this.counter(name, help, value);
    this.labelledCounter('xor_messages_dropped_total', 'Messages not processed', 'cause', () =>
      Object.entries(counters().dropped),
    );
  }

  private addLinkCounters({ counters }: MeasuredPeer): void {
    const plain: Readonly<Record<string, readonly [help: string, read: () => number]>> = {
      xor_link_sent_bytes_total: ['Bytes sent on links', () => counters.bytesSent],
      xor_link_received_bytes_total: ['Bytes received on links', () => counters.bytesReceived],
      xor_handshakes_accepted_total: ['Links that others made', () => counters.handshakesAccepted],
      xor_handshakes_failed_total: [
        'Connections of others that became no link',
        () => counters.handshakesFailed,
      ],
      xor_connects_succeeded_total: ['Links that this peer made', () => counters.connectsSucceeded],
      xor_connects_failed_total: [
        'Own attempts that became no link',
        () => counters.connectsFailed,
      ],
      xor_openssl_differs_total: [
        'Chains that OpenSSL judges otherwise',
        () => counters.opensslDiffers,
      ],
    };
    for (const [name, [help, read]] of Object.entries(plain)) this.counter(name, help, read);
    this.labelledCounter('xor_links_refused_total', 'By the rule that was broken', 'rule', () => [
      ...counters.refusedByRule,
    ]);
  }

  private addProcess(): void {
    this.gauge('process_resident_memory_bytes', 'Memory of the process', () =>
      process.memoryUsage.rss(),
    );
    this.gauge('process_cpu_seconds', 'Processor time of the process', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  private counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  private labelledCounter(
    name: string,
    help: string,
    label: string,
    read: () => readonly (readonly [string, number])[],
  ): void {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [value, count] of read()) this.inc({ [label]: value }, count);
      },
    });
  }
}
