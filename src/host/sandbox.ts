import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningAuthority, startAuthority } from './authority/authority-server.ts';
import { initializeAuthority } from './authority/initialization.ts';
import { freePort } from './free-port.ts';
import { openPeer } from './join-overlay.ts';
import type { Log } from './log.ts';
import type { PeerHost } from './peer-host.ts';
import {
  gatewayCertificateFile,
  type SandboxAccount,
  sandboxGateway,
  sandboxPassword,
  sandboxUser,
} from './sandbox-accounts.ts';
import { percentile, type SandboxReport } from './sandbox-report.ts';
import { faultOfLookup } from './sandbox-verification.ts';
import type { SocketAddress } from './socket-address.ts';
import { openStateDirectory, type StateDirectory } from './state/state-directory.ts';

export interface SandboxOptions {
  /** Thrown away and made anew. */
  readonly stateDirectory: string;
  readonly peers: number;
  /** Clients of the first peer log in here, those of the second at the next port; absent: none. */
  readonly gateway?: SocketAddress;
  readonly log: Log;
  /** What is going on, for a person who waits. */
  readonly onProgress: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** A peer of the sandbox and how long it took to get into the ring. */
export interface SandboxPeer {
  readonly host: PeerHost;
  readonly jid: string;
  readonly stateDirectory: string;
  readonly joinMs: number;
}

/** A directory that is not empty and no sandbox: it is not thrown away. */
export class NotASandbox extends Error {
  constructor(path: string) {
    super(`${path} is not empty and no sandbox, so it is not thrown away; name another --state`);
    this.name = 'NotASandbox';
  }
}

/**
 * A whole overlay in one process, over real loopback sockets: a certificate authority, and peers
 * that fetch the configuration, enroll, join and store like any other, each in a state directory
 * of its own.
 */
export class Sandbox {
  readonly peers: SandboxPeer[] = [];
  /** Those that XMPP clients can log in to. */
  readonly accounts: SandboxAccount[] = [];
  private readonly options: SandboxOptions;
  private directory: StateDirectory | undefined;
  private authority: RunningAuthority | undefined;
  private readonly lookupMs: number[] = [];
  private readonly faults: string[] = [];
  private lookups = 0;

  constructor(options: SandboxOptions) {
    this.options = options;
  }

  /** Why lookups failed, a sentence each. */
  get failures(): readonly string[] {
    return this.faults;
  }

  get authorityUrl(): string {
    return this.authority?.url ?? '';
  }

  /** Starts the authority and lets every peer enroll and join. */
  async start(): Promise<void> {
    const { stateDirectory, onProgress } = this.options;
    this.directory = await openSandbox(stateDirectory);
    onProgress('making the certificate authority');
    const bootstrap = { host: LOOPBACK, port: await freePort() };
    const authority = await this.startAuthority(bootstrap);
    this.authority = authority;
    for (let number = 1; number <= this.options.peers; number += 1) {
      this.options.signal?.throwIfAborted();
      onProgress(`peer ${number} of ${this.options.peers} enrolls and joins`);
      this.peers.push(await this.startPeer(authority, number, bootstrap));
    }
    onProgress('waiting until everything is stored');
    await this.untilStored();
  }

  /** Looks every certificate up by Node-ID from every other peer, and checks what comes. */
  async verify(): Promise<SandboxReport> {
    const total = this.peers.length * (this.peers.length - 1);
    for (const asking of this.peers) {
      for (const asked of this.peers) {
        if (asking === asked) continue;
        this.options.signal?.throwIfAborted();
        this.options.onProgress(`lookup ${this.lookups + 1} of ${total}`);
        await this.lookUp(asking, asked);
      }
    }
    return this.report();
  }

  /** Every peer leaves, then the authority stops. */
  async stop(): Promise<void> {
    // One after another, so that each hands over to peers that are still there.
    for (const { host } of this.peers) await host.leave();
    await this.authority?.close();
    await this.directory?.close();
  }

  private async startAuthority(bootstrap: SocketAddress): Promise<RunningAuthority> {
    const stateDirectory = join(this.options.stateDirectory, 'ca');
    await initializeAuthority({ stateDirectory, overlayName: OVERLAY, httpsNames: [LOOPBACK] });
    return startAuthority({
      stateDirectory,
      listen: { host: LOOPBACK, port: 0 },
      bootstrap: [bootstrap],
      log: this.options.log.child({ part: 'ca' }),
    });
  }

  private async startPeer(
    authority: RunningAuthority,
    number: number,
    bootstrap: SocketAddress,
  ): Promise<SandboxPeer> {
    const { log, signal } = this.options;
    const jid = sandboxUser(number);
    const password = randomBytes(18).toString('base64url');
    await authority.addUser(jid, password);
    const stateDirectory = join(this.options.stateDirectory, `peer-${number}`);
    const gateway = sandboxGateway(number, this.options.gateway);
    const startedMs = performance.now();
    const host = await openPeer({
      stateDirectory,
      overlay: OVERLAY,
      configuration: {
        from: 'https',
        url: authority.configurationUrl,
        trustedCertificates: authority.trustedCertificates,
      },
      identity: { from: 'enrollment', userName: jid, password: () => Promise.resolve(password) },
      listen: number === 1 ? bootstrap : { host: LOOPBACK, port: 0 },
      first: number === 1,
      ...(gateway === undefined ? {} : { xmpp: { gateway } }),
      log: log.child({ part: `peer-${number}` }),
      ...(signal === undefined ? {} : { signal }),
    });
    const joinDeadline = AbortSignal.timeout(JOIN_MS_MAX);
    try {
      await host.whenJoined(
        signal === undefined ? joinDeadline : AbortSignal.any([signal, joinDeadline]),
      );
    } catch (error) {
      await host.close();
      throw error;
    }
    const joinMs = performance.now() - startedMs;
    await this.addAccount(host, jid, stateDirectory);
    return { host, jid, stateDirectory, joinMs };
  }

  private async addAccount(host: PeerHost, jid: string, stateDirectory: string): Promise<void> {
    const gateway = host.xmppListening?.gateway;
    if (gateway === undefined) return;
    const password = await sandboxPassword(stateDirectory);
    const certificateFile = gatewayCertificateFile(stateDirectory);
    this.accounts.push({ jid, password, gateway, certificateFile });
  }

  /** Certificates are stored by then; locations follow. What does not, the report shows. */
  private async untilStored(): Promise<void> {
    const deadlineMs = performance.now() + STORED_MS_MAX;
    while (performance.now() < deadlineMs) {
      if (this.peers.every(({ host }) => host.status().ownRecordsComplete)) return;
      this.options.signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  private async lookUp(asking: SandboxPeer, asked: SandboxPeer): Promise<void> {
    this.lookups += 1;
    const startedMs = performance.now();
    const fault = await this.faultOf(asking, asked);
    if (fault === undefined) this.lookupMs.push(performance.now() - startedMs);
    else this.faults.push(`${asking.jid} asked for ${asked.jid}: ${fault}`);
  }

  private async faultOf(asking: SandboxPeer, asked: SandboxPeer): Promise<string | undefined> {
    const { nodeId } = asked.host;
    const { instanceName, rootCertificates } = asking.host.overlayConfiguration;
    const expected = { nodeId, jid: asked.jid, overlayName: instanceName, rootCertificates };
    try {
      const [node, ...more] = await asking.host.lookupCertificates({ nodeId });
      if (node === undefined || more.length > 0) return `${more.length} certificates came`;
      return faultOfLookup(node, expected);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  private report(): SandboxReport {
    const statuses = this.peers.map(({ host }) => host.status());
    const joinMs = this.peers.map((peer) => peer.joinMs);
    return {
      overlay: OVERLAY,
      peers: this.options.peers,
      joined: statuses.filter(({ state }) => state === 'joined').length,
      stored: statuses.filter(({ ownRecordsComplete }) => ownRecordsComplete).length,
      lookups: this.lookups,
      verified: this.lookupMs.length,
      failed: this.faults.length,
      joinMs: { p50: percentile(joinMs, 0.5), max: percentile(joinMs, 1) },
      lookupMs: {
        p50: percentile(this.lookupMs, 0.5),
        p95: percentile(this.lookupMs, 0.95),
        max: percentile(this.lookupMs, 1),
      },
    };
  }
}

/** Takes the directory for this process and removes what an earlier sandbox left, nothing else. */
async function openSandbox(path: string): Promise<StateDirectory> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const entries = await readdir(path);
  if (entries.length > 0 && !entries.includes(MARKER_FILE)) throw new NotASandbox(path);
  await writeFile(join(path, MARKER_FILE), 'xor sandbox throws away what is here\n');
  const directory = await openStateDirectory(path);
  for (const entry of entries.filter((name) => OWN_DIRECTORY.test(name))) {
    await rm(join(path, entry), { recursive: true, force: true });
  }
  return directory;
}

const OVERLAY = 'xmpp.org';
const LOOPBACK = '127.0.0.1';
const MARKER_FILE = '.xor-sandbox';
const OWN_DIRECTORY = /^(?:ca|peer-\d+)$/;
const JOIN_MS_MAX = 60_000;
const STORED_MS_MAX = 30_000;
const POLL_MS = 10;
