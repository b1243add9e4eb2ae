import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ComponentInput, ComponentStream } from '../../../xmpp/component/component-stream.ts';
import type { XmppElement } from '../../../xmpp/stanza/xmpp-element.ts';
import type { Log } from '../../log.ts';
import { formatSocketAddress, isLoopbackHost } from '../../socket-address.ts';
import { type ComponentOptions, isInTheClear } from './component-place.ts';

/** Whether the server routes stanzas, and if not, why: half a sentence, when it is known. */
export interface ComponentStatus {
  readonly isAttached: boolean;
  readonly reason?: string | undefined;
}

/** Runs a ComponentStream over connections to its server, from `start` to `stop`. */
export class ComponentLink {
  private readonly options: ComponentOptions;
  private readonly onStanza: (stanza: XmppElement) => void;
  private readonly log: Log;
  private readonly stream: ComponentStream;
  private socket: Socket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopping: Promise<void> | undefined;
  private whenStopped: (() => void) | undefined;
  private readonly attachedWaiters = new Set<() => void>();
  private isHeld = false;
  private lastReason: string | undefined;

  constructor(options: ComponentOptions, onStanza: (stanza: XmppElement) => void, log: Log) {
    this.options = options;
    this.onStanza = onStanza;
    this.log = log.child({ component: options.jid, server: formatSocketAddress(options.server) });
    this.stream = new ComponentStream(options);
  }

  get status(): ComponentStatus {
    const { isAttached } = this.stream;
    return isAttached ? { isAttached } : { isAttached, reason: this.lastReason };
  }

  start(): void {
    this.handle({ type: 'start' });
  }

  /** Resolves when the server takes it as its component. */
  attached(): Promise<void> {
    if (this.stream.isAttached) return Promise.resolve();
    return new Promise((resolve) => this.attachedWaiters.add(resolve));
  }

  /** In the namespace `jabber:client`. Without a connection it waits for the next one. */
  send(stanza: XmppElement): void {
    this.handle({ type: 'send', stanza });
  }

  /** Whether nothing more is read from the server for now: so much is being done already. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    this.adjustReading();
  }

  /** Ends the stream, and resolves when that is done. */
  stop(): Promise<void> {
    this.stopping ??= new Promise<void>((resolve) => {
      this.whenStopped = resolve;
      this.handle({ type: 'stop' });
    });
    return this.stopping;
  }

  private handle(input: ComponentInput): void {
    for (const output of this.stream.handle(input, performance.now())) {
      switch (output.type) {
        case 'connect':
          this.connect();
          break;
        case 'write':
          this.socket?.write(output.text);
          this.adjustReading();
          break;
        case 'disconnect':
          this.disconnect();
          break;
        case 'attached':
          this.log.info({}, 'attached to the XMPP server');
          for (const resolve of this.attachedWaiters) resolve();
          this.attachedWaiters.clear();
          break;
        case 'detached': {
          const { reason, pauseMs } = output;
          this.lastReason = reason;
          this.log.warn({ reason, pauseMs }, 'not attached to the XMPP server; it is tried again');
          break;
        }
        case 'stanza':
          this.onStanza(output.stanza);
          break;
        case 'stopped':
          this.whenStopped?.();
      }
    }
    this.arm();
  }

  private arm(): void {
    clearTimeout(this.timer);
    const deadlineMs = this.stream.nextDeadline();
    if (deadlineMs === undefined) return;
    const waitMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
    this.timer = setTimeout(() => this.handle({ type: 'time' }), waitMs);
  }

  private connect(): void {
    const { server, serverTrust } = this.options;
    const { host, port } = server;
    const isClear = isInTheClear(this.options);
    const socket = isClear
      ? connectTcp({ host, port })
      : connectTls({
          host,
          port,
          ca: serverTrust,
          minVersion: 'TLSv1.2',
          ...(isIP(host) === 0 ? { servername: host } : {}),
        });
    this.socket = socket;
    let reason = 'the server closed the connection';
    socket.setNoDelay(true);
    socket.once(isClear ? 'connect' : 'secureConnect', () => {
      if (this.socket !== socket) return;
      if (isClear && !isLoopbackHost(socket.remoteAddress ?? '')) {
        reason = `${host} is not this machine; a connection in the clear stays on it`;
        socket.destroy();
        return;
      }
      this.handle({ type: 'connected' });
    });
    socket.on('data', (bytes: Buffer) => {
      if (this.socket === socket) this.handle({ type: 'received', bytes: new Uint8Array(bytes) });
    });
    socket.on('drain', () => this.adjustReading());
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      this.handle({ type: 'disconnected', reason });
    });
    this.adjustReading();
  }

  /** What was written still goes out; after a moment nothing is waited for. */
  private disconnect(): void {
    const { socket } = this;
    this.socket = undefined;
    if (socket === undefined) return;
    socket.resume();
    socket.end();
    const forced = setTimeout(() => socket.destroy(), LINGER_MS_MAX);
    socket.once('close', () => clearTimeout(forced));
  }

  /** A server that does not read what it is sent gets no more answers to send. */
  private adjustReading(): void {
    const { socket } = this;
    if (socket === undefined) return;
    if (this.isHeld || socket.writableLength > UNWRITTEN_BYTES_MAX) socket.pause();
    else socket.resume();
  }
}

const LINGER_MS_MAX = 2_000;
const UNWRITTEN_BYTES_MAX = 4_194_304;
