import type { ServerTimeouts } from '../../../src/xmpp/account/account-limits.ts';
import {
  ServerClient,
  type ServerClientInput,
  type ServerClientOutput,
} from '../../../src/xmpp/account/server-client.ts';
import type { ServerFailure } from '../../../src/xmpp/account/server-failure.ts';
import type { AccountCredentials } from '../../../src/xmpp/account/server-login.ts';
import type { ServerTls } from '../../../src/xmpp/account/server-tls.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../src/xmpp-address/jid.ts';
import { seededRandom } from '../../reload/seeded-random.ts';

export const TLS_13: ServerTls = {
  serverEndPoint: new Uint8Array(32).fill(1),
  exporter: new Uint8Array(32).fill(2),
  unique: undefined,
};
export const TIMEOUTS: ServerTimeouts = {
  connectMs: 1_000,
  stepMs: 10_000,
  requestMs: 5_000,
  idleMs: 60_000,
  answerMs: 20_000,
};
/** What a server sends first, on each of its streams. */
export const HEADER =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='s' version='1.0' " +
  "xmlns:stream='http://etherx.jabber.org/streams' from='capulet.example'>";

export function jidOf(text: string): Jid {
  const jid = parseJid(text);
  if (jid instanceof AddressFault) throw new Error(jid.describe());
  return jid;
}

/** The connection of juliet@capulet.example to a server whose bytes the test writes. */
export class ServerDesk {
  nowMs = 0;
  readonly outputs: ServerClientOutput[] = [];
  private readonly client: ServerClient;

  constructor(credentials: AccountCredentials = { password: 'r0meo' }) {
    this.client = new ServerClient({
      account: jidOf('juliet@capulet.example'),
      credentials,
      timeouts: TIMEOUTS,
      random: seededRandom(7),
    });
  }

  /** What the client does in answer; its bytes as text. */
  do(input: ServerClientInput): string {
    const outputs = this.client.handle(input, { monotonicMs: this.nowMs, unixMs: this.nowMs });
    this.outputs.push(...outputs);
    return outputs
      .map((output) => (output.type === 'send' ? new TextDecoder().decode(output.bytes) : ''))
      .join('');
  }

  says(text: string): string {
    return this.do({ type: 'data', bytes: new TextEncoder().encode(text) });
  }

  /** With TLS from the beginning, up to this list of mechanisms. */
  offers(...mechanisms: readonly string[]): string {
    this.do({ type: 'connected', tls: TLS_13 });
    return this.says(`${HEADER}${mechanismFeatures(...mechanisms)}`);
  }

  /** Logs in by certificate and binds `juliet@capulet.example/balcony`. */
  logIn(): void {
    this.offers('EXTERNAL');
    this.says("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    const asked = this.says(`${HEADER}${BIND_FEATURES}`);
    const [, id = ''] = /id="([0-9a-f]+)"/.exec(asked) ?? [];
    this.says(
      `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>` +
        '<jid>juliet@capulet.example/balcony</jid></bind></iq>',
    );
  }

  /** Time passes; the client wakes at its deadlines. */
  pass(ms: number): string {
    const end = this.nowMs + ms;
    let sent = '';
    for (;;) {
      const at = this.client.nextDeadline();
      if (at === undefined || at > end) break;
      this.nowMs = Math.max(this.nowMs, at);
      sent += this.do({ type: 'tick' });
    }
    this.nowMs = end;
    return sent;
  }

  get hasDeadline(): boolean {
    return this.client.nextDeadline() !== undefined;
  }

  get isReady(): boolean {
    return this.outputs.some(({ type }) => type === 'ready');
  }

  get failure(): ServerFailure | undefined {
    const ended = this.outputs.flatMap((output) => (output.type === 'ended' ? [output] : []));
    if (ended.length > 1) throw new Error('it ended twice');
    return ended[0]?.failure;
  }
}

export function mechanismFeatures(...mechanisms: readonly string[]): string {
  const list = mechanisms.map((name) => `<mechanism>${name}</mechanism>`).join('');
  return (
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
    `${list}</mechanisms></stream:features>`
  );
}

export const BIND_FEATURES =
  "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";
