/** A client certificate as a list shows it; a server may not say all of it. */
export interface ShownCertificate {
  readonly name: string;
  readonly fingerprintSha256: string;
  readonly [field: string]: unknown;
}

/** What a file for `xor clientcert add` holds: PEM. */
export interface CertificateFile {
  readonly type: 'certificate' | 'signingRequest';
  readonly pem: string;
}

/** Whose list of client certificates a command is about: that of the own peer, or of a server. */
export interface ClientCertificateTarget {
  /** Rejects with a sentence, as the others do. */
  add(name: string, file: CertificateFile, noCertManagement: boolean): Promise<ShownCertificate>;
  list(): Promise<readonly ShownCertificate[]>;
  disable(name: string): Promise<ShownCertificate>;
  revoke(name: string): Promise<ShownCertificate>;
  close(): Promise<void>;
}
