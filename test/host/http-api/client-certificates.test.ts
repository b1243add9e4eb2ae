import { describe, expect, test } from 'vitest';
import { makeRoot } from '../../../sim/certificates/certificate-maker.ts';
import {
  addedCertificateJson,
  clientCertificatesJson,
  unusableCertificateJson,
} from '../../../src/host/http-api/client-certificates.ts';
import { HttpProblem } from '../../../src/host/http-api/http-problem.ts';
import {
  type CertificateCommand,
  type CertificateOutcome,
  type ListedCertificate,
  refused,
} from '../../../src/xmpp/client-certificates/certificate-command.ts';
import {
  certificateOf,
  registered,
} from '../../../src/xmpp/client-certificates/registered-certificate.ts';

const DER = makeRoot().certificate;

function listed(): ListedCertificate {
  const certificate = certificateOf(DER);
  if (certificate === undefined) throw new Error('no certificate');
  const said = { name: 'Phone', source: 'upload', state: 'active', mayManage: false } as const;
  const times = { addedUnixMs: 0, lastUsedUnixMs: undefined };
  return { ...registered(certificate, { ...said, ...times }), isExpired: true, users: ['street'] };
}

/** A peer that answers the same to everything, and what it was asked. */
function peer(outcome: CertificateOutcome | undefined) {
  const asked: CertificateCommand[] = [];
  const manageCertificates = (command: CertificateCommand) => {
    asked.push(command);
    return outcome === undefined ? undefined : Promise.resolve(outcome);
  };
  return { asked, manageCertificates };
}

const body = (value: unknown) => Buffer.from(JSON.stringify(value));
const fine = () => peer({ ok: true, certificates: [listed()] });

async function problemOf(answer: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HttpProblem)) throw new Error(`no problem: ${String(error)}`);
  return error.body();
}

describe('/v1/client-certificates', () => {
  test('each certificate with all that is known of it', async () => {
    expect(await clientCertificatesJson(fine())).toEqual([
      {
        name: 'Phone',
        fingerprintSha256: listed().fingerprint,
        source: 'upload',
        state: 'expired',
        noCertManagement: true,
        added: '1970-01-01T00:00:00.000Z',
        lastUsed: null,
        notBefore: '2025-01-01T00:00:00.000Z',
        notAfter: '2035-01-01T00:00:00.000Z',
        addresses: [],
        users: ['street'],
        pem: expect.stringContaining('-----BEGIN CERTIFICATE-----'),
      },
    ]);
  });

  test('a certificate or a request is added in PEM or in base64', async () => {
    const host = fine();
    const pem = '-----BEGIN CERTIFICATE-----\nAQ\nID\n-----END CERTIFICATE-----\n';
    await addedCertificateJson(host, body({ name: 'A', certificate: pem }));
    const signingRequest = 'AQID';
    await addedCertificateJson(host, body({ name: 'B', signingRequest, noCertManagement: true }));
    expect(host.asked).toEqual([
      { type: 'add', name: 'A', certificate: '\nAQ\nID\n', mayManage: true },
      { type: 'issue', name: 'B', signingRequest, mayManage: false },
    ]);
  });

  test('disabled and revoked by name or fingerprint', async () => {
    const host = fine();
    await unusableCertificateJson(host, 'disable', body({ name: 'A' }));
    await unusableCertificateJson(host, 'revoke', body({ fingerprint: 'ABCD' }));
    expect(host.asked).toEqual([
      { type: 'disable', which: { name: 'A' } },
      { type: 'revoke', which: { fingerprint: 'abcd' } },
    ]);
  });

  test.each([
    ['no JSON', Buffer.from('{')],
    ['bytes that are no UTF-8', Buffer.of(0xff)],
    ['a list', body([])],
    ['no name', body({ certificate: 'AQID' })],
    ['neither a certificate nor a request', body({ name: 'A' })],
    ['both', body({ name: 'A', certificate: 'AQID', signingRequest: 'AQID' })],
    ['a flag that is none', body({ name: 'A', certificate: 'AQID', noCertManagement: 'yes' })],
  ])('%s is refused with 400', async (_, given) => {
    const host = fine();
    expect(await problemOf(addedCertificateJson(host, given))).toMatchObject({
      status: 400,
      code: 'bad-request',
    });
    expect(host.asked).toEqual([]);
  });

  test('what is meant has to be said in one way', async () => {
    for (const given of [{}, { name: 'A', fingerprint: 'B' }, { name: 1 }]) {
      const answer = unusableCertificateJson(fine(), 'revoke', body(given));
      expect(await problemOf(answer)).toMatchObject({ status: 400 });
    }
  });

  test.each([
    ['not-acceptable', 400],
    ['not-allowed', 403],
    ['item-not-found', 404],
    ['conflict', 409],
    ['resource-constraint', 503],
    ['internal-server-error', 500],
  ] as const)('%s of the register is answered by %i and its name', async (condition, status) => {
    const host = peer(refused(condition, 'because'));
    const answer = addedCertificateJson(host, body({ name: 'A', certificate: 'AQID' }));
    expect(await problemOf(answer)).toMatchObject({ status, code: condition, detail: 'because' });
  });

  test('a peer without XMPP has none', async () => {
    expect(await problemOf(clientCertificatesJson(peer(undefined)))).toMatchObject({
      status: 409,
      code: 'no-xmpp',
    });
  });
});
