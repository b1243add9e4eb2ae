import type { SentMessageOutcome } from '../../xmpp/xmpp-output.ts';
import type { PeerHost } from '../peer-host.ts';
import { HttpProblem } from './http-problem.ts';

/** What `POST /v1/messages` answers: whether a device of the addressee has the message. */
interface SentMessageJson {
  readonly to: string;
  /**
   * `server`: the user's own server has it, and delivers it. `waiting`: nobody has acknowledged it
   * so far; it is on disk and goes on being sent.
   */
  readonly state: 'acknowledged' | 'server' | 'waiting';
}

/** Sends `{"to": JID, "text": TEXT}` and waits a while for a device; throws an HttpProblem. */
export async function messageJson(
  host: Pick<PeerHost, 'sendMessage'>,
  body: Uint8Array,
): Promise<SentMessageJson> {
  const { to, text } = readMessage(body);
  const sent = host.sendMessage(to, text);
  if (sent === undefined) {
    throw new HttpProblem(409, 'this peer does no XMPP; start it with --gateway', {
      code: 'no-xmpp',
    });
  }
  const outcome = await orUndefinedAfter(WAIT_MS_MAX, sent);
  if (outcome?.type === 'refused') {
    const status = STATUS_OF_CONDITION.get(outcome.condition) ?? 502;
    throw new HttpProblem(status, outcome.reason, { code: outcome.condition });
  }
  if (outcome === undefined) return { to, state: 'waiting' };
  return { to, state: outcome.by ?? 'acknowledged' };
}

function readMessage(body: Uint8Array): { to: string; text: string } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    value = undefined;
  }
  const isObject = typeof value === 'object' && value !== null;
  const { to, text } = isObject ? (value as Readonly<Record<string, unknown>>) : {};
  if (typeof to !== 'string' || typeof text !== 'string' || text === '') {
    throw new HttpProblem(400, 'the body is {"to": JID, "text": TEXT} in JSON', {
      code: 'bad-request',
    });
  }
  if (UNFIT_FOR_XML.test(text)) {
    throw new HttpProblem(400, 'the text has characters that XML cannot carry', {
      code: 'bad-request',
    });
  }
  return { to, text };
}

async function orUndefinedAfter(
  ms: number,
  sent: Promise<SentMessageOutcome>,
): Promise<SentMessageOutcome | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([sent, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const MESSAGE_BODY_BYTES_MAX = 64 * 1024;
/** Less than a client of the API waits for an answer. */
const WAIT_MS_MAX = 20_000;
/** XML 1.0 §2.2, and halves of surrogate pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNFIT_FOR_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/u;
const STATUS_OF_CONDITION: ReadonlyMap<string, number> = new Map([
  ['jid-malformed', 400],
  ['not-acceptable', 400],
  ['policy-violation', 413],
  ['resource-constraint', 503],
  ['service-unavailable', 503],
  ['recipient-unavailable', 504],
]);
