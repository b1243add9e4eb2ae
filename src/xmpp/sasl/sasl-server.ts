import type { RandomSource } from '../../reload/peer-options.ts';
import type { BareJid, Jid, Resourcepart } from '../../xmpp-address/jid.ts';
import { CHANNEL_BINDING_NAMESPACE } from '../stanza/namespaces.ts';
import { element, textOf, type XmppElement } from '../stanza/xmpp-element.ts';
import type { ScramCredential } from '../xmpp-input.ts';
import { fromBase64, toBase64 } from './base64.ts';
import type { ChannelBindings } from './channel-binding.ts';
import type { AcceptedClientCertificate } from './client-certificate.ts';
import { EXTERNAL, ExternalServer } from './external.ts';
import type { PasswordLockout } from './password-lockout.ts';
import { SCRAM_NONCE_LENGTH } from './sasl-limits.ts';
import {
  SASL_NAMESPACE,
  type SaslFailure,
  type SaslMechanism,
  type SaslStep,
  saslFailure,
} from './sasl-step.ts';
import { SCRAM, SCRAM_PLUS, ScramServer } from './scram-server.ts';

export interface SaslServerOptions {
  readonly user: Jid;
  /** Undefined: no password is set. */
  readonly credential: ScramCredential | undefined;
  readonly bindings: ChannelBindings;
  /** What the client showed in TLS, if it counts; undefined: EXTERNAL is not offered. */
  readonly certificate: AcceptedClientCertificate | undefined;
  readonly random: RandomSource;
  readonly lockout: PasswordLockout;
}

/** What the server's side answers, and whether that is the end. */
export interface SaslReply {
  readonly answer: XmppElement;
  readonly outcome:
    | { readonly type: 'continues' }
    | {
        readonly type: 'success';
        readonly user: BareJid;
        readonly mechanism: string;
        /** The only one that may be bound; undefined: any. */
        readonly resource: Resourcepart | undefined;
      }
    | { readonly type: 'failure'; readonly failure: SaslFailure };
}

type MechanismName = typeof EXTERNAL | typeof SCRAM | typeof SCRAM_PLUS;

/** SASL over one connection as the server (RFC 6120 §6): one handshake after the other. */
export class SaslServer {
  private readonly options: SaslServerOptions;
  private handshake: Handshake | undefined;

  constructor(options: SaslServerOptions) {
    this.options = options;
  }

  /** What is offered, the strongest first; EXTERNAL before all others (RFC 6120 §6.3.4). */
  get mechanisms(): readonly MechanismName[] {
    const { certificate, credential, bindings } = this.options;
    const offered: MechanismName[] = [];
    if (certificate !== undefined) offered.push(EXTERNAL);
    if (credential === undefined) return offered;
    if (bindings.size > 0) offered.push(SCRAM_PLUS);
    return [...offered, SCRAM];
  }

  /** `<mechanisms/>`, and which channel bindings go with -PLUS (XEP-0440). */
  features(): XmppElement[] {
    const { mechanisms } = this;
    const names = mechanisms.map((name) => element('mechanism', SASL_NAMESPACE, {}, [name]));
    const features = [element('mechanisms', SASL_NAMESPACE, {}, names)];
    if (mechanisms.includes(SCRAM_PLUS)) {
      const announced = [...this.options.bindings.keys()].filter((type) => type !== 'tls-unique');
      const types = announced.map((type) =>
        element('channel-binding', CHANNEL_BINDING_NAMESPACE, { type }),
      );
      features.push(element('sasl-channel-binding', CHANNEL_BINDING_NAMESPACE, {}, types));
    }
    return features;
  }

  /** Answers `<auth/>`, `<response/>` or `<abort/>`. */
  take(given: XmppElement, nowMs: number): SaslReply {
    switch (given.name) {
      case 'auth':
        return this.begin(given, nowMs);
      case 'response':
        return this.goOn(given, nowMs);
      case 'abort':
        return this.fail(saslFailure('aborted', 'the client gave up'));
      default:
        return this.fail(saslFailure('malformed-request', `unknown element ${given.name}`));
    }
  }

  /** RFC 6120 §6.4.2: a new handshake takes the place of one that is not complete. */
  private begin(given: XmppElement, nowMs: number): SaslReply {
    const wanted = given.attributes.get('mechanism') ?? '';
    const name = this.mechanisms.find((offered) => offered === wanted);
    if (name === undefined) {
      return this.fail(saslFailure('invalid-mechanism', `${wanted} is not offered`));
    }
    this.handshake = { name, mechanism: this.mechanismOf(name), responses: 0 };
    // RFC 6120 §6.3.10: all of them begin with the client; without its response it is asked.
    if (textOf(given) === '') return continuing(new Uint8Array());
    return this.goOn(given, nowMs);
  }

  private goOn(given: XmppElement, nowMs: number): SaslReply {
    const { handshake } = this;
    if (handshake === undefined) {
      return this.fail(saslFailure('malformed-request', 'no handshake is under way'));
    }
    const text = textOf(given);
    const data = fromBase64(text === '=' ? '' : text);
    if (data === undefined) return this.fail(saslFailure('incorrect-encoding', 'no base64'));
    const step = this.respond(handshake, data, nowMs);
    if (step.type === 'challenge') return continuing(step.data);
    if (step.type === 'failure') return this.fail(step);
    this.handshake = undefined;
    const { user, resource } = step;
    const encoded = step.data === undefined ? [] : [encodedData(step.data)];
    return {
      answer: element('success', SASL_NAMESPACE, {}, encoded),
      outcome: { type: 'success', user, mechanism: handshake.name, resource },
    };
  }

  private respond(handshake: Handshake, data: Uint8Array, nowMs: number): SaslStep {
    const { lockout } = this.options;
    if (handshake.name === EXTERNAL) return handshake.mechanism.respond(data);
    // It is asked at each step: many handshakes could be begun at once, and then be completed.
    if (lockout.waitMs(nowMs) > 0) {
      return saslFailure('temporary-auth-failure', 'there were too many wrong passwords');
    }
    const step = handshake.mechanism.respond(data);
    handshake.responses += 1;
    if (step.type === 'success') lockout.clear();
    const wasProof = handshake.responses > 1;
    if (wasProof && step.type === 'failure' && step.condition === 'not-authorized') {
      lockout.fail(nowMs);
    }
    return step;
  }

  private fail(failure: SaslFailure): SaslReply {
    this.handshake = undefined;
    const condition = element(failure.condition, SASL_NAMESPACE);
    return {
      answer: element('failure', SASL_NAMESPACE, {}, [condition]),
      outcome: { type: 'failure', failure },
    };
  }

  private mechanismOf(name: MechanismName): SaslMechanism {
    const { user, certificate, credential, bindings, random } = this.options;
    if (name === EXTERNAL && certificate !== undefined)
      return new ExternalServer(user, certificate);
    if (name === EXTERNAL || credential === undefined) {
      throw new Error(`${name} was offered without what it needs`);
    }
    const nonce = toBase64(random.bytes(SCRAM_NONCE_LENGTH));
    return new ScramServer({ mechanism: name, user, credential, bindings, nonce });
  }
}

interface Handshake {
  readonly name: MechanismName;
  readonly mechanism: SaslMechanism;
  /** Responses so far. */
  responses: number;
}

function continuing(data: Uint8Array): SaslReply {
  const encoded = data.length === 0 ? [] : [encodedData(data)];
  return {
    answer: element('challenge', SASL_NAMESPACE, {}, encoded),
    outcome: { type: 'continues' },
  };
}

/** RFC 6120 §6.4.6: no bytes at all are written as an equals sign. */
function encodedData(data: Uint8Array): string {
  return data.length === 0 ? '=' : toBase64(data);
}

/** XEP-0440. */
