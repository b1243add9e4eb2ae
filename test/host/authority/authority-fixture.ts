import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { defaultAuthorityLimits } from '../../../src/host/authority/authority-limits.ts';
import {
  type RunningAuthority,
  type StartAuthorityOptions,
  startAuthority,
} from '../../../src/host/authority/authority-server.ts';
import {
  type InitializeOptions,
  initializeAuthority,
} from '../../../src/host/authority/initialization.ts';
import { type EnrollOptions, enroll } from '../../../src/host/enrollment/enrollment-client.ts';
import {
  encodeForm,
  type FormPart,
  formContentType,
} from '../../../src/host/enrollment/multipart.ts';
import { parseConfigurationDocument } from '../../../src/overlay-config/configuration-document.ts';
import { ConfigurationFault } from '../../../src/overlay-config/configuration-fault.ts';
import { trustInitialConfiguration } from '../../../src/overlay-config/configuration-trust.ts';
import { trustSettingsOf } from '../../../src/overlay-config/configuration-trust-settings.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';

export const OVERLAY = 'overlay.example.org';
export const JULIET = 'juliet@capulet.lit';
export const PASSWORD = 'wherefore art thou';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (let next = cleanups.pop(); next !== undefined; next = cleanups.pop()) await next();
});

/** Runs after the test, the last one first. */
export function afterTest(cleanup: () => Promise<unknown>): void {
  cleanups.push(cleanup);
}

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  afterTest(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The state of a new authority. */
export async function newAuthorityState(options: Partial<InitializeOptions> = {}): Promise<string> {
  const stateDirectory = join(await temporaryDirectory(), 'ca');
  await initializeAuthority({ stateDirectory, overlayName: OVERLAY, ...options });
  return stateDirectory;
}

/** Serves a state on a loopback port until the test is over. */
export async function serve(
  stateDirectory: string,
  options: Partial<StartAuthorityOptions> = {},
): Promise<RunningAuthority> {
  const listen = { host: '127.0.0.1', port: 0 };
  const authority = await startAuthority({ stateDirectory, listen, ...options });
  afterTest(() => authority.close());
  return authority;
}

/** One authority for all tests of a file, for those that leave it as they find it. */
export function sharedAuthority(): () => RunningAuthority {
  let authority: RunningAuthority | undefined;
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
    const stateDirectory = join(directory, 'ca');
    await initializeAuthority({ stateDirectory, overlayName: OVERLAY });
    authority = await startAuthority({ stateDirectory, listen: { host: '127.0.0.1', port: 0 } });
    await authority.addUser(JULIET, PASSWORD, 1_000);
  });
  afterAll(async () => {
    await authority?.close();
    await rm(directory, { recursive: true, force: true });
  });
  return () => {
    if (authority === undefined) throw new Error('the shared authority does not run yet');
    return authority;
  };
}

/** A new authority that serves and has the account of Juliet. */
export async function newAuthority(
  start: Partial<StartAuthorityOptions> = {},
  init: Partial<InitializeOptions> = {},
): Promise<RunningAuthority> {
  const authority = await serve(await newAuthorityState(init), start);
  await authority.addUser(JULIET, PASSWORD);
  return authority;
}

export const limits = defaultAuthorityLimits;

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One HTTPS request to an authority, whatever it is. */
export function ask(
  authority: RunningAuthority,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Uint8Array | string;
  } = {},
): Promise<RawAnswer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `https://127.0.0.1:${authority.listenAddress.port}${path}`,
      { method, headers, agent: false, ca: authority.trustedCertificates },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Posts a form to the enrollment server as another client would. */
export function postForm(
  authority: RunningAuthority,
  fields: Readonly<Record<string, string | Uint8Array>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const parts = Object.entries(fields).map(
    ([name, value]): FormPart => ({
      name,
      contentType: name === 'csr' ? 'application/pkcs10' : 'text/plain',
      value: new Uint8Array(Buffer.from(value)),
    }),
  );
  return ask(authority, '/enroll', {
    method: 'POST',
    body: encodeForm(parts, BOUNDARY),
    headers: {
      Accept: 'application/pkix-cert',
      'Content-Type': formContentType(BOUNDARY),
      ...headers,
    },
  });
}

/** The configuration as a peer trusts it, and its Authenticator. */
export async function configurationOf(authority: RunningAuthority) {
  const { body } = await ask(authority, '/.well-known/reload-config');
  const parsed = parseConfigurationDocument(new Uint8Array(body), authority.overlayName);
  if (parsed instanceof ConfigurationFault) throw new Error(parsed.describe());
  const configuration = trustInitialConfiguration(parsed);
  const authenticator = new Authenticator(trustSettingsOf(configuration));
  return { parsed, configuration, authenticator };
}

/** What Juliet's peer passes to `enroll`. */
export async function enrollOptions(authority: RunningAuthority): Promise<EnrollOptions> {
  const { configuration, authenticator } = await configurationOf(authority);
  return {
    url: authority.enrollmentUrl,
    trust: authority.trustedCertificates,
    overlayName: authority.overlayName,
    configuration,
    authenticator,
    userName: JULIET,
    password: PASSWORD,
  };
}

export async function enrollJuliet(
  authority: RunningAuthority,
  options: Partial<EnrollOptions> = {},
) {
  return enroll({ ...(await enrollOptions(authority)), ...options });
}

const OPENSSL = 'openssl';

/** Whether OpenSSL's command is here; where it is not, its tests are skipped, but not under CI. */
export const isOpensslMissing =
  process.env.CI !== 'true' && spawnSync(OPENSSL, ['version']).status !== 0;

export function openssl(args: readonly string[], input: Uint8Array | string = ''): string {
  const { status, stdout, stderr } = spawnSync(OPENSSL, args, { input });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr.toString()}`);
  return stdout.toString() + stderr.toString();
}

const BOUNDARY = 'a-boundary-that-nothing-has';
