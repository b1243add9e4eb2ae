import type { KeyObject } from 'node:crypto';
import {
  makeLeaf,
  makeRoot,
  type TestAuthority as RootAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import { generalName, subjectAltName } from '../../sim/certificates/extension-maker.ts';
import { entryOf, makeList } from '../../sim/certificates/revocation-list-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { createSigner, type Signer } from '../../src/tls-auth/signer.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { testTrustSettings } from '../tls-auth/test-node.ts';

export interface TestCertificate {
  readonly der: Uint8Array;
  readonly privateKey: KeyObject;
}

/** A time at which the certificates made here are valid. */
export const TEST_TIME_UNIX_MS = Date.UTC(2026, 5, 1);
/** Further than the clock of any machine that runs these tests over real TLS. */
const NOT_AFTER_UNIX_MS = Date.UTC(2049, 0, 1);

/** The authority of one overlay, with whoever signs its configuration. */
export class TestAuthority {
  readonly overlayName: string;
  readonly root: TestCertificate;
  private readonly authority: RootAuthority;

  constructor(overlayName: string) {
    this.overlayName = overlayName;
    const change = () => ({ notAfterUnixMs: NOT_AFTER_UNIX_MS });
    this.authority = makeRoot({ name: `Root of ${overlayName}`, change });
    const { certificate, key } = this.authority;
    this.root = { der: certificate, privateKey: key.privateKey };
  }

  /** A leaf for `jid` and `nodeId`. */
  issue(jid: string, nodeId: string, notAfterUnixMs = NOT_AFTER_UNIX_MS): TestCertificate {
    const { certificate, key } = makeLeaf(this.authority, {
      jid,
      nodeId: nodeId as NodeId,
      overlayName: this.overlayName,
      change: () => ({ notAfterUnixMs }),
    });
    return { der: certificate, privateKey: key.privateKey };
  }

  /** The certificate of an HTTPS server with these DNS names. */
  issueServer(...dnsNames: string[]): TestCertificate {
    const { certificate, key } = makeLeaf(this.authority, {
      change: ({ extensions }) => ({
        notAfterUnixMs: NOT_AFTER_UNIX_MS,
        extensions: {
          ...extensions,
          subjectAltName: subjectAltName(dnsNames.map((name) => generalName.dnsName(name))),
        },
      }),
    });
    return { der: certificate, privateKey: key.privateKey };
  }

  /** A signer whose Node-ID is 16 times `byte`. */
  signer(byte: number, notAfterUnixMs = NOT_AFTER_UNIX_MS): Signer {
    const nodeId = Buffer.alloc(16, byte).toString('hex') as NodeId;
    const leaf = this.issue(`signer${byte}@${this.overlayName}`, nodeId, notAfterUnixMs);
    const node = this.authenticator().authenticate(leaf.der, [], TEST_TIME_UNIX_MS);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    return createSigner(node, nodeId, leaf.privateKey);
  }

  /** The revocation list that names this signer, current at TEST_TIME_UNIX_MS. */
  listThatRevokes({ node }: Signer): Uint8Array {
    const serialNumber = BigInt(`0x${node.certificate.serialNumber}`);
    return makeList(this.authority, [entryOf(serialNumber, 'keyCompromise')], () => ({
      thisUpdateUnixMs: TEST_TIME_UNIX_MS - 1000,
      nextUpdateUnixMs: TEST_TIME_UNIX_MS + 86_400_000,
    }));
  }

  /** Trusts this authority alone. */
  authenticator(): Authenticator {
    const { overlayName } = this;
    return new Authenticator(testTrustSettings([this.authority], { overlayName }));
  }
}
