/** Chromium without a window and without script, before the page of a challenge. */
import { createHash, X509Certificate } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'node:tls';
import { HeadlessBrowser } from '../../../sim/report/headless-browser.ts';

export class ChallengeBrowser {
  private readonly browser: HeadlessBrowser;

  private constructor(browser: HeadlessBrowser) {
    this.browser = browser;
  }

  /** `url`: of the web server; `trust`: the root that its certificate is checked by, PEM. */
  static async open(command: string, url: string, trust: string): Promise<ChallengeBrowser> {
    const hash = createHash('sha256')
      .update(await keyOf(new URL(url), trust))
      .digest('base64');
    const offline = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1';
    const trusted = `--ignore-certificate-errors-spki-list=${hash}`;
    return new ChallengeBrowser(await HeadlessBrowser.open(command, [trusted, offline]));
  }

  async show(uri: string): Promise<void> {
    await this.browser.load(uri, { width: 700, height: 900, scheme: 'light', isScriptless: true });
  }

  /** Fills the form as a person does, and presses a button. */
  async answer(password: string, button: 'issue' | 'refuse' = 'issue'): Promise<void> {
    await this.browser.evaluate(
      `document.querySelector('[name=password]').value = ${JSON.stringify(password)};` +
        "document.querySelector('[name=mine]').click();" +
        `document.querySelector('button[value=${button}]').click();`,
    );
  }

  /** Waits until the page has this text. */
  async shows(text: string): Promise<void> {
    const deadlineMs = performance.now() + WAIT_MS_MAX;
    // Between two pages there is no body.
    const isThere = `(document.body?.innerText ?? '').includes(${JSON.stringify(text)})`;
    while (!(await this.browser.evaluate<boolean>(isThere).catch(() => false))) {
      if (performance.now() > deadlineMs) throw new Error(`the page never showed: ${text}`);
      await wait(POLL_MS);
    }
  }

  get complaints(): readonly string[] {
    return this.browser.complaints;
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}

/** SubjectPublicKeyInfo of a web server, DER. */
function keyOf({ hostname, port }: URL, ca: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca }, () => {
      const { raw } = socket.getPeerCertificate();
      const { publicKey } = new X509Certificate(raw);
      socket.end();
      resolve(publicKey.export({ type: 'spki', format: 'der' }));
    });
    socket.on('error', reject);
  });
}

const WAIT_MS_MAX = 30_000;
const POLL_MS = 20;
