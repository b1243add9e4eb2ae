import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { initializeAuthority } from '../../../src/host/authority/initialization.ts';
import {
  completeSubordinate,
  initializeSubordinate,
  signAuthorityRequest,
} from '../../../src/host/authority/subordinate.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import { verifyKindBlocks } from '../../../src/overlay-config/kind-trust.ts';
import { BUILT_IN_KINDS } from '../../../src/overlay-config/registered-kinds.ts';
import {
  configurationOf,
  enrollJuliet,
  JULIET,
  newAuthorityState,
  OVERLAY,
  PASSWORD,
  serve,
  temporaryDirectory,
} from './authority-fixture.ts';
import { ModuleKey } from './module-key.ts';

async function moduleKeys(keyType: 'p256' | 'p384' | 'rsa') {
  const newKey = async () => new ModuleKey(await generatePrivateKey(keyType));
  return {
    issuer: await newKey(),
    configurationSigner: await newKey(),
    kindSigner: await newKey(),
  };
}

const privateKeysIn = async (state: string) =>
  (await readdir(state)).filter((file) => file.endsWith('-key.pem')).toSorted();

describe.each(['p256', 'p384', 'rsa'] as const)(
  'an authority with its keys (%s) in a hardware module',
  (keyType) => {
    let state: string;
    let signingKeys: Awaited<ReturnType<typeof moduleKeys>>;
    beforeEach(async () => {
      state = join(await temporaryDirectory(), 'ca');
      signingKeys = await moduleKeys(keyType);
      await initializeAuthority({ stateDirectory: state, overlayName: OVERLAY, signingKeys });
    });

    it('has only the keys of its web server in files', async () => {
      expect(await privateKeysIn(state)).toEqual(['https-root-key.pem', 'https-server-key.pem']);
    });

    it('signs certificates, lists, the configuration and its Kinds there', async () => {
      const authority = await serve(state, { signingKeys });
      const { configuration, parsed } = await configurationOf(authority);
      expect(configuration.configurationSigners).toHaveLength(1);
      const kindSigners = verifyKindBlocks(parsed, Date.now());
      expect(kindSigners).toBeInstanceOf(Map);
      expect(signingKeys.configurationSigner.signatures).toBe(1);
      expect(signingKeys.kindSigner.signatures).toBe(BUILT_IN_KINDS.size);
      await authority.addUser(JULIET, PASSWORD);
      const before = signingKeys.issuer.signatures;
      await enrollJuliet(authority);
      expect(signingKeys.issuer.signatures).toBe(before + 1);
    });

    it('an answer of the module that is no signature is not published', async () => {
      const authority = await serve(state, { signingKeys });
      const sequence = authority.configurationSequence;
      signingKeys.configurationSigner.isBroken = true;
      const next = authority.setBootstrap([{ host: '192.0.2.1', port: 6084 }]);
      await expect(next).rejects.toThrow('no signature of the key');
      expect(authority.configurationSequence).toBe(sequence);
      const kind = [...BUILT_IN_KINDS.values()][0];
      signingKeys.kindSigner.isBroken = true;
      if (kind === undefined) throw new Error('there is no Kind');
      await expect(authority.signKind(kind)).rejects.toThrow('no signature of the key');
      signingKeys.configurationSigner.isBroken = false;
      await authority.setBootstrap([{ host: '192.0.2.1', port: 6084 }]);
      expect(authority.configurationSequence).toBe((sequence ?? 0) + 1);
    });
  },
);

describe('an authority below another one with its key in a hardware module', () => {
  it('is certified by request, and issues', async () => {
    const rootState = await newAuthorityState();
    await serve(rootState);
    const state = join(await temporaryDirectory(), 'ca-below');
    const issuer = new ModuleKey(await generatePrivateKey('p256'));
    const signingKeys = { issuer };
    const { requestFile } = await initializeSubordinate(
      { stateDirectory: state, overlayName: OVERLAY, name: 'below', signingKeys },
      undefined,
    );
    expect(await privateKeysIn(state)).toEqual(['https-root-key.pem', 'https-server-key.pem']);
    const request = await readFile(requestFile, 'utf8');
    const pem = await signAuthorityRequest({ stateDirectory: rootState }, request, undefined);
    await completeSubordinate(state, pem, { signingKeys });
    const authority = await serve(state, { signingKeys });
    await authority.addUser(JULIET, PASSWORD);
    expect(issuer.signatures).toBeGreaterThan(1);
  });
});
