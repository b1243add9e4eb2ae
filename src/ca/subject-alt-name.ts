/** One name of a subjectAltName — RFC 5280 §4.2.1.6. */
export interface SubjectAltName {
  readonly type: 'uri' | 'xmppAddr' | 'rfc822Name' | 'dnsName' | 'ipAddress';
  readonly value: string;
}
