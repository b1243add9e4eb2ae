/** Converse.js as an XMPP client that others wrote, in Chromium without a window. */
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { HeadlessBrowser } from '../../sim/report/headless-browser.ts';

const require = createRequire(import.meta.url);
const CONVERSE = dirname(require.resolve('converse.js/dist/converse.min.js'));
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Converse.js</title>
<link rel="stylesheet" href="/converse.min.css"><body class="converse-fullscreen">
<script type="module">
import converse from '/converse.min.js';
window.converse = converse;
converse.plugins.add('probe', { initialize() { window.inside = this._converse; } });
</script>`;

/** Serves a page with Converse.js on loopback. */
export class PageServer {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async open(): Promise<PageServer> {
    const server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?')[0] ?? '/';
      if (path === '/') {
        response.setHeader('Content-Type', 'text/html').end(PAGE);
        return;
      }
      response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
      createReadStream(join(CONVERSE, join('/', path)))
        .on('error', () => response.writeHead(404).end())
        .pipe(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PageServer(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

export interface ConverseAccount {
  readonly jid: string;
  readonly password: string;
  readonly webSocketUrl: string;
  /** PEM file: the only certificate of its kind that the browser takes. */
  readonly trust: string;
}

/** A browser of its own, with one page that logs in. */
export class ConversePage {
  private readonly browser: HeadlessBrowser;
  private readonly origin: string;
  private readonly account: ConverseAccount;

  private constructor(browser: HeadlessBrowser, origin: string, account: ConverseAccount) {
    this.browser = browser;
    this.origin = origin;
    this.account = account;
  }

  static async open(
    command: string,
    origin: string,
    account: ConverseAccount,
  ): Promise<ConversePage> {
    const { publicKey } = new X509Certificate(await readFile(account.trust));
    const hash = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }));
    const trusted = `--ignore-certificate-errors-spki-list=${hash.digest('base64')}`;
    // Converse shows pictures from elsewhere; the page reaches loopback alone.
    const offline = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1';
    const browser = await HeadlessBrowser.open(command, [trusted, offline]);
    return new ConversePage(browser, origin, account);
  }

  /** Loads the page. */
  async show(): Promise<void> {
    await this.browser.load(this.origin, { width: 1_000, height: 700, scheme: 'light' });
  }

  /** What the console of the page showed as wrong. */
  get complaints(): readonly string[] {
    return this.browser.complaints;
  }

  /** Loads the page and logs in with the password. */
  async logIn(): Promise<void> {
    const { jid, password, webSocketUrl } = this.account;
    await this.show();
    const settings = {
      ...{ jid, password, websocket_url: webSocketUrl },
      ...{ authentication: 'login', auto_login: true, view_mode: 'fullscreen', i18n: 'en' },
      ...{ assets_path: '/', discover_connection_methods: false, auto_subscribe: false },
      ...{ whitelisted_plugins: ['probe'], loglevel: 'warn', allow_non_roster_messaging: true },
    };
    await this.until('window.converse !== undefined');
    await this.browser.evaluate(`converse.initialize(${JSON.stringify(settings)}).then(() => 0)`);
    await this.until('inside.api.connection.authenticated()');
    await this.evaluate('inside.api.waitUntil("rosterContactsFetched").then(() => 0)');
  }

  /** Ends the stream. */
  async logOut(): Promise<void> {
    await this.evaluate('inside.api.user.logout().then(() => 0)');
  }

  evaluate<T>(expression: string): Promise<T> {
    return this.browser.evaluate<T>(expression);
  }

  /** Waits in the page until an expression, or its promise, is true. */
  async until(expression: string): Promise<void> {
    const deadlineMs = performance.now() + WAIT_MS_MAX;
    while (!(await this.evaluate<boolean>(`(async () => Boolean(await (${expression})))()`))) {
      if (performance.now() > deadlineMs) {
        throw new Error(`it never became true: ${expression}`);
      }
      await wait(POLL_MS);
    }
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}

const WAIT_MS_MAX = 30_000;
const POLL_MS = 20;
