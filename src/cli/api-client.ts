import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { API_TOKEN_FILE, API_URL_FILE } from '../host/http-api/peer-api.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { DEFAULT_OVERLAY, peerStateDirectory } from './state-paths.ts';

/** The options by which a command finds the running peer. */
export interface ApiClientOptions {
  readonly api?: string;
  readonly state?: string;
  readonly overlay: string;
  readonly tokenFile?: string;
  readonly trust?: string;
}

/** The API answered with a problem; its fields are those of `application/problem+json`. */
export class ApiProblem extends OperatorError {
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(message: string, body: unknown) {
    super(message);
    this.fields = typeof body === 'object' && body !== null ? { ...body } : {};
  }
}

/** Adds the options of every command that asks the running peer. */
export function withApiOptions(command: Command): Command {
  return command
    .option('--api <url>', 'the running peer, for example http://127.0.0.1:6085')
    .option('--state <dir>', 'state directory of that peer; its token is read from there')
    .addOption(new Option('--overlay <name>', 'overlay of that peer').default(DEFAULT_OVERLAY))
    .option('--token-file <file>', 'read the token from this file instead')
    .option('--trust <file>', 'PEM certificates to trust when the API uses TLS');
}

/** Asks the API of a running peer. */
export class ApiClient {
  private readonly url: URL;
  private readonly token: string;
  private readonly trust: string | undefined;

  /** Throws an OperatorError when there is no address or token to be found. */
  static async open(options: ApiClientOptions): Promise<ApiClient> {
    const directory = peerStateDirectory(options.overlay, options.state);
    const address = options.api ?? (await readSmallFile(join(directory, API_URL_FILE), directory));
    const tokenFile = options.tokenFile ?? join(directory, API_TOKEN_FILE);
    const token = await readSmallFile(tokenFile, directory);
    const trust =
      options.trust === undefined ? undefined : await readSmallFile(options.trust, directory);
    return new ApiClient(parseUrl(address), token, trust);
  }

  private constructor(url: URL, token: string, trust: string | undefined) {
    this.url = url;
    this.token = token;
    this.trust = trust;
  }

  /**
   * `content` goes as JSON. The parsed JSON of a 200 answer; throws an ApiProblem with the sentence
   * of the problem.
   */
  async ask(method: 'GET' | 'POST', path: string, content?: unknown): Promise<unknown> {
    const { status, body } = await this.exchange(method, path, content);
    const value = parseJson(body);
    if (status === 200) return value;
    const detail =
      typeof value === 'object' && value !== null && 'detail' in value
        ? String(value.detail)
        : `the API answered ${status}`;
    const hint = status === 401 ? '; name its state directory with --state' : '';
    throw new ApiProblem(`${detail}${hint}`, value);
  }

  private exchange(
    method: string,
    path: string,
    content: unknown,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const send = this.url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const unreachable = (error: Error) =>
        reject(
          new OperatorError(
            `no peer answers at ${this.url.origin} (${error.message}); is \`xor peer\` running?`,
          ),
        );
      const outgoing = send(
        new URL(path, this.url),
        {
          method,
          headers: { authorization: `Bearer ${this.token}`, accept: 'application/json' },
          timeout: ANSWER_MS_MAX,
          ...(this.trust === undefined ? {} : { ca: this.trust }),
        },
        (response) => {
          readBody(response).then(
            (body) => resolve({ status: response.statusCode ?? 0, body }),
            unreachable,
          );
        },
      );
      outgoing.on('timeout', () =>
        outgoing.destroy(new Error(`no answer within ${ANSWER_MS_MAX} ms`)),
      );
      outgoing.on('error', unreachable);
      outgoing.end(content === undefined ? undefined : JSON.stringify(content));
    });
  }
}

async function readSmallFile(path: string, directory: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    throw new OperatorError(
      `cannot read ${path}: is a peer running with its state in ${directory}? ` +
        'Otherwise name its --state directory, or --api and --token-file',
    );
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw usageError(`"${text}" is not the http or https URL of a peer's API`);
  }
  return url;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error('the answer is too large');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Longer than a request in the overlay takes to fail: five transmissions in 15 s. */
const ANSWER_MS_MAX = 30_000;
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
