/**
 * A process that makes a key, has it certified and saves both, again and again until it is killed;
 * every line on stdout is an identity that was saved. `node --import tsx identity-writer.ts DIRECTORY`
 */
import { createPublicKey } from 'node:crypto';
import { writeSync } from 'node:fs';
import { argv } from 'node:process';
import { makeLeaf, makeRoot } from '../../../sim/certificates/certificate-maker.ts';
import { pendingPrivateKey, saveIdentity } from '../../../src/host/identity-file.ts';

const [, , directory = ''] = argv;
const root = makeRoot();
for (;;) {
  const privateKey = await pendingPrivateKey(directory, 'p256');
  const leaf = makeLeaf(root, { key: { privateKey, publicKey: createPublicKey(privateKey) } });
  await saveIdentity(directory, { privateKey, chain: [leaf.certificate] });
  writeSync(1, 'saved\n');
}
