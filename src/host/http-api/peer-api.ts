import { randomBytes, X509Certificate } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import type { SocketAddress } from '../socket-address.ts';
import { writeSecret } from '../state/state-directory.ts';
import { HttpApi } from './http-api.ts';
import type { ServedPeer } from './http-api-routes.ts';

/** Files of the state directory by which commands find the API of a running peer. */
export const API_URL_FILE = 'api-url';
export const API_TOKEN_FILE = 'api-token';

export interface PeerApiOptions {
  readonly stateDirectory: string;
  readonly listen: SocketAddress;
  readonly log: Log;
  /** PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** The HTTP API of a peer, findable by its state directory while it is open. */
export class PeerApi {
  readonly url: string;
  private readonly api: HttpApi;
  private readonly urlFile: string;

  static async open(host: ServedPeer, options: PeerApiOptions): Promise<PeerApi> {
    const { stateDirectory, listen, log, tls } = options;
    const token = await obtainToken(join(stateDirectory, API_TOKEN_FILE));
    const api = await HttpApi.open({
      host,
      listen,
      token,
      log,
      ...(tls === undefined ? {} : { tls: { ...tls, names: certificateNames(tls.certificate) } }),
    });
    const urlFile = join(stateDirectory, API_URL_FILE);
    await writeSecret(urlFile, `${api.url}\n`);
    return new PeerApi(api, urlFile);
  }

  private constructor(api: HttpApi, urlFile: string) {
    this.api = api;
    this.urlFile = urlFile;
    this.url = api.url;
  }

  async close(): Promise<void> {
    await rm(this.urlFile, { force: true });
    await this.api.close();
  }
}

/** The token of this state directory; made once, so that scripts can keep it. */
async function obtainToken(path: string): Promise<string> {
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (token.length >= TOKEN_LENGTH_MIN) return token;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  await writeSecret(path, `${token}\n`);
  return token;
}

/** The DNS names and IP addresses of a certificate, by which clients may call the API. */
function certificateNames(pem: string): string[] {
  const names = new X509Certificate(pem).subjectAltName ?? '';
  return [...names.matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map((match) => match[1] ?? '');
}

const TOKEN_BYTES = 32;
const TOKEN_LENGTH_MIN = 32;
