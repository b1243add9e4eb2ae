import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prepareAccountName } from '../../../src/ca/account-name.ts';
import { leafCertificateContent, validityFrom } from '../../../src/ca/certificate-content.ts';
import { certificatesOf } from '../../../src/host/authority/authority-hierarchy.ts';
import { certifyKey } from '../../../src/host/authority/authority-keys.ts';
import { keyPairOf } from '../../../src/host/authority/signing-key.ts';
import { initializeSubordinate } from '../../../src/host/authority/subordinate.ts';
import { renew } from '../../../src/host/enrollment/enrollment-client.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import {
  enrollJuliet,
  enrollOptions,
  newAuthorityState,
  OVERLAY,
  serve,
  temporaryDirectory,
} from './authority-fixture.ts';

const DOMAIN = 'shakespeare.lit';

/** The root, and what the authority of a domain below it can sign with its key, by no rule. */
async function rootAndHostile() {
  const rootState = await newAuthorityState();
  const root = await serve(rootState);
  const stateDirectory = join(await temporaryDirectory(), 'hostile');
  await initializeSubordinate(
    { stateDirectory, name: 'hostile', domain: DOMAIN },
    { stateDirectory: rootState },
  );
  const key = keyPairOf(
    createPrivateKey(await readFile(join(stateDirectory, 'authority-key.pem'))),
  );
  const chain = certificatesOf(await readFile(join(stateDirectory, 'authority.pem'), 'utf8'));
  const leaf = async (jid: string, nodeId: NodeId, serialNumber: string) => {
    const own = keyPairOf(await generatePrivateKey('p256'));
    const userName = prepareAccountName(jid, 'xep-0416');
    if (typeof userName !== 'string') throw new Error(userName.reason);
    const content = leafCertificateContent(
      'xep-0416',
      { overlayName: OVERLAY, userName, nodeIds: [nodeId] },
      `hostile ${DOMAIN}`,
      serialNumber,
      validityFrom(Date.now(), 30, Number.MAX_SAFE_INTEGER),
      `${root.url}/crl/ca.crl`,
    );
    const { certificate } = await certifyKey(own, content, key);
    return { privateKey: own.privateKey, chain: [certificate, ...chain] };
  };
  return { root, leaf };
}

it('XEP-0416 §4: the authority of a domain makes nobody of another domain', async () => {
  const { root, leaf } = await rootAndHostile();
  await root.addUser('juliet@capulet.lit', 'a password');
  const { node } = await enrollJuliet(root, { password: 'a password' });
  const { chain } = await leaf('juliet@capulet.lit', node.nodeId, '4001');
  const { authenticator } = await enrollOptions(root);
  const [forged = new Uint8Array(), ...pool] = chain;
  const answer = authenticator.authenticate(forged, pool, Date.now());
  expect(answer).toBeInstanceOf(CertificateRefusal);
  expect((answer as CertificateRefusal).rule).toMatch(/^XEP-0416 §4 /);
});

it('gets no certificate of the root for a node of the root, whatever it signs', async () => {
  const { root, leaf } = await rootAndHostile();
  await root.addUser('juliet@capulet.lit', 'a password');
  const { node } = await enrollJuliet(root, { password: 'a password' });
  // Within its own domain it can name any Node-ID and any serial number.
  const { serialNumber } = node.certificate;
  const identity = await leaf(`bard@${DOMAIN}`, node.nodeId, serialNumber);
  const options = await enrollOptions(root);
  await expect(renew({ ...options, identity })).rejects.toMatchObject({
    code: 'failed_authentication',
  });
  const before = await root.list();
  expect(before.certificates.filter(({ nodeIds }) => nodeIds.includes(node.nodeId))).toHaveLength(
    1,
  );
});
