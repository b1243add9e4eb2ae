import { createHash } from 'node:crypto';
import type { HttpAnswer } from '../http-exchange.ts';

/** What the page of a challenge shows. */
export interface ChallengeForm {
  /** Of the account that the certificate is for. */
  readonly userName: string;
  /** What the device calls itself. */
  readonly deviceName: string | undefined;
  /** SHA-256 of the device's key, lower-case hex. */
  readonly keySha256: string;
  readonly minutesLeft: number;
  /** Where the form goes. */
  readonly path: string;
  /** Proves that the form is from this page. */
  readonly formToken: string;
  /** What was wrong with the answer before. */
  readonly complaint?: string | undefined;
}

/** The page that asks. It has no script. */
export function challengePage(form: ChallengeForm): string {
  const { userName, deviceName, keySha256, minutesLeft, path, formToken, complaint } = form;
  const device =
    deviceName === undefined ? 'it did not say' : `<bdi>${escapeHtml(deviceName)}</bdi>`;
  const alert = complaint === undefined ? '' : `<p role="alert">${escapeHtml(complaint)}</p>`;
  return document(
    'A device asks for a certificate',
    `<p>A device asks for a certificate with which it can log in and speak as
<strong><bdi>${escapeHtml(userName)}</bdi></strong>.</p>
<dl><dt>Its name</dt><dd>${device}</dd>
<dt>Its key (SHA-256)</dt><dd><code>${groupsOf(keySha256)}</code></dd></dl>
<p>Go on only if you asked for this yourself a moment ago, on that device. If it shows you its key,
compare: with another key, somebody else asks in your name. This page is good for
${minutesLeft} more minute${minutesLeft === 1 ? '' : 's'}.</p>
${alert}<form method="post" action="${escapeHtml(path)}">
<input type="hidden" name="form" value="${escapeHtml(formToken)}">
<input type="text" name="username" value="${escapeHtml(userName)}" autocomplete="username" hidden>
<p><label><input type="checkbox" name="mine" value="yes" required> I asked for this myself, and the
key is that of my device.</label></p>
<p><label>Password of <bdi>${escapeHtml(userName)}</bdi> at this authority<br>
<input type="password" name="password" autocomplete="current-password" maxlength="1024" required>
</label></p>
<p><button name="answer" value="issue">Issue the certificate</button>
<button name="answer" value="refuse" formnovalidate>I did not ask for this</button></p>
</form>`,
  );
}

/** A page that says one thing. */
export function noticePage(title: string, sentence: string): string {
  return document(title, `<p>${escapeHtml(sentence)}</p>`);
}

/** Nothing but its own style is loaded, nobody frames it, and its form comes back here. */
export function pageAnswer(
  status: number,
  html: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy':
        `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; ` +
        "base-uri 'none'; frame-ancestors 'none'",
      'X-Frame-Options': 'DENY',
      'Cache-Control': 'no-store',
      // The Origin of the form is needed, the secret path is nobody else's.
      'Referrer-Policy': 'same-origin',
      'Cross-Origin-Opener-Policy': 'same-origin',
      ...headers,
    },
    body: html,
  };
}

function document(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><style>${STYLE}</style></head>
<body><main><h1>${title}</h1>
${body}
</main></body></html>
`;
}

/** As devices show it: easy to compare by eye. */
function groupsOf(hex: string): string {
  return (hex.match(/.{1,8}/g) ?? []).join(' ');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE =
  ':root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;' +
  'max-width:36rem;padding:0 1rem}dt{font-weight:bold}dd{margin:0 0 .5rem}code,bdi{' +
  'overflow-wrap:anywhere}button,input{font:inherit}input[type=password]{width:100%;' +
  'box-sizing:border-box}[role=alert]{border-left:.3rem solid #c00;padding-left:.7rem}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
