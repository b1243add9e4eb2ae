/** Namespaces that several parts of XMPP speak; what one part alone speaks, it declares itself. */

/** XEP-0199. */
export const PING_NAMESPACE = 'urn:xmpp:ping';
/** XEP-0030 §3. */
export const DISCO_INFO_NAMESPACE = 'http://jabber.org/protocol/disco#info';
/** XEP-0030 §4. */
export const DISCO_ITEMS_NAMESPACE = 'http://jabber.org/protocol/disco#items';
/** XEP-0203. */
export const DELAY_NAMESPACE = 'urn:xmpp:delay';
/** XEP-0060. */
export const PUBSUB_NAMESPACE = 'http://jabber.org/protocol/pubsub';
/** XEP-0004. */
export const DATA_FORM_NAMESPACE = 'jabber:x:data';
/** RFC 6121 §2. */
export const ROSTER_NAMESPACE = 'jabber:iq:roster';
/** RFC 6120 §5. */
export const TLS_NAMESPACE = 'urn:ietf:params:xml:ns:xmpp-tls';
/** RFC 6120 §7. */
export const BIND_NAMESPACE = 'urn:ietf:params:xml:ns:xmpp-bind';
/** RFC 3921 §3. */
export const SESSION_NAMESPACE = 'urn:ietf:params:xml:ns:xmpp-session';
/** XEP-0440. */
export const CHANNEL_BINDING_NAMESPACE = 'urn:xmpp:sasl-cb:0';
/** XEP-0257. */
export const SASLCERT_NAMESPACE = 'urn:xmpp:saslcert:1';
