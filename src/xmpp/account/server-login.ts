import type { Jid } from '../../xmpp-address/jid.ts';
import { fromBase64, toBase64 } from '../sasl/base64.ts';
import type { ChannelBindingName } from '../sasl/channel-binding.ts';
import { SASL_NAMESPACE } from '../sasl/sasl-step.ts';
import { ScramClient, type ScramClientOptions, ScramRefusal } from '../sasl/scram-client.ts';
import type { ScramHash } from '../sasl/scram-keys.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { childElement, childElements, element, textOf } from '../stanza/xmpp-element.ts';
import { quoted, type ServerFailure } from './server-failure.ts';
import type { ServerFeatures } from './server-features.ts';
import type { ServerTls } from './server-tls.ts';

/** With what an account is logged in to; at least one of the two. */
export interface AccountCredentials {
  readonly password?: string | undefined;
  /**
   * The TLS layer shows a certificate. `names-account` where its one XmppAddr is the account, so
   * that the server finds the account by itself (XEP-0178 §2).
   */
  readonly certificate?: 'names-account' | 'names-another' | undefined;
}

/** The mechanisms that this program logs in with, best first. PLAIN is none of them. */
export type LoginMechanism =
  | 'EXTERNAL'
  | 'SCRAM-SHA-256-PLUS'
  | 'SCRAM-SHA-1-PLUS'
  | 'SCRAM-SHA-256'
  | 'SCRAM-SHA-1';

export interface ServerLoginOptions {
  readonly account: Jid;
  readonly credentials: AccountCredentials;
  readonly tls: ServerTls;
  readonly features: ServerFeatures;
  /** A former login went with this one; a weaker use of the password is refused. */
  readonly formerMechanism: LoginMechanism | undefined;
  /** A nonce that nobody can guess, for each SCRAM. */
  readonly nonce: () => string;
}

export type LoginStep =
  | { readonly type: 'send'; readonly element: XmppElement }
  | { readonly type: 'success'; readonly mechanism: LoginMechanism }
  | { readonly type: 'failure'; readonly failure: ServerFailure };

/**
 * The client's side of SASL on one stream (RFC 6120 §6): EXTERNAL where there is a certificate and
 * the server takes it, else SCRAM. The server has to prove that it knows the password, too. PLAIN
 * is never used: the server would see the password, and whoever strips the better mechanisms would
 * get it.
 */
export class ServerLogin {
  private readonly options: ServerLoginOptions;
  private readonly candidates: LoginMechanism[];
  private mechanism: LoginMechanism | undefined;
  private scram: ScramClient | undefined;
  private state: 'begun' | 'proved' | 'verified' = 'begun';

  constructor(options: ServerLoginOptions) {
    this.options = options;
    this.candidates = MECHANISMS.filter((mechanism) => this.isPossible(mechanism));
  }

  begin(): LoginStep {
    const mechanism = this.candidates.shift();
    if (mechanism === undefined) return failed(this.noMechanism());
    this.mechanism = mechanism;
    this.state = 'begun';
    if (mechanism === 'EXTERNAL') return authenticate(mechanism, this.authorizationIdentity());
    if (this.isWeaker(mechanism)) return failed(this.downgrade(mechanism));
    this.scram = new ScramClient(this.scramOptions(mechanism));
    return authenticate(mechanism, this.scram.firstMessage());
  }

  /** An element that came instead of the end of SASL. */
  handle(given: XmppElement): LoginStep {
    if (given.namespace !== SASL_NAMESPACE) return unexpected(given);
    if (given.name === 'challenge') return this.challenged(given);
    if (given.name === 'success') return this.succeeded(given);
    if (given.name === 'failure') return this.refused(given);
    return unexpected(given);
  }

  private challenged(given: XmppElement): LoginStep {
    const data = fromBase64(textOf(given).trim());
    const { scram } = this;
    if (data === undefined) return failed(protocol('its SASL challenge is not base64'));
    if (scram === undefined || this.mechanism === 'EXTERNAL') {
      // XEP-0178 §2: a server that overlooked the initial response asks for it.
      if (this.state !== 'begun') return unexpected(given);
      this.state = 'proved';
      return respond(utf8(this.authorizationIdentity()));
    }
    if (this.state === 'begun') {
      const answer = scram.finalMessage(data);
      if (answer instanceof ScramRefusal) return failed(protocol(answer.reason));
      this.state = 'proved';
      return respond(answer);
    }
    if (this.state === 'verified') return unexpected(given);
    // RFC 6120 §6.3.10: a server may send its last message before the success.
    const refusal = scram.verify(data);
    if (refusal !== undefined) return failed(protocol(refusal.reason));
    this.state = 'verified';
    return respond(NO_BYTES);
  }

  private succeeded(given: XmppElement): LoginStep {
    const { mechanism, scram } = this;
    if (mechanism === undefined) return unexpected(given);
    if (mechanism !== 'EXTERNAL' && this.state !== 'verified') {
      const data = fromBase64(textOf(given).trim()) ?? NO_BYTES;
      const refusal =
        scram === undefined || this.state !== 'proved'
          ? new ScramRefusal('the server did not prove that it knows the password')
          : scram.verify(data);
      if (refusal !== undefined) return failed(protocol(refusal.reason));
    }
    return { type: 'success', mechanism };
  }

  private refused(given: XmppElement): LoginStep {
    const condition = childElements(given).find(({ name }) => name !== 'text')?.name ?? 'unknown';
    const text = childElement(given, 'text')?.children.join('') ?? '';
    const canGoOn = this.mechanism === 'EXTERNAL' && this.candidates.length > 0;
    if (canGoOn) return this.begin();
    const { account } = this.options;
    const said = text === '' ? '' : ` ("${quoted(text)}")`;
    const what = this.mechanism === 'EXTERNAL' ? 'the certificate' : 'the password';
    const reason = `${account.domainpart} refuses ${what} for ${account.bare}: ${condition}${said}`;
    const code = TEMPORARY.includes(condition) ? 'stream-error' : 'credentials';
    return failed({ code, condition: quoted(condition), reason });
  }

  private isPossible(mechanism: LoginMechanism): boolean {
    const { features, credentials } = this.options;
    if (!features.mechanisms.has(mechanism)) return false;
    if (mechanism === 'EXTERNAL') return credentials.certificate !== undefined;
    if (credentials.password === undefined) return false;
    return !mechanism.endsWith('-PLUS') || this.binding() !== undefined;
  }

  /** The best binding that both ends know; without a list, what RFC 9266 and RFC 5929 say. */
  private binding(): { name: ChannelBindingName; data: Uint8Array } | undefined {
    const { tls, features } = this.options;
    const known: [ChannelBindingName, Uint8Array | undefined][] = [
      ['tls-exporter', tls.exporter],
      ['tls-unique', tls.unique],
      ['tls-server-end-point', tls.serverEndPoint],
    ];
    for (const [name, data] of known) {
      if (data === undefined) continue;
      if (features.channelBindings?.has(name) ?? true) return { name, data };
    }
    return undefined;
  }

  private scramOptions(mechanism: LoginMechanism): ScramClientOptions {
    const { account, credentials, features } = this.options;
    const hash: ScramHash = mechanism.includes('SHA-256') ? 'sha256' : 'sha1';
    const binding = this.binding();
    const isPlusOffered = [...features.mechanisms].some((name) => /^SCRAM-.*-PLUS$/.test(name));
    return {
      username: account.localpart ?? '',
      password: credentials.password ?? '',
      nonce: this.options.nonce(),
      hash,
      binding: mechanism.endsWith('-PLUS')
        ? boundBy(binding)
        : { type: isPlusOffered || binding === undefined ? 'impossible' : 'not-offered' },
    };
  }

  private authorizationIdentity(): string {
    const { account, credentials } = this.options;
    return credentials.certificate === 'names-account' ? '' : account.bare;
  }

  /** Whoever got in between later must not get by with less than the server once asked for. */
  private isWeaker(mechanism: LoginMechanism): boolean {
    const { formerMechanism } = this.options;
    if (formerMechanism === undefined || formerMechanism === 'EXTERNAL') return false;
    return MECHANISMS.indexOf(mechanism) > MECHANISMS.indexOf(formerMechanism);
  }

  private downgrade(mechanism: LoginMechanism): ServerFailure {
    const former = this.options.formerMechanism ?? '';
    const reason =
      `${this.options.account.domainpart} offered ${former} before and now no more than ` +
      `${mechanism}: somebody may be in between; restart if the server was set up anew`;
    return { code: 'mechanism', reason };
  }

  private noMechanism(): ServerFailure {
    const { account, credentials, features } = this.options;
    const offered = quoted([...features.mechanisms].join(', ')) || 'nothing';
    const wanted =
      credentials.password === undefined ? 'EXTERNAL, for a certificate' : 'SCRAM, for a password';
    const reason =
      `${account.domainpart} offers no login that is safe with these credentials: ` +
      `wanted is ${wanted}, offered is ${offered}`;
    return { code: 'mechanism', reason };
  }
}

function boundBy(
  binding: { name: ChannelBindingName; data: Uint8Array } | undefined,
): ScramClientOptions['binding'] {
  return binding === undefined ? { type: 'impossible' } : { type: 'bound', ...binding };
}

/** RFC 6120 §6.4.2: "=" stands for an initial response that is empty. */
function authenticate(mechanism: LoginMechanism, initial: Uint8Array | string): LoginStep {
  const data = toBase64(typeof initial === 'string' ? utf8(initial) : initial) || '=';
  return { type: 'send', element: element('auth', SASL_NAMESPACE, { mechanism }, [data]) };
}

function respond(data: Uint8Array): LoginStep {
  const children = data.length === 0 ? [] : [toBase64(data)];
  return { type: 'send', element: element('response', SASL_NAMESPACE, {}, children) };
}

function failed(failure: ServerFailure): LoginStep {
  return { type: 'failure', failure };
}

function protocol(reason: string): ServerFailure {
  return { code: 'protocol', reason };
}

function unexpected({ name }: XmppElement): LoginStep {
  return failed(protocol(`the server sent <${quoted(name)}/> within the login`));
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Binding to TLS keeps out whoever is in between, whatever the hash is, so it comes first. */
const MECHANISMS: readonly LoginMechanism[] = [
  'EXTERNAL',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
];
/** RFC 6120 §6.5: the same credentials may be right later. */
const TEMPORARY: readonly string[] = ['temporary-auth-failure', 'aborted'];
const NO_BYTES = new Uint8Array();
