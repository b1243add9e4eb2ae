/**
 * An authority in a process of its own, to be killed: `issuing-process.ts STATE [DATABASE]`. Once a
 * line has come to its stdin it issues without end and prints each certificate that a client would
 * have received by then. The pipe is the client: what was written to it before a kill arrives.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { Authority } from '../../../src/host/authority/authority.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import { encodeSigningRequest } from '../../../src/host/enrollment/enrollment-request.ts';
import { parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';

const [, , stateDirectory = '', database] = process.argv;
const [line] = (await once(process.stdin, 'data')) as [Buffer];
const { userNames } = JSON.parse(line.toString()) as { readonly userNames: readonly string[] };
const authority = await Authority.open(stateDirectory, { database });

async function issueForever(worker: number): Promise<void> {
  for (let count = worker; ; count++) {
    const userName = userNames[count % userNames.length] ?? '';
    const request = encodeSigningRequest(await generatePrivateKey('p256'), userName);
    const applicant = { userName, device: undefined };
    const outcome = await authority.issuer.certify(applicant, request, undefined);
    if (outcome.type !== 'certificate') continue;
    const certificate = parseCertificate(outcome.der);
    if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
    const { serialNumber, sha256 } = certificate;
    const [nodeId] = outcome.nodeIds;
    writeSync(process.stdout.fd, `${JSON.stringify({ serialNumber, sha256, nodeId })}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, (_, worker) => issueForever(worker)));
