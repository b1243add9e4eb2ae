/** What both ends know of the TLS connection with a server, seen from the client. */
export interface ServerTls {
  /** RFC 5929 `tls-server-end-point`; undefined where its hash is not defined. */
  readonly serverEndPoint: Uint8Array | undefined;
  /** RFC 9266 `tls-exporter`; undefined below TLS 1.3. */
  readonly exporter: Uint8Array | undefined;
  /** RFC 5929 `tls-unique`; undefined from TLS 1.3 on. */
  readonly unique: Uint8Array | undefined;
}
