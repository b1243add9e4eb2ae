import { describe, expect, it, vi } from 'vitest';
import { loadIdentity, saveIdentity } from '../../../src/host/identity-file.ts';
import { silentLog } from '../../../src/host/log.ts';
import { obtainIdentity, signerOf } from '../../../src/host/peer-identity.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import {
  afterTest,
  configurationOf,
  enrollJuliet,
  JULIET,
  newAuthority,
  PASSWORD,
  temporaryDirectory,
} from '../authority/authority-fixture.ts';

const DAY_MS = 86_400_000;

/** A state directory whose certificate, for a day, was issued three days ago. */
async function wasOff() {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3 * DAY_MS });
  afterTest(async () => vi.useRealTimers());
  const nowUnixMs = () => Date.now();
  const authority = await newAuthority({ nowUnixMs }, { certificateDays: 1 });
  const identity = await enrollJuliet(authority);
  const directory = await temporaryDirectory();
  await saveIdentity(directory, identity);
  const { configuration } = await configurationOf(authority);
  vi.useRealTimers();
  const { authenticator } = await configurationOf(authority);
  const options = {
    stateDirectory: directory,
    configuration,
    authenticator,
    trust: authority.trustedCertificates,
    log: silentLog,
    signal: undefined,
  };
  return { identity, directory, options };
}

describe('a peer that was off until its certificate had ended', () => {
  it('enrolls again with its password, and is the same node with the same key', async () => {
    const { identity, directory, options } = await wasOff();
    const password = vi.fn(async () => PASSWORD);
    const source = { from: 'enrollment', userName: JULIET, password } as const;
    const obtained = await obtainIdentity({ ...options, source });
    const signer = signerOf(obtained, options.authenticator, Date.now());
    expect(signer.nodeId).toBe(identity.node.nodeId);
    expect(obtained.privateKey.equals(identity.privateKey)).toBe(true);
    const held = await loadIdentity(directory);
    expect(held?.chain).toEqual(obtained.chain.map((der) => new Uint8Array(der)));
    // And not a second time.
    await obtainIdentity({ ...options, source });
    expect(password).toHaveBeenCalledTimes(1);
  });

  it('is told to without a password', async () => {
    const { options } = await wasOff();
    const held = await obtainIdentity({ ...options, source: undefined });
    const authenticator = new Authenticator(options.authenticator.trustSettings);
    expect(() => signerOf(held, authenticator, Date.now())).toThrow('the Node-ID stays');
  });
});
