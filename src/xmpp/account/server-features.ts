import { SASL_NAMESPACE } from '../sasl/sasl-step.ts';
import { BIND_NAMESPACE, CHANNEL_BINDING_NAMESPACE, TLS_NAMESPACE } from '../stanza/namespaces.ts';
import { childElement, childElements, textOf, type XmppElement } from '../stanza/xmpp-element.ts';
import { STREAM_MANAGEMENT_NAMESPACE } from '../stream/stream-management.ts';

/** What a server offers on a stream (RFC 6120 §4.3.2). */
export interface ServerFeatures {
  readonly startTls: boolean;
  /** Names of SASL mechanisms (§6.3.3). */
  readonly mechanisms: ReadonlySet<string>;
  /** Types of channel binding (XEP-0440); undefined where the server does not tell them. */
  readonly channelBindings: ReadonlySet<string> | undefined;
  readonly bind: boolean;
  readonly streamManagement: boolean;
}

export function readServerFeatures(features: XmppElement): ServerFeatures {
  const bindings = childElement(features, 'sasl-channel-binding', CHANNEL_BINDING_NAMESPACE);
  return {
    startTls: childElement(features, 'starttls', TLS_NAMESPACE) !== undefined,
    mechanisms: new Set(mechanismsOf(childElement(features, 'mechanisms', SASL_NAMESPACE))),
    channelBindings: bindings === undefined ? undefined : new Set(typesOf(bindings)),
    bind: childElement(features, 'bind', BIND_NAMESPACE) !== undefined,
    streamManagement: childElement(features, 'sm', STREAM_MANAGEMENT_NAMESPACE) !== undefined,
  };
}

function mechanismsOf(mechanisms: XmppElement | undefined): string[] {
  if (mechanisms === undefined) return [];
  return childElements(mechanisms)
    .filter(({ name, namespace }) => name === 'mechanism' && namespace === SASL_NAMESPACE)
    .map((mechanism) => textOf(mechanism).trim());
}

function typesOf(bindings: XmppElement): string[] {
  return childElements(bindings)
    .filter(({ name }) => name === 'channel-binding')
    .map(({ attributes }) => attributes.get('type') ?? '');
}
