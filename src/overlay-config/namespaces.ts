/** XML namespaces of a configuration document. */
export const ConfigurationNamespace = {
  /** RFC 6940 §11.1. */
  base: 'urn:ietf:params:xml:ns:p2p:config-base',
  /** RFC 6940 §11.1. */
  chord: 'urn:ietf:params:xml:ns:p2p:config-chord',
  /** RFC 7363 §7. */
  selfTuning: 'urn:ietf:params:xml:ns:p2p:self-tuning',
  /** Ours: `certificate-profile`, `xep-0416` or `rfc6940`. */
  extension: 'urn:xmpp-over-reload:config',
} as const;

/** What a `mandatory-extension` may name without keeping us out (RFC 6940 §11.1). */
export const SUPPORTED_NAMESPACES: ReadonlySet<string> = new Set(
  Object.values(ConfigurationNamespace),
);

/** The two namespaces whose names the grammar of RFC 6940 §11.1.1 fixes; all others are foreign. */
export function isGrammarNamespace(namespace: string): boolean {
  return namespace === ConfigurationNamespace.base || namespace === ConfigurationNamespace.chord;
}
