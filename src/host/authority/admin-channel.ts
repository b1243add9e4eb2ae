import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { RevocationReason } from '../../ca/revocation-reason.ts';
import { DOCUMENT_BYTES_MAX } from '../../overlay-config/configuration-document.ts';
import type { KindDefinition } from '../../overlay-config/kind-definition.ts';
import type { Log } from '../log.ts';
import type { AccountChange } from './accounts.ts';
import type { Authority, AuthorityOperations } from './authority.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { ComponentStatus } from './component/component-link.ts';
import type { ComponentOptions } from './component/component-place.ts';
import type { PublicationSummary } from './configuration-publisher.ts';
import { readBody } from './http-exchange.ts';
import type { AccountSummary, AuthorityListing, CertificateSummary } from './listing.ts';

/** What a running authority can do that one that only was opened cannot. */
export interface ComponentHost {
  readonly componentStatus: ComponentStatus | undefined;
  attachComponent(options: ComponentOptions): Promise<void>;
  detachComponent(): Promise<void>;
}

/**
 * The channel by which `xor ca user add` and the like reach an authority that is running and
 * therefore holds its state: HTTP with JSON on a Unix socket in the state directory, open to the
 * owner of that directory alone.
 */
export class AuthorityAdminServer {
  private readonly server: Server;
  private readonly path: string;

  private constructor(server: Server, path: string) {
    this.server = server;
    this.path = path;
  }

  /** The caller holds the state's lock, so a socket that is there belongs to a dead process. */
  static async open(
    stateDirectory: string,
    authority: Authority,
    components: ComponentHost,
    log: Log,
  ): Promise<AuthorityAdminServer> {
    const path = adminSocketPath(stateDirectory);
    await makePrivateDirectory(path, stateDirectory);
    await rm(path, { force: true });
    const server = createServer((incoming, response) => {
      void handle(incoming, authority, components, log).then(({ status, body }) => {
        response.writeHead(status, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(body));
      });
    });
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen(path, done);
    });
    await chmod(path, 0o600);
    return new AuthorityAdminServer(server, path);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((done) => {
      this.server.close(() => done());
    });
    this.server.closeIdleConnections();
    await closed;
    await rm(this.path, { force: true });
  }
}

/** A running authority, by its admin channel. */
export class AuthorityAdminClient implements AuthorityOperations {
  private readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** The authority that runs on this state; undefined when none does. */
  static async connect(stateDirectory: string): Promise<AuthorityAdminClient | undefined> {
    const path = adminSocketPath(stateDirectory);
    await refuseForeignSocket(path);
    const client = new AuthorityAdminClient(path);
    try {
      await client.call('ping', {});
      return client;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(code)) return undefined;
      throw error;
    }
  }

  addUser(jid: string, password: string, devicesMax?: number): Promise<AccountSummary> {
    return this.call('addUser', { jid, password, devicesMax });
  }

  updateUser(jid: string, change: AccountChange): Promise<AccountSummary> {
    return this.call('updateUser', { jid, ...change });
  }

  removeUser(jid: string): Promise<readonly CertificateSummary[]> {
    return this.call('removeUser', { jid });
  }

  revoke(target: string, reason: RevocationReason): Promise<readonly CertificateSummary[]> {
    return this.call('revoke', { target, reason });
  }

  list(): Promise<AuthorityListing> {
    return this.call('list', {});
  }

  signAuthority(request: string, domain?: string): Promise<string> {
    return this.call('signAuthority', { request, domain });
  }

  configurationDocument(): Promise<{ readonly document?: string }> {
    return this.call('configurationDocument', {});
  }

  signConfiguration(document: string): Promise<string> {
    return this.call('signConfiguration', { document });
  }

  signKind(kind: KindDefinition): Promise<string> {
    return this.call('signKind', { kind });
  }

  publishConfiguration(document: string, replace: boolean): Promise<PublicationSummary> {
    return this.call('publishConfiguration', { document, replace });
  }

  async attachComponent(options: ComponentOptions): Promise<void> {
    await this.call('attachComponent', { options });
  }

  async detachComponent(): Promise<void> {
    await this.call('detachComponent', {});
  }

  /** Without `isAttached` where there is no component. */
  componentStatus(): Promise<Partial<ComponentStatus>> {
    return this.call('componentStatus', {});
  }

  private async call<Answer>(operation: string, fields: object): Promise<Answer> {
    const { status, body } = await post(this.path, JSON.stringify({ operation, ...fields }));
    if (status === 200) return body as Answer;
    const { failure } = body as { failure?: string };
    throw new AuthorityFailure(failure ?? `the running authority answers with status ${status}`);
  }
}

/**
 * Where the socket is. Its path may have about 100 bytes only (sun_path): for a state directory
 * that lies deeper it is in the directory for temporary files, named after the state directory.
 */
export function adminSocketPath(stateDirectory: string): string {
  const path = join(resolve(stateDirectory), SOCKET_NAME);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  const hash = createHash('sha256').update(resolve(stateDirectory)).digest('hex').slice(0, 24);
  return join(tmpdir(), `xor-ca-${process.getuid?.() ?? 0}-${hash}`, SOCKET_NAME);
}

async function makePrivateDirectory(path: string, stateDirectory: string): Promise<void> {
  const directory = dirname(path);
  if (directory === resolve(stateDirectory)) return;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await refuseForeignSocket(path);
}

/** A directory for temporary files is everybody's: another user may have been there first. */
async function refuseForeignSocket(path: string): Promise<void> {
  const directory = dirname(path);
  if (!directory.startsWith(tmpdir())) return;
  try {
    const found = await lstat(directory);
    // A file in its place is no state at all, which is said elsewhere.
    if (found.isFile()) return;
    const isOwn = found.uid === (process.getuid?.() ?? found.uid);
    if (isOwn && found.isDirectory() && (found.mode & OTHERS_MAY_WRITE) === 0) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  throw new AuthorityFailure(`${directory} belongs to another user; name a shorter --state`);
}

interface AdminAnswer {
  readonly status: number;
  readonly body: unknown;
}

async function handle(
  incoming: IncomingMessage,
  authority: Authority,
  components: ComponentHost,
  log: Log,
): Promise<AdminAnswer> {
  try {
    const bytes = await readBody(incoming, BODY_BYTES_MAX);
    const call: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    const body = await perform(authority, components, call as AdminCall);
    return { status: 200, body: body ?? {} };
  } catch (error) {
    if (error instanceof AuthorityFailure) return { status: 422, body: { failure: error.message } };
    log.error({ error: String(error) }, 'an operation of the admin channel failed');
    return { status: 500, body: { failure: `the running authority failed: ${String(error)}` } };
  }
}

/** What `AuthorityAdminClient` sends; nobody else can reach the socket. */
type AdminCall =
  | { readonly operation: 'ping' | 'list' | 'configurationDocument' }
  | { readonly operation: 'componentStatus' | 'detachComponent' }
  | { readonly operation: 'attachComponent'; readonly options: ComponentOptions }
  | { readonly operation: 'signConfiguration'; readonly document: string }
  | { readonly operation: 'signKind'; readonly kind: KindDefinition }
  | {
      readonly operation: 'publishConfiguration';
      readonly document: string;
      readonly replace: boolean;
    }
  | {
      readonly operation: 'addUser';
      readonly jid: string;
      readonly password: string;
      readonly devicesMax?: number;
    }
  | ({ readonly operation: 'updateUser'; readonly jid: string } & AccountChange)
  | { readonly operation: 'removeUser'; readonly jid: string }
  | { readonly operation: 'signAuthority'; readonly request: string; readonly domain?: string }
  | {
      readonly operation: 'revoke';
      readonly target: string;
      readonly reason: RevocationReason;
    };

async function perform(
  authority: Authority,
  components: ComponentHost,
  call: AdminCall,
): Promise<unknown> {
  switch (call.operation) {
    case 'ping':
      return {};
    case 'list':
      return authority.list();
    case 'addUser':
      return authority.addUser(call.jid, call.password, call.devicesMax);
    case 'updateUser':
      return authority.updateUser(call.jid, call);
    case 'removeUser':
      return authority.removeUser(call.jid);
    case 'signAuthority':
      return authority.signAuthority(call.request, call.domain);
    case 'configurationDocument':
      return authority.configurationDocument();
    case 'signConfiguration':
      return authority.signConfiguration(call.document);
    case 'signKind':
      return authority.signKind(call.kind);
    case 'publishConfiguration':
      return authority.publishConfiguration(call.document, call.replace);
    case 'revoke':
      return authority.revoke(call.target, call.reason);
    case 'attachComponent':
      return components.attachComponent(call.options);
    case 'detachComponent':
      return components.detachComponent();
    case 'componentStatus':
      return components.componentStatus;
    default:
      throw new AuthorityFailure('the running authority does not know this operation; restart it');
  }
}

function post(path: string, body: string): Promise<AdminAnswer> {
  return new Promise((done, failed) => {
    const outgoing = request(
      { socketPath: path, method: 'POST', path: '/', agent: false, timeout: ANSWER_MS_MAX },
      (response) => {
        readBody(response, ANSWER_BYTES_MAX)
          .then((bytes) => {
            const text = Buffer.from(bytes ?? []).toString('utf8');
            done({ status: response.statusCode ?? 0, body: JSON.parse(text) });
          })
          .catch(failed);
      },
    );
    outgoing.on('timeout', () => {
      outgoing.destroy(new AuthorityFailure('the running authority does not answer'));
    });
    outgoing.on('error', failed);
    outgoing.end(body);
  });
}

/** Whoever can only read a directory puts no socket there. */
const OTHERS_MAY_WRITE = 0o022;
const SOCKET_NAME = 'admin.sock';
/** 104 on macOS, 108 on Linux, with the zero at the end. */
const SOCKET_PATH_BYTES_MAX = 100;
/** A configuration document, as JSON has it. */
const BODY_BYTES_MAX = 2 * DOCUMENT_BYTES_MAX;
const ANSWER_BYTES_MAX = 1024 * 1024 * 1024;
const ANSWER_MS_MAX = 60_000;
